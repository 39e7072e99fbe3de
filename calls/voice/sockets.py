"""A WebSocket to the Realtime API, by either of two clients.

Each message goes from the socket to its hearer, and from the sender to the socket, at once: a task, a queue and a lock
for every 20 ms would cost more than all the rest of a call.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI
from websockets.frames import Frame, Opcode
from websockets.protocol import State

PING_SECONDS = 5
"""A peer that vanished is noticed within twice this."""
MAX_MESSAGE = 16 * 1024 * 1024
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
    """Hands whole text messages over where they are parsed, without the queue behind recv()."""

    def __init__(self, hear: Hear, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._hear = hear

    def process_event(self, event: Any) -> None:
        if isinstance(event, Frame) and event.opcode is Opcode.TEXT and event.fin:
            self._hear(event.data if type(event.data) is bytes else bytes(event.data))
        else:
            super().process_event(event)


class WebsocketsSocket(Socket):
    """By `websockets`, in Python. Sending uses its sans-I/O half, as its own send() does behind a lock."""

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
        try:
            connection.protocol.send_text(message)
            connection.send_data()
        except OSError:  # the end of it is noticed by its reader
            return False
        return True

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()
        if self._reading is not None:
            await self._reading


def socket_of(client: str, hear: Hear) -> Socket:
    """`client`: "websockets" or "picows"."""
    if client == "picows":
        from calls.voice.picows_socket import PicowsSocket

        return PicowsSocket(hear)
    return WebsocketsSocket(hear)
