"""An asyncio face for one Event Socket connection; greenswitch runs on a thread of its own behind it.

    asyncio loop                      |  thread "event-socket" (its own gevent hub, nothing monkey-patched)
    submit() -> deque, wake the hub  ->  writer greenlet -> HardenedESL.post -> socket
    future done                      <-  reply popped off the queue of waiting commands
    on_event(event)                  <-  receive greenlet

Commands go out in the order in which submit() was called, and replies come in that order. A Connection is used once:
when it has ended, make a new one, subscribe again, and look what happened meanwhile.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import Any

import gevent
from gevent.event import Event

from calls.switch.parsing import Block, SwitchEvent
from calls.switch.session import HardenedESL, SwitchGone, WrongPassword

__all__ = ["Connection", "NoReply", "SwitchGone", "WrongPassword"]


class NoReply(SwitchGone):
    """A command was sent and not answered in time. It may have been carried out."""


class Connection:
    """One connection. `on_event` is called in the loop that awaited connect(), in the order of arrival."""

    def __init__(
        self,
        host: str,
        port: int,
        password: str,
        *,
        on_event: Callable[[SwitchEvent], None],
        timeout: float = 5.0,
    ) -> None:
        self._address = (host, port)
        self._password = password
        self._on_event = on_event
        self._timeout = timeout
        self._lock = threading.Lock()
        # Bounded by time: a command not answered within `timeout` ends the connection, and all that waits with it.
        self._outgoing: deque[tuple[str, _Answer]] = deque()
        self._closed = True  # no command can be given
        self._live = False  # the hub runs and can be woken
        self._started = False
        self._reason = ""
        self._thread: threading.Thread | None = None

    # ------------------------------------------------------------ asyncio's side
    @property
    def closed(self) -> bool:
        """Not connected yet, or not any more."""
        return self._closed

    @property
    def reason(self) -> str:
        """Why it ended, in a few words for a log line; "" while it has not."""
        return self._reason

    async def connect(self) -> None:
        """Connect and log in. Raises SwitchGone (WrongPassword); nothing is left behind then."""
        if self._started:
            raise SwitchGone("a connection is used once")
        self._started = True
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        ready: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="event-socket", daemon=True)
        self._thread.start()
        try:
            await asyncio.wrap_future(ready)
        except BaseException:
            await self.close()
            raise

    async def subscribe(self, names: Iterable[str], subclasses: Iterable[str] = ()) -> None:
        """Ask for exactly these events. Raises SwitchGone when refused."""
        wanted = " ".join([*names, "CUSTOM", *subclasses])
        reply = await self._answered(f"event plain {_one_line(wanted)}")
        if not reply.startswith("+OK"):
            raise SwitchGone("event subscription refused")

    def api(self, command: str, timeout: float | None = None) -> "asyncio.Future[str]":
        """It is on its way; the future holds the reply's text, without the newline at its end, or NoReply.

        Raises SwitchGone, ValueError for a newline.
        """
        return self._answered(f"api {_one_line(command)}", timeout)

    def bgapi(self, command: str, job_uuid: str) -> "asyncio.Future[str]":
        """Start a slow command; its outcome is a BACKGROUND_JOB event with this Job-UUID."""
        return self._answered(f"bgapi {_one_line(command)}\nJob-UUID: {_one_line(job_uuid)}")

    def submit(self, text: str) -> "asyncio.Future[str]":
        """Hand a command over now, in the order of the calls; the future holds the reply's text."""
        reply: asyncio.Future[str] = self._loop.create_future()
        with self._lock:
            if self._closed:
                raise SwitchGone(self._reason or "not connected")
            self._outgoing.append((text, _Answer(self._loop, reply)))
            self._hub.loop.run_callback_threadsafe(self._wake.set)
        return reply

    async def wait_closed(self) -> str:
        """Until it has ended, however; returns the reason."""
        await self._ended.wait()
        return self._reason

    async def close(self) -> None:
        """End it and wait for its thread (at most 2 s)."""
        with self._lock:
            if self._live:
                self._hub.loop.run_callback_threadsafe(self._session.end, "closed by us")
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join, 2)

    def _answered(self, text: str, timeout: float | None = None) -> "asyncio.Future[str]":
        reply = self.submit(text)
        patience = self._loop.call_later(timeout or self._timeout, _give_up, reply)
        reply.add_done_callback(lambda done: patience.cancel())
        return reply

    # ------------------------------------------------------------ the thread's side
    def _run(self, ready: "Future[None]") -> None:
        self._hub = gevent.get_hub()
        self._wake, self._over = Event(), Event()
        self._session = HardenedESL(
            *self._address, self._password, timeout=self._timeout, on_event=self._deliver, on_end=self._end
        )
        self._live = True
        try:
            self._session.connect()
            with self._lock:
                self._closed = self._session.connected is False
            with suppress(InvalidStateError):  # connect() was cancelled: close() follows
                ready.set_result(None)
            writer = gevent.spawn(self._write)
            self._over.wait()
            writer.kill()
        except BaseException as error:  # a fault of ours must not leave connect() waiting either
            self._session.end("failed")
            with suppress(InvalidStateError):
                ready.set_exception(error)
        finally:
            self._fail_outgoing()
            self._hub.destroy(destroy_loop=True)
            self._tell(self._ended.set)

    def _write(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            while self._outgoing:
                self._session.post(*self._outgoing.popleft())

    def _deliver(self, event: SwitchEvent) -> None:
        self._tell(self._on_event, event)

    def _end(self, reason: str) -> None:
        with self._lock:
            self._closed, self._reason = True, reason
        self._over.set()

    def _fail_outgoing(self) -> None:
        with self._lock:
            self._closed, self._live = True, False
            left, self._outgoing = list(self._outgoing), deque()
        for _, answer in left:
            answer.set_exception(SwitchGone(self._reason))

    def _tell(self, callback: Callable[..., object], *arguments: object) -> None:
        try:
            self._loop.call_soon_threadsafe(callback, *arguments)
        except RuntimeError:  # the loop is closed: nobody is there to be told
            self._session.end("loop closed")


class _Answer:
    """What HardenedESL gives a reply to: a future of the event loop's thread, whose waiter may have given up. The place
    in the queue is kept all the same, so no later reply is shifted."""

    def __init__(self, loop: asyncio.AbstractEventLoop, reply: "asyncio.Future[str]") -> None:
        self._loop, self._reply = loop, reply

    def set(self, block: Block) -> None:
        self._end(self._reply.set_result, block.reply.removesuffix("\n"))

    def set_exception(self, error: BaseException) -> None:
        self._end(self._reply.set_exception, error)

    def _end(self, end: Callable[[Any], None], value: object) -> None:
        def unless_given_up() -> None:
            if not self._reply.done():
                end(value)

        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(unless_given_up)


def _give_up(reply: "asyncio.Future[str]") -> None:
    if not reply.done():
        reply.set_exception(NoReply("no reply in time"))


def _one_line(text: str) -> str:
    if not text or not text.isprintable():
        raise ValueError("a command is one line of printable text")
    return text
