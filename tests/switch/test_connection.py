"""The asyncio face, and every trap of greenswitch 0.0.19 that the session behind it cures, over real TCP."""

import asyncio
import os
import threading
import time
from contextlib import asynccontextmanager

import pytest

from calls.switch.connection import Connection, NoReply, SwitchGone, WrongPassword
from tests.switch.esl_server import PASSWORD, Peer, eventually, serving


async def obliging(peer: Peer) -> None:
    """Answers every api command with the command itself."""
    await peer.handshake()
    while True:
        command = await peer.command()
        if command.startswith("api "):
            peer.answer(command.removeprefix("api "))
        else:
            peer.reply(f"+OK {command.splitlines()[0]}")


async def silent(peer: Peer) -> None:
    await peer.handshake()


@asynccontextmanager
async def connected(script, *, timeout=2.0):
    async with serving(script) as server:
        events = []
        connection = Connection("127.0.0.1", server.port, PASSWORD, on_event=events.append, timeout=timeout)
        await connection.connect()
        try:
            yield connection, server.peers[0], events
        finally:
            await connection.close()


def threads() -> int:
    return sum(thread.name == "event-socket" for thread in threading.enumerate())


def sockets() -> int:
    return sum("socket:" in os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if _link(fd))


def _link(fd: str) -> bool:
    return os.path.islink(f"/proc/self/fd/{fd}")


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


# ---------------------------------------------------------------- traps: what is read
async def test_trap_a_name_with_a_newline_adds_no_header():
    async with connected(silent) as (_, peer, events):
        peer.event("Event-Name: CHANNEL_HANGUP\nCaller-Caller-ID-Name: Bob%0AUnique-ID: evil\nUnique-ID: good\n\n")
        await eventually(lambda: events)
        assert events[0].uuid == "good"


async def test_trap_a_jobs_body_is_a_body():
    async with connected(silent) as (_, peer, events):
        peer.event("Event-Name: BACKGROUND_JOB\nJob-UUID: good\nContent-Length: 20\n\nJob-UUID: x\n+OK yes\n")
        await eventually(lambda: events)
        assert events[0].get("Job-UUID") == "good"
        assert events[0].body == "Job-UUID: x\n+OK yes\n"


async def test_trap_bytes_that_are_no_utf8_kill_nothing():
    async with connected(obliging) as (connection, peer, events):
        peer.event(b"Event-Name: X\nName: Jos\xe9\n\n")
        peer.answer(b"Jos\xe9")
        assert await connection.api("status")
        await eventually(lambda: events)
        assert not connection.closed


async def test_trap_a_stray_reply_kills_nothing():
    async with connected(obliging) as (connection, peer, _):
        peer.reply("+OK nobody asked")
        peer.answer("nobody asked")
        await peer.writer.drain()
        await asyncio.sleep(0.05)
        assert await connection.api("status") == "status"


@pytest.mark.parametrize("block", ["No-Type: here\n\n", "no colon at all\n\n", "Content-Type: log/data\n\n", "\n\n\n"])
async def test_trap_a_strange_block_kills_nothing(block):
    async with connected(obliging) as (connection, peer, _):
        peer.send(block)
        assert await connection.api("status") == "status"


async def test_trap_an_empty_last_header_is_not_glued_to_the_one_before():
    async with connected(silent) as (_, peer, events):
        peer.event("Event-Name: X\nA: value\nB: \n\n")
        await eventually(lambda: events)
        assert events[0].get("A") == "value"


async def test_trap_nonsense_ends_the_connection_instead_of_the_thread():
    async with connected(silent) as (connection, peer, _):
        peer.send("Content-Type: api/response\nContent-Length: many\n\n")
        assert (await asyncio.wait_for(connection.wait_closed(), 2)).startswith("protocol")


# ---------------------------------------------------------------- traps: what is sent
@pytest.mark.parametrize("command", ["a\n\napi fsctl shutdown now", "a\nX-Header: y", "a\r", "a\x00", ""])
async def test_trap_a_newline_in_a_command_sends_nothing(command):
    async with connected(obliging) as (connection, peer, _):
        with pytest.raises(ValueError, match="one line"):
            await connection.api(command)
        with pytest.raises(ValueError, match="one line"):
            await connection.bgapi("originate x", command)
        assert await connection.api("status") == "status"
        assert peer.commands[1:] == ["api status"]


async def test_trap_a_password_with_a_newline_sends_nothing():
    async with serving(obliging) as server:
        connection = Connection("127.0.0.1", server.port, "x\n\nevents", on_event=print, timeout=2)
        with pytest.raises(WrongPassword):
            await connection.connect()


async def test_trap_a_large_command_arrives_whole():
    async with connected(obliging, timeout=10) as (connection, _, _):
        command = "echo " + "x" * 4_000_000
        assert await connection.api(command) == command


async def test_trap_a_switch_that_does_not_read_ends_the_connection():
    async with connected(silent, timeout=0.3) as (connection, peer, _):
        peer.writer.transport.pause_reading()
        futures = [connection.submit("api " + "x" * 8_000_000) for _ in range(3)]
        assert await asyncio.wait_for(connection.wait_closed(), 3) == "sending timed out"
        results = await asyncio.gather(*futures, return_exceptions=True)
        assert all(isinstance(result, SwitchGone) for result in results)


