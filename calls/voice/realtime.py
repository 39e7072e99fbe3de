"""One Realtime session. Thin: what is said over it is protocol.py's, what it means is dialogue.py's, and how bytes
travel is sockets.py's.

A link is up only after `session.created`: the API refuses some clients after a successful handshake (an `error` event,
then close 4000), and never with the header OpenAI-Beta, which is not sent. There is no reconnecting: a new session has
forgotten the conversation, and a telephone call does not wait.
"""

import asyncio
import ipaddress
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings

from calls.tasks import cancelled
from calls.voice.protocol import Reader, Refused, ServerEvent, SessionCreated
from calls.voice.sockets import NotOpened, socket_class

OPEN_SECONDS = 5

Handle = Callable[[ServerEvent | None], Any]


class RealtimeLost(Exception):
    """The session cannot begin or has ended. `reason` is for logs: refused_401, unreachable, timeout, closed_1001,
    session_expired …; it never holds a text of the API, which may quote what was said."""

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


class RealtimeLink:
    """connect(), then send() or offer(), and listen() or events(), until close(). In a running event loop."""

    def __init__(self, url: str, key: str, model: str, client: str = ""):
        self._url = f"{url}{'&' if urlsplit(url).query else '?'}{urlencode({'model': model})}"
        self._key = key
        self._socket = socket_class(client or settings.OPENAI_REALTIME_CLIENT)(self._hear)
        self._kept: deque[ServerEvent | None] = deque()  # until somebody listens
        self._handle: Handle = self._kept.append
        self.reader = Reader()

    async def connect(self) -> None:
        """Returns when the session exists. Raises RealtimeLost."""
        created = asyncio.get_running_loop().create_future()

        def opening(event: ServerEvent | None) -> None:
            if isinstance(event, SessionCreated):
                self._handle = self._kept.append
                created.set_result(None)
            elif isinstance(event, Refused) and not created.done():
                created.set_exception(RealtimeLost(f"refused_{event.code}"))

        self._handle = opening
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                await self._socket.open(self._url, headers, direct=_is_loopback(self._url))
                await self._unless_closed(created)
        except NotOpened as error:
            raise RealtimeLost(error.reason) from error
        except TimeoutError as error:
            await self.close()
            raise RealtimeLost("timeout") from error
        except BaseException:
            await self.close()
            raise

    def offer(self, message: bytes) -> bool:
        """One client event, now. False: it cannot be sent at the moment."""
        return self._socket.offer(message)

    async def send(self, message: bytes) -> None:
        """One client event, as soon as it can be sent. Raises RealtimeLost."""
        while not self._socket.offer(message):
            if self._socket.closed.done():
                raise RealtimeLost(f"closed_{self._socket.closed.result()}")
            await self._socket.drained()

    async def listen(self, handle: Handle) -> None:
        """Every message of the server goes to `handle` where it arrives (in no task); None for those that only show
        that it lives. Ends by raising RealtimeLost, or what `handle` raised."""
        loop = asyncio.get_running_loop()
        failed = loop.create_future()

        def guarded(event: ServerEvent | None) -> None:
            if failed.done():
                return
            try:
                if isinstance(event, Refused) and event.code == "session_expired":
                    raise RealtimeLost(event.code)
                handle(event)
            except Exception as error:
                failed.set_exception(error)

        def begin() -> None:
            while self._kept:
                guarded(self._kept.popleft())
            self._handle = guarded

        loop.call_soon(begin)
        try:
            await self._unless_closed(failed)
        finally:
            self._handle = _unheard
            failed.cancel()

    async def events(self) -> AsyncIterator[ServerEvent | None]:
        """As listen(), for whoever is in no hurry. A close with 1001 (the session's 60 minutes are over) raises too."""
        queue: asyncio.Queue[ServerEvent | None] = asyncio.Queue()
        listening = asyncio.create_task(self.listen(queue.put_nowait))
        try:
            while True:
                waiting = asyncio.create_task(queue.get())
                await asyncio.wait({waiting, listening}, return_when=asyncio.FIRST_COMPLETED)
                if not waiting.done():
                    waiting.cancel()
                    await listening
                yield waiting.result()
        finally:
            await cancelled(listening)

    async def close(self) -> None:
        await self._socket.close()

    def _hear(self, raw: bytes) -> None:
        self._handle(self.reader.read(raw))

    async def _unless_closed(self, future: asyncio.Future[None]) -> None:
        """Wait for it; raises what it raises, and RealtimeLost when the socket closes first."""
        await asyncio.wait({future, self._socket.closed}, return_when=asyncio.FIRST_COMPLETED)
        if not future.done():
            raise RealtimeLost(f"closed_{self._socket.closed.result()}")
        future.result()


def _unheard(event: ServerEvent | None) -> None:
    """Nobody listens any more."""


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
