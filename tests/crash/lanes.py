"""All points of a run, tried by several lanes side by side."""

import asyncio
import contextlib
import json
import os
import sys
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from calls.demo.orphans import ends_with_parent
from calls.demo.supervisor import ROOT
from tests.crash.born import ask, is_there, last_words
from tests.crash.points import EVERY, FROM, LANES, PROCESSES, STORIES

BEYOND = 2
"""Points after the last that a story without a death has: a count varies a little from one telling to the next."""

ANSWERS_WITHIN = 240.0
"""Seconds; more than all that a lane itself waits for in one story."""

CLEARS_UP_WITHIN = 30.0
"""Seconds; after that its database stays behind, which is no reason to fail."""

OURS = ("TESTS_REDIS_SERVER", "REDIS_URL", "TRANSFERHUB_VAR_DIR", "STATIC_ROOT", "PYTEST_XDIST_WORKER")
"""What tests.settings has put into the environment: a lane has a Valkey and a database of its own."""


@dataclass
class Trial:
    """All points of one process in one story. `died` and `wrong` say at which, the latter also what."""

    story: str
    process: str
    points: deque[int]
    died: list[int] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._left = len(self.points)
        self.tried()

    def tried(self, die_at: int = 0, died: bool = False, wrong: str = "") -> None:
        self._left -= bool(die_at)
        self.died += [die_at] * died
        self.wrong += [f"{self.process} killed at {die_at} in {self.story}: {wrong}"] if wrong else []
        if not self._left:
            self.over.set()


class Lanes:
    """result() waits for the end of one trial; all of them are under way at the same time."""

    def __init__(self) -> None:
        self.natural: dict[str, dict[str, Any]] = {}
        """Story -> what came of it when nobody died (tests.crash.mortals.MortalStack.live)."""
        self._trials: dict[tuple[str, str], Trial] = {}
        self._counted = asyncio.Event()
        self._untold = deque(STORIES)
        self._working: asyncio.Future[Any]

    def begin(self, *lanes: "Lane") -> None:
        self._working = asyncio.gather(*(self._work(lane) for lane in lanes))

    async def told(self, story: str) -> dict[str, Any]:
        await self._unless_broken(self._counted)
        return self.natural[story]

    async def result(self, process: str, story: str) -> Trial:
        """Raises what broke a lane."""
        await self._unless_broken(self._counted)
        trial = self._trials[process, story]
        await self._unless_broken(trial.over)
        return trial

    async def _unless_broken(self, event: asyncio.Event) -> None:
        waiting = asyncio.create_task(event.wait())
        await asyncio.wait({waiting, self._working}, return_when=asyncio.FIRST_COMPLETED)
        if not event.is_set():
            waiting.cancel()
            self._working.result()

    async def _work(self, lane: "Lane") -> None:
        while self._untold:
            story = self._untold.popleft()
            self.natural[story] = await lane.live(story, PROCESSES[0], die_at=0)
            if len(self.natural) == len(STORIES):
                self._plan()
        await self._counted.wait()
        for trial, die_at in self._next():
            answer = await lane.live(trial.story, trial.process, die_at)
            trial.tried(die_at, answer["died"], answer["wrong"])

    def _plan(self) -> None:
        for story in STORIES:
            for process in PROCESSES:
                last = self.natural[story].get("done", {}).get(process, 0) + BEYOND
                self._trials[process, story] = Trial(story, process, deque(range(FROM, last + 1, EVERY)))
        self._counted.set()

    def _next(self) -> Iterator[tuple[Trial, int]]:
        for trial in self._trials.values():
            while trial.points:
                yield trial, trial.points.popleft()


class Lane:
    """One of the nursery's, by the connection to it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, log: Path) -> None:
        self._reader, self._writer, self._log = reader, writer, log

    async def live(self, story: str, process: str, die_at: int) -> dict[str, Any]:
        self._writer.write(json.dumps({"story": story, "process": process, "die_at": die_at}).encode() + b"\n")
        try:
            line = await asyncio.wait_for(self._reader.readline(), ANSWERS_WITHIN)
        except TimeoutError:
            raise AssertionError(f"{process} killed at {die_at} in {story}: {last_words(self._log)}") from None
        assert line, f"a lane has died: {last_words(self._log)}"
        return json.loads(line)

    async def end(self) -> None:
        """Returns when the child has cleared up and ended: closed altogether, its end would not be heard."""
        self._writer.write_eof()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._reader.read(), CLEARS_UP_WITHIN)
        self._writer.close()


@contextlib.asynccontextmanager
async def lanes() -> AsyncIterator[Lanes]:
    """LANES of them at work."""
    with tempfile.TemporaryDirectory(prefix="transferhub-crash-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        nursery, log = folder / "nursery", folder / "nursery.log"
        with log.open("wb") as file:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.crash.nursery", str(nursery), cwd=ROOT, stdout=file, stderr=file,
                env={key: value for key, value in os.environ.items() if key not in OURS}, preexec_fn=ends_with_parent(),
            )  # fmt: skip
        ours: list[Lane] = []
        try:
            await is_there(nursery, process, log)
            common = {"DJANGO_SETTINGS_MODULE": "tests.settings", "NURSERY": str(nursery), "LANES": str(LANES)}
            reader, writer = await ask(nursery, work="databases", environment=common, log=str(log))
            databases = json.loads(await reader.readline() or "[]")
            assert databases, last_words(log)
            for number, database in enumerate(databases):
                own, environment = folder / f"lane{number}.log", common | {"LANE_DATABASE": database}
                ours.append(Lane(*await ask(nursery, work="stories", environment=environment, log=str(own)), own))
            at_work = Lanes()
            at_work.begin(*ours)
            yield at_work
            await asyncio.gather(*(lane.end() for lane in ours))
            await Lane(reader, writer, log).end()
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()
