"""One port for the switch: what it brings to /listen/ goes to our ears, everything else to the product's web server.

Between switch and product so that a single audio socket can be lost, as a network loses it.
"""

import asyncio
import contextlib
import hashlib

LISTEN = "/listen/"
HEAD_LIMIT = 8192
LOCAL = "127.0.0.1"


class Relay:
    """Listens on `host`:`port` (0: any free one)."""

    def __init__(self, host: str, port: int):
        self.host, self.port = host, port
        self.web = self.ears = 0  # ports on this machine
        self._server: asyncio.Server | None = None
        self._pipes: dict[str, list[asyncio.StreamWriter]] = {}
        self._tasks: set[asyncio.Task] = set()

    async def start(self) -> None:
        """Raises OSError when the port is taken."""
        self._server = await asyncio.start_server(self._accepted, self.host, self.port, limit=HEAD_LIMIT)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self, token_hash: str) -> bool:
        """Lose the audio socket with this token, on both sides; whether there was one."""
        pipes = self._pipes.pop(token_hash, [])
        for pipe in pipes:
            pipe.transport.abort()
        return bool(pipes)

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._carry(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        key = ""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            path = head.split(b" ", 2)[1].decode("ascii", "replace")
            there = await asyncio.open_connection(LOCAL, self.ears if path.startswith(LISTEN) else self.web)
            key = hashlib.sha256(path.rpartition("/")[2].encode()).hexdigest()
            self._pipes[key] = [writer, there[1]]
            there[1].write(head)
            async with asyncio.TaskGroup() as group:
                group.create_task(_pump(reader, there[1]))
                group.create_task(_pump(there[0], writer))
        # RuntimeError: uvloop's word for writing to a socket that was aborted meanwhile.
        except* (OSError, RuntimeError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, IndexError):
            pass
        finally:
            for pipe in self._pipes.pop(key, [writer]):
                pipe.transport.abort() if pipe.is_closing() else pipe.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    finally:
        with contextlib.suppress(OSError):
            writer.close()
