"""The network between us and FreeSWITCH at its worst: a relay that delays, doubles, swaps and spoils what passes."""

import asyncio
import random
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

EVENT = b"text/event-plain"


@dataclass
class BadWire:
    """Listens at `port` for one client at a time and relays to `target`. Its fields may be changed while it runs."""

    target: int
    doubled: bool = False
    late: float = 0.0
    """Seconds; each event is late by as much at most, so that those of one moment swap their places."""
    dead: bool = False
    """Nothing passes, and nobody is told."""
    dice: random.Random = field(default_factory=lambda: random.Random(1))
    port: int = 0
    connections: int = 0
    _to_us: set[asyncio.StreamWriter] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def say(self, garbage: bytes) -> None:
        """What FreeSWITCH never said."""
        for writer in self._to_us:
            writer.write(garbage)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        upstream, down = await asyncio.open_connection("127.0.0.1", self.target, limit=1 << 24)
        self._to_us.add(writer)
        try:
            await asyncio.wait(
                [
                    asyncio.create_task(self._commands(reader, down)),
                    asyncio.create_task(self._blocks(upstream, writer)),
                ],
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            self._to_us.discard(writer)
            writer.close()
            down.close()

    async def _commands(self, reader: asyncio.StreamReader, down: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if not self.dead:
                down.write(data)

    async def _blocks(self, upstream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await upstream.readuntil(b"\n\n")
                length = next((int(x[16:]) for x in head.split(b"\n") if x.startswith(b"Content-Length: ")), 0)
                block = head + await upstream.readexactly(length)
                if self.dead:
                    continue
                if EVENT not in head:
                    writer.write(block)
                    continue
                for _ in range(2 if self.doubled else 1):
                    later = asyncio.create_task(self._later(writer, block))
                    self._tasks.add(later)
                    later.add_done_callback(self._tasks.discard)

    async def _later(self, writer: asyncio.StreamWriter, block: bytes) -> None:
        if self.late:
            await asyncio.sleep(self.dice.uniform(0, self.late))
        if not writer.is_closing():
            writer.write(block)


@asynccontextmanager
async def bad_wire(target: int, **faults):
    wire = BadWire(target, **faults)
    server = await asyncio.start_server(wire._accept, "127.0.0.1", 0, limit=1 << 24)
    wire.port = server.sockets[0].getsockname()[1]
    try:
        yield wire
    finally:
        server.close()
