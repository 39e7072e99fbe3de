"""The wire in the adversary's hands: what a client of the Event Socket gets through it."""

import asyncio
import random
from contextlib import asynccontextmanager

import pytest

from tests.chaos.proxies import AudioProxy, EventSocketProxy, Proxy
from tests.switch.esl_server import eventually, obliging, serving


def event(number):
    body = f"Event-Name: HEARTBEAT\nNumber: {number}\n\n".encode()
    return b"Content-Length: %d\nContent-Type: text/event-plain\n\n%s" % (len(body), body)


@asynccontextmanager
async def through(proxy_of, script):
    async with serving(script) as server:
        proxy = proxy_of(lambda: server.port)
        await proxy.start()
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        try:
            yield proxy, server, reader, writer
        finally:
            writer.close()
            await proxy.stop()


def esl(target):
    return EventSocketProxy(target, random.Random(1))


async def logged_in(reader, writer):
    await reader.readuntil(b"\n\n")
    writer.write(b"auth ClueCon\n\n")
    await reader.readuntil(b"\n\n")


async def events(reader, count):
    async with asyncio.timeout(5):
        return [(await reader.readuntil(b"\n\n"), await reader.readuntil(b"\n\n"))[1] for _ in range(count)]


async def test_what_is_not_struck_passes_as_it_is():
    async with through(esl, obliging) as (_, server, reader, writer):
        await logged_in(reader, writer)
        server.peers[0].send(event(1) + event(2))
        assert [b"Number: %d\n" % n in got for n, got in enumerate(await events(reader, 2), 1)] == [True, True]
        writer.write(b"api status\n\n")
        assert b"api/response" in await reader.readuntil(b"\n\n")


async def test_events_come_twice_or_in_another_order():
    async with through(esl, obliging) as (proxy, server, reader, writer):
        await logged_in(reader, writer)
        doubling = asyncio.create_task(proxy.doubled(0.2))
        await asyncio.sleep(0)
        server.peers[0].send(event(1))
        assert [b"Number: 1\n" in got for got in await events(reader, 2)] == [True, True]
        await doubling
        mixing = asyncio.create_task(proxy.out_of_order(0.2))
        await asyncio.sleep(0)
        server.peers[0].send(b"".join(event(n) for n in range(20)))
        got = await events(reader, 20)
        assert got != sorted(got, key=lambda each: int(each.partition(b"Number: ")[2])) and len(set(got)) == 20
        await mixing


async def test_a_slow_line_keeps_the_order():
    async with through(esl, obliging) as (proxy, server, reader, writer):
        await logged_in(reader, writer)
        proxy.delay = 0.1
        began = asyncio.get_running_loop().time()
        server.peers[0].send(b"".join(event(n) for n in range(20)))
        got = await events(reader, 20)
        assert [int(each.partition(b"Number: ")[2]) for each in got] == list(range(20))
        assert asyncio.get_running_loop().time() - began > 0.09


async def test_a_cut_line_ends_and_a_refused_one_never_begins():
    async with through(esl, obliging) as (proxy, _, reader, writer):
        await logged_in(reader, writer)
        proxy.cut()
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readuntil(b"\n\n")
        refusing = asyncio.create_task(proxy.refuse(0.3))
        await asyncio.sleep(0)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            again, _ = await asyncio.open_connection("127.0.0.1", proxy.port)
            await again.readuntil(b"\n\n")
        await refusing


async def test_a_half_open_line_says_nothing_until_it_is_cut():
    async with through(esl, obliging) as (proxy, server, reader, writer):
        await logged_in(reader, writer)
        freezing = asyncio.create_task(proxy.freeze(0.3))
        await asyncio.sleep(0)
        server.peers[0].send(event(1))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.15):
                await reader.readexactly(1)
        await freezing
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)


async def test_a_silent_audio_line_lets_nothing_of_the_switch_through():
    got = []

    async def listening(peer):
        while data := await peer.reader.read(100):
            got.append(data)

    async with through(AudioProxy, listening) as (proxy, server, _, writer):
        writer.write(b"heard")
        await eventually(lambda: got)
        silencing = asyncio.create_task(proxy.silence(0.2))
        await asyncio.sleep(0)
        writer.write(b"unheard")
        await silencing
        assert got == [b"heard"]


async def test_who_connects_while_nobody_listens_behind_it_is_turned_away():
    proxy = Proxy(lambda: 1)
    await proxy.start()
    reader, _ = await asyncio.open_connection("127.0.0.1", proxy.port)
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await reader.readexactly(1)
    await proxy.stop()
