"""A WebSocket to the Realtime API, by either of two clients.

Each message goes from the socket to its hearer, and from the sender to the socket, at once: a task, a queue and a lock
for every 20 ms would cost more than all the rest of a call.
"""

import asyncio
import contextlib
import os
import struct
from collections.abc import Callable
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI
from websockets.frames import apply_mask
from websockets.protocol import State

from calls.voice.frames import TEXT, FrameCutter

PING_SECONDS = 5
"""A peer that vanished is noticed within twice this."""
MAX_MESSAGE = 16 * 1024 * 1024
MAX_HEAD = 64 * 1024
LOOK_AGAIN_SECONDS = 0.02

Hear = Callable[[bytes], None]


class NotOpened(Exception):
    """`reason`: refused_401, unreachable."""

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


class Socket:
    """open() once; then every text message goes to `hear`, and `closed` becomes the close code when it is over."""

    def __init__(self, hear: Hear) -> None:
        self._hear = hear
        self.closed: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def open(self, url: str, headers: dict[str, str], *, direct: bool) -> None:
        """`direct`: by no proxy. Raises NotOpened."""
        raise NotImplementedError

    def offer(self, message: bytes) -> bool:
        """Send a text message now. False: the peer is slow, or gone."""
        raise NotImplementedError

    async def drained(self) -> None:
        """A little later: it may take messages again, or be closed."""
        await asyncio.wait({self.closed}, timeout=LOOK_AGAIN_SECONDS)

    async def close(self) -> None:
        """Also of one that was never opened."""
        raise NotImplementedError

    def _is_closed(self, code: int | None) -> None:
        if not self.closed.done():
            self.closed.set_result(code or 1006)


class _Connection(ClientConnection):
    """Hands whole text messages over where they come in, without parser and the queue behind recv()."""

    def __init__(self, hear: Hear, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._hear = hear
        self._head = b""  # of the answer to our request, until it is whole
        self._cutter = FrameCutter(TEXT, self._heard, super().data_received, masked=False)

    def data_received(self, data: bytes) -> None:
        if self.protocol.state is not State.CONNECTING:
            self._cutter.feed(data)
            return
        self._head += data
        head, end, frames = self._head.partition(b"\r\n\r\n")
        if end and head.startswith(b"HTTP/1.1 101 "):
            super().data_received(head + end)
            if frames:
                self._cutter.feed(frames)
        elif end or len(self._head) > MAX_HEAD:  # a refusal, whose body belongs to it
            super().data_received(self._head)
            self._head = b""

    def _heard(self, message: bytes) -> None:
        if self.protocol.state is State.OPEN:
            self._hear(message)


class _Masks:
    """Four bytes that nobody can foretell, for each frame (RFC 6455, 5.3); from the system, a thousand at a time."""

    def __init__(self) -> None:
        self._bytes, self._at = b"", 0

    def next(self) -> bytes:
        if self._at >= len(self._bytes):
            self._bytes, self._at = os.urandom(4096), 0
        self._at += 4
        return self._bytes[self._at - 4 : self._at]


def _text(message: bytes, mask: bytes) -> bytes:
    """A whole text message as one frame of a client."""
    size = len(message)
    if size < 126:
        head = struct.pack("!BB", 0x81, 0x80 | size)
    elif size < 65_536:
        head = struct.pack("!BBH", 0x81, 0xFE, size)
    else:
        head = struct.pack("!BBQ", 0x81, 0xFF, size)
    return head + mask + apply_mask(message, mask)


class WebsocketsSocket(Socket):
    """By `websockets`, in Python, but for what is sent: its own way there (a lock, the state machine, a system call for
    each mask) costs as much as the rest of a frame."""

    _masks = _Masks()
    _connection: _Connection | None = None
    _reading: asyncio.Task[None] | None = None

    async def open(self, url: str, headers: dict[str, str], *, direct: bool) -> None:
        try:
            self._connection = await connect(
                url,
                additional_headers=headers,
                compression=None,  # base64 of speech hardly shrinks, and costs CPU at every frame
                proxy=None if direct else True,
                max_size=MAX_MESSAGE,
                ping_interval=PING_SECONDS,
                ping_timeout=PING_SECONDS,
                open_timeout=None,
                close_timeout=1,
                create_connection=lambda *arguments, **named: _Connection(self._hear, *arguments, **named),
            )
        except InvalidStatus as error:
            raise NotOpened(f"refused_{error.response.status_code}") from error
        except (OSError, InvalidHandshake, InvalidURI) as error:
            raise NotOpened("unreachable") from error
        self._reading = asyncio.create_task(self._read(self._connection))

    async def _read(self, connection: _Connection) -> None:
        """Messages in several frames, and the end."""
        with contextlib.suppress(ConnectionClosed):
            while True:
                self._hear(await connection.recv(decode=False))
        self._is_closed(connection.close_code)

    def offer(self, message: bytes) -> bool:
        connection = self._connection
        if connection is None or connection.protocol.state is not State.OPEN or connection.paused:
            return False
        connection.transport.write(_text(message, self._masks.next()))
        return True

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()
        if self._reading is not None:
            await self._reading


def socket_class(client: str) -> type[Socket]:
    """`client`: "websockets" or "picows"."""
    if client == "picows":
        from calls.voice.picows_socket import PicowsSocket

        return PicowsSocket
    return WebsocketsSocket
