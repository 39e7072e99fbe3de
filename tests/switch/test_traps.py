"""Every trap of greenswitch 0.0.19, and its cure, over real TCP."""

import asyncio

import pytest

from calls.switch.connection import Connection, NoReply, SwitchGone, WrongPassword
from tests.switch.esl_server import PASSWORD, connected, eventually, obliging, serving, silent, sockets, threads


# ---------------------------------------------------------------- traps: what is read
async def test_a_name_with_a_newline_adds_no_header():
    async with connected(silent) as (_, peer, events):
        peer.event("Event-Name: CHANNEL_HANGUP\nCaller-Caller-ID-Name: Bob%0AUnique-ID: evil\nUnique-ID: good\n\n")
        await eventually(lambda: events)
        assert events[0].uuid == "good"


async def test_a_jobs_body_is_a_body():
    async with connected(silent) as (_, peer, events):
        peer.event("Event-Name: BACKGROUND_JOB\nJob-UUID: good\nContent-Length: 20\n\nJob-UUID: x\n+OK yes\n")
        await eventually(lambda: events)
        assert events[0].get("Job-UUID") == "good"
        assert events[0].body == "Job-UUID: x\n+OK yes\n"


async def test_bytes_that_are_no_utf8_kill_nothing():
    async with connected(obliging) as (connection, peer, events):
        peer.event(b"Event-Name: X\nName: Jos\xe9\n\n")
        peer.answer(b"Jos\xe9")
        assert await connection.api("status")
        await eventually(lambda: events)
        assert not connection.closed


async def test_a_stray_reply_kills_nothing():
    async with connected(obliging) as (connection, peer, _):
        peer.reply("+OK nobody asked")
        peer.answer("nobody asked")
        await peer.writer.drain()
        await asyncio.sleep(0.05)
        assert await connection.api("status") == "status"


@pytest.mark.parametrize("block", ["No-Type: here\n\n", "no colon at all\n\n", "Content-Type: log/data\n\n", "\n\n\n"])
async def test_a_strange_block_kills_nothing(block):
    async with connected(obliging) as (connection, peer, _):
        peer.send(block)
        assert await connection.api("status") == "status"


async def test_an_empty_last_header_is_not_glued_to_the_one_before():
    async with connected(silent) as (_, peer, events):
        peer.event("Event-Name: X\nA: value\nB: \n\n")
        await eventually(lambda: events)
        assert events[0].get("A") == "value"


async def test_nonsense_ends_the_connection_instead_of_the_thread():
    async with connected(silent) as (connection, peer, _):
        peer.send("Content-Type: api/response\nContent-Length: many\n\n")
        assert (await asyncio.wait_for(connection.wait_closed(), 2)).startswith("protocol")


# ---------------------------------------------------------------- traps: what is sent
@pytest.mark.parametrize("command", ["a\n\napi fsctl shutdown now", "a\nX-Header: y", "a\r", "a\x00", ""])
async def test_a_newline_in_a_command_sends_nothing(command):
    async with connected(obliging) as (connection, peer, _):
        with pytest.raises(ValueError, match="one line"):
            await connection.api(command)
        with pytest.raises(ValueError, match="one line"):
            await connection.bgapi("originate x", command)
        assert await connection.api("status") == "status"
        assert peer.commands[1:] == ["api status"]


async def test_a_password_with_a_newline_sends_nothing():
    async with serving(obliging) as server:
        connection = Connection("127.0.0.1", server.port, "x\n\nevents", on_event=print, timeout=2)
        with pytest.raises(WrongPassword):
            await connection.connect()


async def test_a_large_command_arrives_whole():
    async with connected(obliging, timeout=10) as (connection, _, _):
        command = "echo " + "x" * 4_000_000
        assert await connection.api(command) == command


async def test_a_switch_that_does_not_read_ends_the_connection():
    async with connected(silent, timeout=0.3) as (connection, peer, _):
        peer.writer.transport.pause_reading()
        futures = [connection.submit("api " + "x" * 8_000_000) for _ in range(3)]
        assert await asyncio.wait_for(connection.wait_closed(), 3) == "sending timed out"
        results = await asyncio.gather(*futures, return_exceptions=True)
        assert all(isinstance(result, SwitchGone) for result in results)


