"""`sched_api` and `sched_del`: commands run later, by group."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from calls.simulator.clock import Clock


@dataclass
class Task:
    id: int
    group: str
    due: int
    handle: asyncio.TimerHandle


class Timers:
    """The scheduled commands of one switch; `run` carries one out."""

    def __init__(self, clock: Clock, run: Callable[[str], Awaitable[str]], spawn: Callable[..., object]):
        self.tasks: dict[int, Task] = {}
        self._clock = clock
        self._run = run
        self._spawn = spawn
        self._last_id = 0

    def schedule(self, when: str, group: str, command: str) -> int:
        """`when` is `+seconds`, `@seconds` (again and again) or seconds since 1970. Returns the task's id.

        The scheduler counts whole seconds: a task may run up to half a second early. Raises ValueError.
        """
        every = int(when[1:]) if when.startswith("@") else 0
        now = self._clock.now()
        due = round(now) + int(when[1:]) if when[:1] in ("+", "@") else int(when)
        self._last_id += 1
        self._arm(self._last_id, group, due, command.removesuffix("&").strip(), every)
        return self._last_id

    def _arm(self, task_id: int, group: str, due: int, command: str, every: int) -> None:
        handle = self._clock.later(due - self._clock.now(), self._fire, task_id, command, every)
        self.tasks[task_id] = Task(task_id, group, due, handle)

    def _fire(self, task_id: int, command: str, every: int) -> None:
        task = self.tasks.pop(task_id, None)
        if task is None:
            return
        self._spawn(self._run(command))
        if every:
            self._arm(task_id, task.group, task.due + every, command, every)

    def delete(self, group_or_id: str) -> int:
        """Returns how many tasks were deleted."""
        gone = [task for task in self.tasks.values() if group_or_id in (task.group, str(task.id))]
        for task in gone:
            task.handle.cancel()
            del self.tasks[task.id]
        return len(gone)

    def clear(self) -> None:
        for task in self.tasks.values():
            task.handle.cancel()
        self.tasks.clear()
