"""One Realtime session's socket. Thin: what is said over it is protocol.py's, what it means is dialogue.py's.

A link is up only after `session.created`: the API refuses some clients after a successful handshake (an `error` event,
then close 4000), and never with the header OpenAI-Beta, which is not sent. There is no reconnecting: a new session has
forgotten the conversation, and a telephone call does not wait.
"""

import asyncio
import ipaddress
from collections.abc import AsyncIterator
from urllib.parse import urlencode, urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from calls.voice.protocol import Reader, Refused, ServerEvent, SessionCreated

OPEN_SECONDS = 5
PING_SECONDS = 5
"""A peer that vanished is noticed within twice this."""
MAX_MESSAGE = 16 * 1024 * 1024


class RealtimeLost(Exception):
    """The session cannot begin or has ended. `reason` is for logs: refused_401, unreachable, timeout, closed_1001,
    session_expired …; it never holds a text of the API, which may quote what was said."""

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


class RealtimeLink:
    """connect(), then send() and events() until close()."""

    def __init__(self, url: str, key: str, model: str):
        self._url = f"{url}{'&' if urlsplit(url).query else '?'}{urlencode({'model': model})}"
        self._key = key
        self._socket: ClientConnection | None = None
        self.reader = Reader()

    async def connect(self) -> None:
        """Returns when the session exists. Raises RealtimeLost."""
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                self._socket = await connect(
                    self._url,
                    additional_headers={"Authorization": f"Bearer {self._key}"} if self._key else {},
                    compression=None,  # base64 of speech hardly shrinks, and costs CPU at every frame
                    proxy=None if _is_loopback(self._url) else True,
                    max_size=MAX_MESSAGE,
                    ping_interval=PING_SECONDS,
                    ping_timeout=PING_SECONDS,
                    open_timeout=None,
                    close_timeout=1,
                )
                await self._created(self._socket)
        except InvalidStatus as error:
            raise RealtimeLost(f"refused_{error.response.status_code}") from error
        except TimeoutError as error:
            await self.close()
            raise RealtimeLost("timeout") from error
        except (OSError, InvalidHandshake, InvalidURI) as error:
            raise RealtimeLost("unreachable") from error
        except BaseException:
            await self.close()
            raise

    async def _created(self, socket: ClientConnection) -> None:
        try:
            while True:
                event = self.reader.read(await socket.recv())
                if isinstance(event, SessionCreated):
                    return
                if isinstance(event, Refused):
                    raise RealtimeLost(f"refused_{event.code}")
        except ConnectionClosed as error:
            raise RealtimeLost(f"closed_{socket.close_code}") from error

    async def send(self, message: bytes) -> None:
        """One client event, as a text message. Raises RealtimeLost."""
        assert self._socket is not None
        try:
            await self._socket.send(message, text=True)
        except ConnectionClosed as error:
            raise RealtimeLost(f"closed_{self._socket.close_code}") from error

    async def events(self) -> AsyncIterator[ServerEvent | None]:
        """Every message of the server; None for those that only show that it lives. Ends by raising RealtimeLost."""
        assert self._socket is not None
        try:
            # A close with 1001 (the session's 60 minutes are over) would end `async for` in silence.
            while True:
                event = self.reader.read(await self._socket.recv())
                if isinstance(event, Refused) and event.code == "session_expired":
                    raise RealtimeLost(event.code)
                yield event
        except ConnectionClosed as error:
            raise RealtimeLost(f"closed_{self._socket.close_code}") from error

    async def close(self) -> None:
        if self._socket is not None:
            await self._socket.close()


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