# ---------------------------------------------------------------- traps: time
async def test_a_command_without_a_reply_times_out_and_the_next_reply_is_not_shifted():
    async def late(peer):
        await peer.handshake()
        await peer.command()
        await peer.command()
        peer.answer("first")
        peer.answer("second")

    async with connected(late) as (connection, _, _):
        with pytest.raises(NoReply):
            await connection.api("slow", timeout=0.2)
        assert await connection.api("quick") == "second"


async def test_no_greeting_is_not_waited_for_for_ever():
    async def mute(peer):
        await peer.gone()

    async with serving(mute) as server:
        connection = Connection("127.0.0.1", server.port, PASSWORD, on_event=print, timeout=0.3)
        with pytest.raises(SwitchGone, match="handshake timed out"):
            await asyncio.wait_for(connection.connect(), 3)
        await eventually(lambda: threads() == 0)


async def test_a_greeting_without_an_answer_to_the_password_is_not_waited_for_for_ever():
    async def mute(peer):
        peer.send("Content-Type: auth/request\n\n")
        await peer.gone()

    async with serving(mute) as server:
        connection = Connection("127.0.0.1", server.port, PASSWORD, on_event=print, timeout=0.3)
        with pytest.raises(SwitchGone, match="handshake timed out"):
            await asyncio.wait_for(connection.connect(), 3)


async def test_a_close_before_the_greeting_is_noticed():
    async def rude(peer):
        peer.writer.close()

    async with serving(rude) as server:
        connection = Connection("127.0.0.1", server.port, PASSWORD, on_event=print, timeout=2)
        with pytest.raises(SwitchGone, match="closed before the greeting"):
            await connection.connect()


async def test_an_address_that_is_not_on_the_list_is_told_so():
    async def rude(peer):
        peer.send("Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n")

    async with serving(rude) as server:
        connection = Connection("127.0.0.1", server.port, PASSWORD, on_event=print, timeout=2)
        with pytest.raises(SwitchGone):
            await connection.connect()
        assert "list" in connection.reason


# ---------------------------------------------------------------- traps: ends
async def test_everything_that_waits_fails_when_the_switch_closes():
    async with connected(silent, timeout=30) as (connection, peer, _):
        futures = [connection.submit(f"api echo {number}") for number in range(5)]
        await peer.command()
        peer.writer.close()
        results = await asyncio.wait_for(asyncio.gather(*futures, return_exceptions=True), 2)
        assert all(isinstance(result, SwitchGone) for result in results)
        assert connection.closed
        with pytest.raises(SwitchGone):
            await connection.api("status")


async def test_everything_that_waits_fails_at_a_disconnect_notice():
    async with connected(silent, timeout=30) as (connection, peer, _):
        future = connection.submit("api echo")
        peer.send("Content-Type: text/disconnect-notice\nContent-Length: 10\n\ngoodbye..\n")
        with pytest.raises(SwitchGone, match="disconnected"):
            await asyncio.wait_for(future, 2)


async def test_an_end_inside_a_body_does_not_spin():
    async with connected(silent, timeout=30) as (connection, peer, _):
        future = connection.submit("api echo")
        await peer.command()
        peer.send("Content-Type: api/response\nContent-Length: 1000\n\nhalf of it")
        peer.writer.close()
        with pytest.raises(SwitchGone, match="inside a message"):
            await asyncio.wait_for(future, 2)
        await eventually(lambda: threads() == 0)


async def test_a_plain_end_is_noticed_without_any_command():
    async with connected(silent) as (connection, peer, _):
        peer.writer.close()
        assert await asyncio.wait_for(connection.wait_closed(), 2) == "closed by the switch"


async def test_a_refused_connection_is_one_of_our_errors():
    async with serving(silent) as server:
        port = server.port
    connection = Connection("127.0.0.1", port, PASSWORD, on_event=print, timeout=2)
    with pytest.raises(SwitchGone, match="connection failed"):
        await connection.connect()
    assert connection.closed


async def test_an_unknown_host_is_one_of_our_errors():
    connection = Connection("no-such-host.invalid", 8021, PASSWORD, on_event=print, timeout=3)
    with pytest.raises(SwitchGone):
        await connection.connect()


async def test_a_wrong_password_leaves_nothing_behind():
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


async def test_a_connection_is_used_once_and_a_new_one_works():
    async with connected(obliging) as (connection, peer, _):
        peer.writer.close()
        await asyncio.wait_for(connection.wait_closed(), 2)
        with pytest.raises(SwitchGone, match="used once"):
            await asyncio.wait_for(connection.connect(), 2)
    async with connected(obliging) as (connection, _, _):
        assert await connection.api("status") == "status"
