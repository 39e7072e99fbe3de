"""A tiny Event Socket server over real TCP whose every misbehaviour a test can order."""

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from calls.switch.connection import Connection

PASSWORD = "ClueCon"


class Peer:
    """The server's side of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.commands: list[str] = []

    def send(self, data: str | bytes) -> None:
        self.writer.write(data.encode() if isinstance(data, str) else data)

    def reply(self, text: str = "+OK accepted") -> None:
        self.send(f"Content-Type: command/reply\nReply-Text: {text}\n\n")

    def answer(self, text: str | bytes) -> None:
        body = text.encode() if isinstance(text, str) else text
        self.send(b"Content-Type: api/response\nContent-Length: %d\n\n%s" % (len(body), body))

    def event(self, text: str | bytes) -> None:
        body = text.encode() if isinstance(text, str) else text
        self.send(b"Content-Length: %d\nContent-Type: text/event-plain\n\n%s" % (len(body), body))

    async def command(self) -> str:
        """The next command, without the empty line at its end."""
        data = await self.reader.readuntil(b"\n\n")
        self.commands.append(data.decode().removesuffix("\n\n"))
        return self.commands[-1]

    async def handshake(self, password: str = PASSWORD) -> None:
        self.send("Content-Type: auth/request\n\n")
        given = await self.command()
        self.reply("+OK accepted" if given == f"auth {password}" else "-ERR invalid")
        if given != f"auth {password}":
            self.send("Content-Type: text/disconnect-notice\nContent-Length: 4\n\nbye\n")
            self.writer.close()

    async def gone(self) -> bool:
        """True once the client has closed its side."""
        while await self.reader.read(65536):
            pass
        return True


class Server:
    def __init__(self) -> None:
        self.peers: list[Peer] = []
        self.port = 0


@asynccontextmanager
async def serving(script: Callable[[Peer], Awaitable[object]]):
    """Each connection plays `script(peer)`, then stays open until the client or the test closes it."""
    server = Server()

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(reader, writer)
        server.peers.append(peer)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await script(peer)

    listening = await asyncio.start_server(play, "127.0.0.1", 0, limit=1 << 26)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for peer in server.peers:
            peer.writer.close()


async def eventually(condition: Callable[[], object], seconds: float = 3.0) -> None:
    """Wait until `condition()` is true; fail after `seconds`."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event to wait on
            await asyncio.sleep(0.005)


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