# ---------------------------------------------------------------- traps: time
async def test_trap_a_command_without_a_reply_times_out_and_the_next_reply_is_not_shifted():
    async def late(peer):
        await peer.handshake()
        await peer.command()
        await peer.command()
        peer.answer("first")
        peer.answer("second")

    async with connected(late, timeout=0.2) as (connection, _, _):
        with pytest.raises(NoReply):
            await connection.api("slow")
        assert await connection.api("quick", timeout=2) == "second"


async def test_trap_no_greeting_is_not_waited_for_for_ever():
    async def mute(peer):
        await peer.gone()

    async with serving(mute) as server:
        connection = Connection("127.0.0.1", server.port, PASSWORD, on_event=print, timeout=0.3)
        with pytest.raises(SwitchGone, match="handshake timed out"):
            await asyncio.wait_for(connection.connect(), 3)
        await eventually(lambda: threads() == 0)


async def test_trap_a_greeting_without_an_answer_to_the_password_is_not_waited_for_for_ever():
    async def mute(peer):
        peer.send("Content-Type: auth/request\n\n")
        await peer.gone()

    async with serving(mute) as server:
        connection = Connection("127.0.0.1", server.port, PASSWORD, on_event=print, timeout=0.3)
        with pytest.raises(SwitchGone, match="handshake timed out"):
            await asyncio.wait_for(connection.connect(), 3)


async def test_trap_a_close_before_the_greeting_is_noticed():
    async def rude(peer):
        peer.writer.close()

    async with serving(rude) as server:
        connection = Connection("127.0.0.1", server.port, PASSWORD, on_event=print, timeout=2)
        with pytest.raises(SwitchGone, match="closed before the greeting"):
            await connection.connect()


async def test_trap_an_address_that_is_not_on_the_list_is_told_so():
    async def rude(peer):
        peer.send("Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n")

    async with serving(rude) as server:
        connection = Connection("127.0.0.1", server.port, PASSWORD, on_event=print, timeout=2)
        with pytest.raises(SwitchGone):
            await connection.connect()
        assert "list" in connection.reason


# ---------------------------------------------------------------- traps: ends
async def test_trap_everything_that_waits_fails_when_the_switch_closes():
    async with connected(silent, timeout=30) as (connection, peer, _):
        futures = [connection.submit(f"api echo {number}") for number in range(5)]
        await peer.command()
        peer.writer.close()
        results = await asyncio.wait_for(asyncio.gather(*futures, return_exceptions=True), 2)
        assert all(isinstance(result, SwitchGone) for result in results)
        assert connection.closed
        with pytest.raises(SwitchGone):
            await connection.api("status")


async def test_trap_everything_that_waits_fails_at_a_disconnect_notice():
    async with connected(silent, timeout=30) as (connection, peer, _):
        future = connection.submit("api echo")
        peer.send("Content-Type: text/disconnect-notice\nContent-Length: 10\n\ngoodbye..\n")
        with pytest.raises(SwitchGone, match="disconnected"):
            await asyncio.wait_for(future, 2)


async def test_trap_an_end_inside_a_body_does_not_spin():
    async with connected(silent, timeout=30) as (connection, peer, _):
        future = connection.submit("api echo")
        await peer.command()
        peer.send("Content-Type: api/response\nContent-Length: 1000\n\nhalf of it")
        peer.writer.close()
        with pytest.raises(SwitchGone, match="inside a message"):
            await asyncio.wait_for(future, 2)
        await eventually(lambda: threads() == 0)


async def test_trap_a_plain_end_is_noticed_without_any_command():
    async with connected(silent) as (connection, peer, _):
        peer.writer.close()
        assert await asyncio.wait_for(connection.wait_closed(), 2) == "closed by the switch"


async def test_trap_a_refused_connection_is_one_of_our_errors():
    async with serving(silent) as server:
        port = server.port
    connection = Connection("127.0.0.1", port, PASSWORD, on_event=print, timeout=2)
    with pytest.raises(SwitchGone, match="connection failed"):
        await connection.connect()
    assert connection.closed


async def test_trap_an_unknown_host_is_one_of_our_errors():
    connection = Connection("no-such-host.invalid", 8021, PASSWORD, on_event=print, timeout=3)
    with pytest.raises(SwitchGone):
        await connection.connect()


async def test_trap_a_wrong_password_leaves_nothing_behind():
    async with serving(silent) as server:
        before = sockets()
        for _ in range(5):
            connection = Connection("127.0.0.1", server.port, "nope", on_event=print, timeout=2)
            with pytest.raises(WrongPassword):
                await connection.connect()
            assert connection.closed
        for peer in server.peers:
            assert await asyncio.wait_for(peer.gone(), 2)
            peer.writer.close()
            await peer.writer.wait_closed()
        await eventually(lambda: threads() == 0)
        await eventually(lambda: sockets() <= before)


async def test_trap_a_connection_is_used_once_and_a_new_one_works():
    async with connected(obliging) as (connection, peer, _):
        peer.writer.close()
        await asyncio.wait_for(connection.wait_closed(), 2)
        with pytest.raises(SwitchGone, match="used once"):
            await asyncio.wait_for(connection.connect(), 2)
    async with connected(obliging) as (connection, _, _):
        assert await connection.api("status") == "status"


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
        task = asyncio.create_task(connection.api("one"))
        await asyncio.sleep(0)
        task.cancel()
        assert await connection.api("two") == "two"


async def test_nothing_is_monkey_patched():
    import socket
    import threading as standard

    async with connected(obliging):
        assert "gevent" not in socket.socket.__module__
        assert "gevent" not in standard.Thread.__module__
