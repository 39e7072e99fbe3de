"""The wire between the product and FreeSWITCH, held by an adversary: Event Socket and audio sockets pass through here.

The simulator knows nothing of it; it sees what a switch sees of a bad network. Blocks of the Event Socket are told
apart, so that events can be late, doubled or out of order while replies stay what they are.
"""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable

HOST = "127.0.0.1"
GARBAGE = b"\x00\xff\xfe{]garbage\r\nContent-Length: many\n\n\x80\x81\n\nContent-Type\n\n"


class Pair:
    """One connection through the proxy: `product` connected to us, we connected to the `switch` (or the other way)."""

    def __init__(self, near: asyncio.StreamWriter, far: asyncio.StreamWriter) -> None:
        self.near, self.far = near, far
        self.flowing = asyncio.Event()
        self.flowing.set()

    def cut(self) -> None:
        for writer in (self.near, self.far):
            writer.transport.abort()


class Proxy:
    """Passes bytes both ways. `target` is asked for at every connection: the port may not be known before."""

    def __init__(self, target: Callable[[], int]) -> None:
        self.port = 0
        self.refusing = False
        self.pairs: set[Pair] = set()
        self._target = target
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, HOST, self.port, limit=1 << 24)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server:
            self._server.close()
        self.cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Every connection is aborted, as by a network failure."""
        for pair in list(self.pairs):
            pair.cut()

    async def refuse(self, seconds: float) -> None:
        self.refusing = True
        self.cut()
        try:
            await asyncio.sleep(seconds)
        finally:
            self.refusing = False

    async def freeze(self, seconds: float) -> None:
        """Connections that exist stay open and carry nothing more, either way; in the end they are cut."""
        pairs = list(self.pairs)
        for pair in pairs:
            pair.flowing.clear()
        await asyncio.sleep(seconds)
        for pair in pairs:
            pair.cut()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(HOST, self._target(), limit=1 << 24)
        except OSError:
            writer.transport.abort()
            return
        pair = Pair(writer, far_writer)
        self.pairs.add(pair)
        there = self._spawn(self._there(reader, pair))
        back = self._spawn(self._back(far_reader, pair))
        try:
            await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({there, back}, timeout=0.2)  # what was sent before the end still arrives
        finally:
            self.pairs.discard(pair)
            there.cancel()
            back.cancel()
            for end in (writer, far_writer):
                end.close()

    def _spawn(self, work: Awaitable[None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _there(self, reader: asyncio.StreamReader, pair: Pair) -> None:
        await self._pass_on(reader, pair.far, pair)

    async def _back(self, reader: asyncio.StreamReader, pair: Pair) -> None:
        await self._pass_on(reader, pair.near, pair)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pair: Pair) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await pair.flowing.wait()
                writer.write(data)
                await writer.drain()


class AudioProxy(Proxy):
    """FreeSWITCH's audio sockets to a web process."""

    def __init__(self, target: Callable[[], int]) -> None:
        super().__init__(target)
        self._silent = 0

    async def silence(self, seconds: float) -> None:
        """The agents' voices do not arrive; the sockets stay open, and what we say still reaches them."""
        self._silent += 1
        try:
            await asyncio.sleep(seconds)
        finally:
            self._silent -= 1
            self.cut()  # in the middle of a frame: what follows would make no sense

    async def _there(self, reader: asyncio.StreamReader, pair: Pair) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if not self._silent:
                    pair.far.write(data)
                    await pair.far.drain()


class EventSocketProxy(Proxy):
    """Event Socket. `chance` decides which events are touched."""

    def __init__(self, target: Callable[[], int], chance: random.Random) -> None:
        super().__init__(target)
        self._chance = chance
        self.delay = 0.0
        """Seconds that every block from the switch is late; the order stays."""
        self._touch: list[Callable[[bytes, asyncio.StreamWriter], bool]] = []

    async def slow(self, seconds: float) -> None:
        """Every reply and event up to 3 s late."""
        self.delay = self._chance.uniform(0.5, 3)
        try:
            await asyncio.sleep(seconds)
        finally:
            self.delay = 0.0

    def garbage(self) -> None:
        for pair in list(self.pairs):
            pair.near.write(GARBAGE)

    async def late(self, seconds: float) -> None:
        """Every second event comes up to 3 s after the others."""
        await self._touching(lambda block, out: self._chance.random() < 0.5 and self._later(block, out, 3.0), seconds)

    async def out_of_order(self, seconds: float) -> None:
        """Every event a little late, each by another time."""
        await self._touching(lambda block, out: self._later(block, out, 0.3), seconds)

    async def doubled(self, seconds: float) -> None:
        """Every event comes a second time, up to 2 s later."""

        def twice(block: bytes, out: asyncio.StreamWriter) -> bool:
            self._later(block, out, 2.0)
            return False

        await self._touching(twice, seconds)

    async def _touching(self, touch: Callable[[bytes, asyncio.StreamWriter], bool], seconds: float) -> None:
        self._touch.append(touch)
        try:
            await asyncio.sleep(seconds)
        finally:
            self._touch.remove(touch)

    def _later(self, block: bytes, out: asyncio.StreamWriter, longest: float) -> bool:
        def send() -> None:
            if not out.transport.is_closing():
                out.write(block)

        asyncio.get_running_loop().call_later(self._chance.uniform(0, longest), send)
        return True

    async def _back(self, reader: asyncio.StreamReader, pair: Pair) -> None:
        loop, last = asyncio.get_running_loop(), 0.0

        def send(block: bytes) -> None:
            if pair.flowing.is_set() and not pair.near.transport.is_closing():
                pair.near.write(block)

        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                block = await self._block(reader)
                is_event = b"text/event-plain" in block[:200]
                if is_event and any(touch(block, pair.near) for touch in self._touch):
                    continue
                # Strictly growing times: equal ones would come in any order.
                last = max(last + 1e-6, loop.time() + self.delay)
                loop.call_at(last, send, block)

    @staticmethod
    async def _block(reader: asyncio.StreamReader) -> bytes:
        head = await reader.readuntil(b"\n\n")
        size = 0
        for line in head.splitlines():
            if line.startswith(b"Content-Length:"):
                size = int(line.partition(b":")[2])
        return head + (await reader.readexactly(size) if size else b"")
