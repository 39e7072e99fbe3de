"""The asyncio face of an Event Socket connection, over real TCP."""

import asyncio
import time

import pytest

from calls.switch.connection import Connection, SwitchGone
from tests.switch.esl_server import PASSWORD, connected, eventually, obliging, serving, silent, threads


# ---------------------------------------------------------------- commands and replies
async def test_a_command_is_answered():
    async with connected(obliging) as (connection, _, _):
        assert await connection.api("status") == "status"


async def test_replies_find_their_commands():
    async with connected(obliging) as (connection, _, _):
        replies = await asyncio.gather(*(connection.api(f"echo {number}") for number in range(300)))
        assert replies == [f"echo {number}" for number in range(300)]


async def test_commands_go_out_in_the_order_they_were_given():
    async with connected(obliging) as (connection, peer, _):
        futures = [connection.submit(f"api echo {number}") for number in range(50)]
        await asyncio.gather(*futures)
        assert peer.commands[1:] == [f"api echo {number}" for number in range(50)]


async def test_a_background_job_carries_our_own_job_uuid():
    async with connected(obliging) as (connection, peer, _):
        assert (await connection.bgapi("originate user/1 park", "job-1")).startswith("+OK")
        assert peer.commands[-1] == "bgapi originate user/1 park\nJob-UUID: job-1"


async def test_only_the_wanted_events_are_asked_for():
    async with connected(obliging) as (connection, peer, _):
        await connection.subscribe(["DTMF", "CHANNEL_HANGUP"], ["conference::maintenance"])
        assert peer.commands[-1] == "event plain DTMF CHANNEL_HANGUP CUSTOM conference::maintenance"


async def test_a_refused_subscription_is_an_error():
    async def refusing(peer):
        await peer.handshake()
        await peer.command()
        peer.reply("-ERR no keywords supplied")

    async with connected(refusing) as (connection, _, _):
        with pytest.raises(SwitchGone):
            await connection.subscribe(["NOPE"])


async def test_events_arrive_in_order_in_the_loop_that_connected():
    async with connected(silent) as (_, peer, events):
        for number in range(200):
            peer.event(f"Event-Name: DTMF\nUnique-ID: {number}\n\n")
        await eventually(lambda: len(events) == 200)
        assert [event.uuid for event in events] == [str(number) for number in range(200)]


async def test_a_slow_reader_of_events_does_not_hold_replies():
    async with connected(obliging) as (connection, peer, _):
        for _ in range(500):
            peer.event("Event-Name: X\n" + "Header: value\n" * 200 + "\n")
        began = time.monotonic()
        assert await connection.api("status") == "status"
        assert time.monotonic() - began < 1


# ---------------------------------------------------------------- ends
async def test_closing_is_clean_and_can_be_done_twice():
    async with connected(obliging) as (connection, peer, _):
        await connection.close()
        await connection.close()
        assert connection.closed and connection.reason == "closed by us"
        assert await asyncio.wait_for(peer.gone(), 2)
    assert threads() == 0


async def test_a_cancelled_connect_leaves_nothing_behind():
    async def mute(peer):
        await peer.gone()

    async with serving(mute) as server:
        connection = Connection("127.0.0.1", server.port, PASSWORD, on_event=print, timeout=5)
        task = asyncio.create_task(connection.connect())
        await eventually(lambda: server.peers)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await eventually(lambda: threads() == 0)


async def test_a_cancelled_command_keeps_its_place():
    async with connected(obliging) as (connection, _, _):
        connection.api("one").cancel()
        assert await connection.api("two") == "two"


async def test_nothing_is_monkey_patched():
    import socket
    import threading as standard

    async with connected(obliging):
        assert "gevent" not in socket.socket.__module__
        assert "gevent" not in standard.Thread.__module__
