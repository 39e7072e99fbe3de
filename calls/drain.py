"""Stopping a web process without losing anything: what SIGTERM begins, and who asks whether it has begun.

    SIGTERM          new transfers are refused (503, Retry-After), /readyz says so: a balancer moves away
      announcements  in hand go on, for DRAIN_SECONDS at most; new ones are left to other web processes, if any live
      long polls     answer with what is known
      then           the server stops as it always does; what is still announced is handed over (Hub.stop)

Talks are between FreeSWITCH's legs and need no web process. A second SIGTERM, or SIGINT, stops at once.
"""

import asyncio
import contextlib
import signal
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

log = structlog.get_logger(__name__)

LAST_ANSWERS_SECONDS = 1.2
"""Long polls look at the database once a second, and see then that it is time to answer."""

_begun = threading.Event()
_closing = threading.Event()


def begun() -> bool:
    """Whether this process takes nothing new any more."""
    return _begun.is_set()


def closing() -> bool:
    """Whether it is about to stop: whoever waits for something here answers now."""
    return _closing.is_set()


def forget() -> None:
    """A process that goes on after all: for tests."""
    _begun.clear()
    _closing.clear()


async def drain(finish: Callable[[], Awaitable[None]]) -> None:
    """`finish`: returns when what is in hand has come to its end, or has taken too long."""
    _begun.set()
    log.info("drain.begun")
    with contextlib.suppress(Exception):
        await finish()
    _closing.set()
    await asyncio.sleep(LAST_ANSWERS_SECONDS)
    log.info("drain.over")


def before_sigterm(finish: Callable[[], Awaitable[None]]) -> None:
    """In a server's event loop, once it has set its own handler: SIGTERM reaches that only after a drain.

    Does nothing where signals are not ours: outside the main thread, or with no handler set.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    stop = signal.getsignal(signal.SIGTERM)
    if not callable(stop) or stop is signal.default_int_handler:
        return
    loop = asyncio.get_running_loop()
    tasks: list[asyncio.Task[None]] = []

    def stop_now() -> None:
        server = getattr(stop, "__self__", None)
        if hasattr(server, "should_exit"):
            server.should_exit = True  # all that uvicorn's handler does, but for dying of the signal in the end
        else:
            stop(signal.SIGTERM, None)

    async def first_drain() -> None:
        await drain(finish)
        stop_now()

    def told() -> None:
        if tasks:
            stop_now()
        else:
            tasks.append(loop.create_task(first_drain()))

    def on_signal(number: int, frame: Any) -> None:
        if loop.is_closed():
            stop(number, frame)
        else:
            loop.call_soon_threadsafe(told)

    signal.signal(signal.SIGTERM, on_signal)
