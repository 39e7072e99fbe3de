"""Child processes: started together, waited for, started again when they die, and all stopped in a few seconds."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from calls.demo.orphans import ends_with_parent

ROOT = Path(__file__).resolve().parents[2]
"""Where manage.py is; every child runs there."""
HEALTHY_WITHIN = 40.0
LONGEST_PAUSE = 10.0
"""Seconds before a child that keeps dying is started again."""
STEADY = 30.0
"""A child that lived this long is forgiven its earlier deaths."""
STOP_WITHIN = 4.0
"""Seconds for all parts together; what then still runs is killed with its whole process group."""
RESERVE = 0.5
"""Seconds of these that are kept for every earlier tier."""


class PartFailed(RuntimeError):
    """A part did not become healthy; the message ends with the last lines it wrote."""


@dataclass
class Part:
    """One child process. `healthy` says whether it does its work now; it may fail, which counts as no."""

    name: str
    command: list[str]
    healthy: Callable[["Part"], Awaitable[bool]]
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_signal: signal.Signals = signal.SIGTERM
    process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """Raises RuntimeError when it was never started."""
        if self.process is None:
            raise RuntimeError(f"{self.name} was not started")
        return self.process.pid

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.returncode is None


class Supervisor:
    """Holds the parts. Use from the main thread: a child is tied to the life of the thread that started it."""

    def __init__(
        self,
        logs: Path,
        say: Callable[[str], None],
        changed: Callable[[], None] = lambda: None,
        *,
        restarts: bool = True,
    ):
        """`logs`: folder for <part>.log; `say` tells the person; `changed` is called when a part has a new pid.

        `restarts` False: what dies stays dead until start_again().
        """
        self._logs = logs
        self._say = say
        self._changed = changed
        self._restarts = restarts
        self._tiers: list[tuple[Part, ...]] = []
        self._watchers: list[asyncio.Task] = []
        logs.mkdir(parents=True, exist_ok=True)

    @property
    def parts(self) -> list[Part]:
        return [part for tier in self._tiers for part in tier]

    async def start(self, *parts: Part) -> None:
        """Start these together; return when all are healthy. Raises PartFailed."""
        self._tiers.append(parts)
        for part in parts:
            self.log_of(part).unlink(missing_ok=True)
            await self._launch(part)
        try:
            async with asyncio.TaskGroup() as group:
                for part in parts:
                    group.create_task(self._until_healthy(part))
        except* PartFailed as failures:
            raise failures.exceptions[0] from None
        if self._restarts:
            self._watchers += [asyncio.create_task(self._watch(part)) for part in parts]

    async def start_again(self, part: Part) -> None:
        """Start a part that has died; return when it is healthy. Raises PartFailed."""
        await self._stop(part, 0)
        await self._launch(part)
        await self._until_healthy(part)

    def log_of(self, part: Part) -> Path:
        return self._logs / f"{part.name}.log"

    async def stop(self) -> None:
        """Stop all, those started last first, so that nobody misses a part it needs."""
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        until = time.monotonic() + STOP_WITHIN
        while self._tiers:
            tier = self._tiers.pop()
            patience = max(0.0, until - time.monotonic() - RESERVE * len(self._tiers))
            await asyncio.gather(*(self._stop(part, patience) for part in tier))

    async def _launch(self, part: Part) -> None:
        with self.log_of(part).open("ab") as log:
            part.process = await asyncio.create_subprocess_exec(
                *part.command,
                stdin=asyncio.subprocess.DEVNULL,
                cwd=ROOT,
                stdout=log,
                stderr=log,
                env={**os.environ, **part.environment},
                start_new_session=True,  # Ctrl-C reaches us alone; we stop them in order
                preexec_fn=ends_with_parent(),
            )

    async def _until_healthy(self, part: Part) -> None:
        until = time.monotonic() + HEALTHY_WITHIN
        while not await self._is_healthy(part):
            if not part.running:
                raise PartFailed(f"{part.name} ended ({_how(part)}).\n{self._last_lines(part)}")
            if time.monotonic() > until:
                raise PartFailed(f"{part.name} is not ready after {HEALTHY_WITHIN:g} s.\n{self._last_lines(part)}")
            await asyncio.sleep(0.1)

    @staticmethod
    async def _is_healthy(part: Part) -> bool:
        try:
            return part.running and await part.healthy(part)
        except Exception:
            return False

    def _last_lines(self, part: Part, count: int = 20) -> str:
        lines = self.log_of(part).read_text(encoding="utf-8", errors="replace").splitlines()[-count:]
        return "\n".join(f"    {line}" for line in lines)

    async def _watch(self, part: Part) -> None:
        pause = 0.5
        while True:
            started = time.monotonic()
            assert part.process
            await part.process.wait()
            if time.monotonic() - started > STEADY:
                pause = 0.5
            self._say(f"{part.name} ended ({_how(part)}), see {self.log_of(part)}; it starts again in {pause:g} s.")
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
            await self._stop(part, 0)  # what is left of its group
            await self._launch(part)
            self._changed()

    async def _stop(self, part: Part, patience: float) -> None:
        if part.process is None:
            return
        if part.running:
            part.process.send_signal(part.stop_signal)
            try:
                async with asyncio.timeout(patience):
                    await part.process.wait()
            except TimeoutError:
                self._say(f"{part.name} did not stop in time and was killed.")
        with contextlib.suppress(ProcessLookupError):
            os.killpg(part.pid, signal.SIGKILL)  # also what the part itself has started
        await part.process.wait()


def _how(part: Part) -> str:
    code = part.process.returncode if part.process else None
    if code is not None and code < 0:
        return f"killed by {signal.Signals(-code).name}"
    return f"exit code {code}"
