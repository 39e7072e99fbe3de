"""The whole product with live calls in a thread of its own, and a wire between the switch process and the simulated
FreeSWITCH that notes when what passed. For measuring: every time is a Unix time in milliseconds, as the browser's."""

import asyncio
import contextlib
import re
import threading
import time
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any

from calls.demo.ports import free_port
from tests.stack import LOCAL, Stack


class Wire:
    """A relay in front of an Event Socket."""

    def __init__(self) -> None:
        self.port = 0
        self.to = 0
        """The port behind it; may be set later than start()."""
        self.passed: list[tuple[float, str, bytes]] = []  # when, "order" or "event", what
        self._server: asyncio.Server

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._connected, LOCAL, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def times(self, kind: str, pattern: bytes) -> dict[str, float]:
        """What the pattern's group has matched, and when that passed first."""
        found: dict[str, float] = {}
        for at, of, data in self.passed:
            if of == kind:
                for match in re.finditer(pattern, data):
                    found.setdefault(match[1].decode(), at)
        return found

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far, far_writer = await asyncio.open_connection(LOCAL, self.to)
        await asyncio.gather(self._pass(reader, far_writer, "order"), self._pass(far, writer, "event"))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kind: str) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(1 << 20):
                writer.write(data)
                self.passed.append((time.time() * 1000, kind, data))
        with contextlib.suppress(OSError):
            writer.close()


class Rig:
    """Use as a context manager; `do()` runs a coroutine of the stack's loop and gives its result."""

    def __init__(self) -> None:
        self.wire = Wire()
        self.stack: Stack
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> "Rig":
        self._thread.start()
        try:
            self.do(self._start())
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.do(self.stack.__aexit__())
        finally:
            self._end()

    def begin(self, work: Coroutine[Any, Any, Any]) -> "Future[Any]":
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.begin(work).result(240)

    async def _start(self) -> None:
        await self.wire.start()
        self.stack = Stack(FREESWITCH_PORT=str(self.wire.port))
        self.stack.switch.port = self.wire.to = free_port()
        await self.stack.__aenter__()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
