"""After the commit: wake whoever has to act now. Only wakes; each receiver finds its work in the database.

A `Plan` is filled while a step is written and delivered once the transaction stands. Delivery never raises: what is
not woken is found by polling (outbox, audio sessions) or by the worker's sweep (tickets, webhooks).
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import django_rq
import structlog
from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeout

from calls import bus
from calls.layer import patient_redis

log = structlog.get_logger(__name__)


@dataclass
class Plan:
    """Messages for the channel layer, and jobs for the worker, in order."""

    messages: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    jobs: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)

    def tell(self, group: str, message: dict[str, Any]) -> None:
        if (group, message) not in self.messages:
            self.messages.append((group, message))

    def job(self, name: str, *arguments: Any) -> None:
        self.jobs.append((name, arguments))


_loop: ContextVar[asyncio.AbstractEventLoop | None] = ContextVar("loop", default=None)
_sending: set[asyncio.Task[None]] = set()


@contextmanager
def sent_by_this_loop() -> Iterator[None]:
    """In the threads that are called within, deliver() leaves the messages to the running loop and does not wait."""
    token = _loop.set(asyncio.get_running_loop())
    try:
        yield
    finally:
        _loop.reset(token)


def deliver(plan: Plan) -> None:
    """From synchronous code."""
    loop = _loop.get()
    if loop is not None:
        with suppress(RuntimeError):  # the loop has ended, and with it the process
            loop.call_soon_threadsafe(_begin, plan)
    else:
        for group, message in plan.messages:
            if not bus.send(group, message):
                break  # the layer is down: every further try would cost its timeout
    enqueue(plan)


def _begin(plan: Plan) -> None:
    task = asyncio.get_running_loop().create_task(adeliver(plan))
    _sending.add(task)
    task.add_done_callback(_sending.discard)


async def adeliver(plan: Plan) -> None:
    """From a coroutine; jobs are left to enqueue() in a thread."""
    for group, message in plan.messages:
        if not await bus.asend(group, message):
            break


def enqueue(plan: Plan) -> None:
    """Put the jobs into RQ; with Redis gone the worker's sweep finds the rows later."""
    for name, arguments in plan.jobs:
        if bus.resting():
            return
        try:
            django_rq.get_queue("default", connection=redis_client(settings.REDIS_URL)).enqueue(name, *arguments)
        except (RedisError, OSError) as error:
            log.warning("jobs.unreachable", job=name, error=type(error).__name__)
            if isinstance(error, RedisTimeout):
                bus.rest()
            return


@lru_cache(maxsize=2)
def redis_client(url: str) -> Redis:
    """RQ's own would hold up every step of this process while Redis does not answer."""
    return patient_redis(url, bus.PATIENCE_SECONDS)
