"""After the commit: wake whoever has to act now. Only wakes; each receiver finds its work in the database.

A `Plan` is filled while a step is written and delivered once the transaction stands. Delivery never raises: what is
not woken is found by polling (outbox, audio sessions) or by the worker's sweep (tickets, webhooks).
"""

from dataclasses import dataclass, field
from typing import Any

import django_rq
import structlog
from redis.exceptions import RedisError

from calls import bus

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


def deliver(plan: Plan) -> None:
    """From synchronous code."""
    for group, message in plan.messages:
        if not bus.send(group, message):
            break  # the layer is down: every further try would cost its timeout
    enqueue(plan)


async def adeliver(plan: Plan) -> None:
    """From a coroutine; jobs are left to enqueue() in a thread."""
    for group, message in plan.messages:
        if not await bus.asend(group, message):
            break


def enqueue(plan: Plan) -> None:
    """Put the jobs into RQ; with Redis gone the worker's sweep finds the rows later."""
    for name, arguments in plan.jobs:
        try:
            django_rq.get_queue("default").enqueue(name, *arguments)
        except (RedisError, OSError) as error:
            log.warning("jobs.unreachable", job=name, error=type(error).__name__)
            return
