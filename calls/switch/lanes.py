"""Work in lanes: what belongs to one key is done in order, one after another; different keys go side by side."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable

import structlog

from calls.tasks import cancelled

log = structlog.get_logger(__name__)

Job = Callable[[], Awaitable[object]]

KEPT = 500
"""Jobs that wait in one lane. A transfer has some dozens of events and commands in all: more is a flood (a key held
down, a switch gone mad) or a database that stands still, which ends the connection after seconds. What comes then is
dropped: deadlines and the next resync make up for events, and a dropped command stays claimed until then."""


class Lanes:
    """put() never waits. A job that raises is logged and does not stop its lane."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._waiting: dict[Hashable, deque[Job]] = {}
        self._tasks: dict[Hashable, asyncio.Task[None]] = {}

    def put(self, key: Hashable, job: Job) -> None:
        if key in self._waiting:
            if len(self._waiting[key]) < KEPT:
                self._waiting[key].append(job)
            else:
                log.error("lane.full", lane=self._name)
            return
        self._waiting[key] = deque([job])
        self._tasks[key] = asyncio.create_task(self._work(key))

    @property
    def busy(self) -> int:
        """Lanes with something to do."""
        return len(self._tasks)

    async def drained(self, seconds: float) -> bool:
        """Wait for all lanes, at most so long; false when something was left."""
        tasks = list(self._tasks.values())
        if not tasks:
            return True
        _, left = await asyncio.wait(tasks, timeout=seconds)
        return not left

    async def cancel(self) -> None:
        await cancelled(*self._tasks.values())

    async def _work(self, key: Hashable) -> None:
        queue = self._waiting[key]
        try:
            while queue:
                try:
                    await queue.popleft()()
                except Exception:
                    log.exception("lane.failed", lane=self._name)
        finally:
            del self._waiting[key], self._tasks[key]
