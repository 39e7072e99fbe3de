"""A small asyncio client of the Event Socket for the tests, written apart from both sides it checks."""

import asyncio
import contextlib
from dataclasses import dataclass, field
from urllib.parse import unquote


@dataclass
class Block:
    """One message of the wire: its outer headers, and for an event the inner ones and the body."""

    headers: dict[str, str]
    body: str = ""
    event: dict[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        return self.headers["Content-Type"]

    @property
    def is_event(self) -> bool:
        return self.kind == "text/event-plain"

    @classmethod
    def parse(cls, text: str) -> "Block":
        head, _, body = text.partition("\n\n")
        block = cls(_headers(head), body)
        if block.is_event:
            inner, _, block.body = body.partition("\n\n")
            block.event = {name: unquote(value) for name, value in _headers(inner).items()}
        return block


def _headers(text: str) -> dict[str, str]:
    lines = [line.partition(": ") for line in text.split("\n") if line]
    return {name: value for name, _, value in reversed(lines)}  # the first of two with one name wins


class EventSocket:
    """Collects events in `events` and hands replies out in order."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self._reader, self._writer = reader, writer
        self.events: list[Block] = []
        self._replies: asyncio.Queue[Block] = asyncio.Queue()
        self._news = asyncio.Event()
        self._task = asyncio.create_task(self._read())

    @classmethod
    async def connect(cls, port: int, password: str | None = "ClueCon", *events: str) -> "EventSocket":
        """With a password logs in, and subscribes to `events` when there are any."""
        client = cls(*await asyncio.open_connection("127.0.0.1", port))
        assert (await client.reply()).kind == "auth/request"
        if password is not None:
            await client.send(f"auth {password}")
        if events:
            await client.send("event plain " + " ".join(events))
        return client

    async def send(self, command: str, *headers: str, timeout: float = 10) -> Block:
        """Sends one command and returns its reply."""
        self.write("".join(f"{line}\n" for line in (command, *headers)) + "\n")
        return await self.reply(timeout)

    async def api(self, command: str) -> str:
        return (await self.send(f"api {command}")).body

    def write(self, text: str) -> None:
        self._writer.write(text.encode())

    async def reply(self, timeout: float = 10) -> Block:
        return await asyncio.wait_for(self._replies.get(), timeout)

    async def until(self, condition, timeout: float = 10):
        """Waits until `condition(events)` is true and returns what it returned."""
        async with asyncio.timeout(timeout):
            while not (result := condition(self.events)):
                self._news.clear()
                await self._news.wait()
        return result

    async def event(self, timeout: float = 10, **wanted: str) -> Block:
        """The first event with these headers; `_` in a name stands for `-`."""

        def find(events: list[Block]) -> Block | None:
            return next((block for block in events if self._matches(block, wanted)), None)

        return await self.until(find, timeout)

    def seen(self, **wanted: str) -> list[Block]:
        return [block for block in self.events if self._matches(block, wanted)]

    @staticmethod
    def _matches(block: Block, wanted: dict[str, str]) -> bool:
        return all(block.event.get(name.replace("_", "-")) == value for name, value in wanted.items())

    async def close(self) -> None:
        self._task.cancel()
        self._writer.close()
        with contextlib.suppress(asyncio.CancelledError, ConnectionError):
            await self._task

    @property
    def closed(self) -> bool:
        return self._task.done()

    async def _read(self) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await self._reader.readuntil(b"\n\n")).decode()
                length = int(_headers(head).get("Content-Length", "0"))
                body = (await self._reader.readexactly(length)).decode()
                block = Block.parse(head.rstrip("\n") + "\n\n" + body)
                if block.is_event:
                    self.events.append(block)
                else:
                    self._replies.put_nowait(block)
                self._news.set()
