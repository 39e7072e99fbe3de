"""A small Event Socket client for the demo's callers and for looking at a simulated switch. The product has its own."""

import asyncio
from collections import deque
from collections.abc import Callable
from urllib.parse import unquote

Headers = dict[str, str]


class EslError(RuntimeError):
    """The switch refused the password or a command, or went away."""


class EventSocket:
    """One connection: `api` commands in order, and events to whoever waits for one."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self._reader, self._writer = reader, writer
        self._replies: deque[asyncio.Future[tuple[Headers, str]]] = deque()
        self._waiting: list[tuple[Callable[[Headers], bool], asyncio.Future[Headers]]] = []
        self._task: asyncio.Task | None = None
        self.watchers: list[Callable[[Headers, str], None]] = []
        """Called with every event: its headers, and its body ("" without one)."""

    @classmethod
    async def connect(cls, host: str, port: int, password: str, *events: str) -> "EventSocket":
        """Connect, log in, subscribe. Raises EslError; OSError when nobody listens."""
        socket = cls(*await asyncio.open_connection(host, port))
        try:
            await socket._block()  # auth/request
            socket._task = asyncio.create_task(socket._read())
            await socket._command(f"auth {password}")
            if events:
                await socket._command("event plain " + " ".join(events))
        except BaseException:
            await socket.close()
            raise
        return socket

    async def api(self, command: str) -> str:
        """The answer's text, without the last newline. Raises EslError when it is "-ERR …" or "-USAGE …"."""
        _, body = await self._ask(f"api {command}")
        if body.startswith(("-ERR", "-USAGE")):
            raise EslError(f"{command.split()[0]}: {body.strip()}")
        return body.rstrip("\n")

    def expect(self, matches: Callable[[Headers], bool]) -> asyncio.Future[Headers]:
        """The next event that matches, from now on."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((matches, future))
        return future

    async def close(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._writer.close()

    async def _command(self, line: str) -> None:
        headers, _ = await self._ask(line)
        if not headers.get("Reply-Text", "").startswith("+OK"):
            raise EslError(f"{line.split()[0]}: {headers.get('Reply-Text', 'no reply')}")

    async def _ask(self, line: str) -> tuple[Headers, str]:
        if self._task is None or self._task.done():
            raise EslError("the connection to the switch is closed")
        future = asyncio.get_running_loop().create_future()
        self._replies.append(future)
        self._writer.write(f"{line}\n\n".encode())
        return await future

    async def _block(self) -> tuple[Headers, str]:
        headers: Headers = {}
        while (line := (await self._reader.readuntil(b"\n")).decode(errors="replace").rstrip("\n")) or not headers:
            name, _, value = line.partition(": ")
            headers.setdefault(name, value)
        size = int(headers.get("Content-Length", 0))
        return headers, (await self._reader.readexactly(size)).decode(errors="replace")

    async def _read(self) -> None:
        try:
            while True:
                headers, body = await self._block()
                kind = headers.get("Content-Type")
                if kind == "text/event-plain":
                    self._event(body)
                elif kind in ("command/reply", "api/response"):
                    reply = self._replies.popleft()
                    if not reply.done():
                        reply.set_result((headers, body))
                elif kind == "text/disconnect-notice":
                    break
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            for future in [*self._replies, *(future for _, future in self._waiting)]:
                if not future.done():
                    future.set_exception(EslError("the switch closed the connection"))

    def _event(self, text: str) -> None:
        head, _, body = text.partition("\n\n")
        headers = {name: unquote(value) for name, _, value in (line.partition(": ") for line in head.splitlines())}
        for watcher in self.watchers:
            watcher(headers, body)
        for entry in list(self._waiting):
            matches, future = entry
            if future.done():
                self._waiting.remove(entry)
            elif matches(headers):
                self._waiting.remove(entry)
                future.set_result(headers)
