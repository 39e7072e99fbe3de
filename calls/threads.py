"""Database work of processes that answer no request: in threads of our own, each with a connection that it keeps.

Opening a connection for every step would cost more than the step, and in Django's one thread for synchronous code all
transfers would wait for each other. What a step has to tell others is sent by the event loop, while the thread and
whoever waits for the step go on.
"""

import asyncio
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial, wraps
from typing import Any

from django.conf import settings
from django.db import connections

from calls import dispatch

IDLE_SECONDS = 5.0
"""A connection that rested for longer is examined before it is used, at the price of a query."""
ON_SQLITE = settings.DATABASES["default"]["ENGINE"].endswith("sqlite3")


# Seconds for which a thread that computes may keep the interpreter although the event loop has something to do: every
# answer of Redis, and every frame of audio, would wait for Python's own 0.005.
sys.setswitchinterval(0.0005)

_thread = threading.local()


def pool(name: str, threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix=name)


# SQLite has one writer at a time, and whoever finds it busy sleeps before he looks again: there a queue is quicker.
_steps = pool("steps", 1 if ON_SQLITE else 4)


def in_a_thread(function: Callable[..., Any], threads: ThreadPoolExecutor = _steps) -> Callable[..., Any]:
    """`function`, which uses the database, for coroutines."""

    @wraps(function)
    def work(*arguments: Any, **named: Any) -> Any:
        _look_after_connections()
        return function(*arguments, **named)

    @wraps(function)
    async def call(*arguments: Any, **named: Any) -> Any:
        with dispatch.sent_by_this_loop():
            context = copy_context()
        run = partial(context.run, work, *arguments, **named)
        return await asyncio.get_running_loop().run_in_executor(threads, run)

    return call


def _look_after_connections() -> None:
    """Drop the broken ones (a restarted PostgreSQL); keep the others, which Django would close after each request."""
    idle = time.monotonic() - getattr(_thread, "used_at", 0.0) > IDLE_SECONDS
    _thread.used_at = time.monotonic()
    for connection in connections.all(initialized_only=True):
        if idle or connection.errors_occurred:
            connection.close_at = None
            connection.close_if_unusable_or_obsolete()  # and have it examined before its next use
