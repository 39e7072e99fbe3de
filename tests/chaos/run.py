"""The load under the adversary: callers, their secretary, and a case for the judge when a transfer is over."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
from asgiref.sync import sync_to_async
from django.db import DatabaseError, connection

from calls.demo.callers import SimulatedCall
from calls.models import Attempt, Transfer
from calls.transfer.states import State
from tests.chaos import company, evidence
from tests.chaos.judge import KINDS, Verdict
from tests.chaos.rig import ChaosStack, spawned
from tests.chaos.schedule import Blow
from tests.chaos.witness import Leg

PATIENCE = 150.0
"""Seconds after which a transfer that has not ended counts as lost."""
TAKEN_WITHIN = 240.0
"""So long the secretary asks again and again; a caller is then still in her menu, and not ours."""
LOOK_EVERY = 0.3
AFTERWARDS = 3.0
"""Seconds that a caller stays in the menu and is watched: he may be torn out of it, or put into it twice."""
AGENTS_GONE_WITHIN = 20.0
TIDY_WITHIN = 40.0


@dataclass
class Report:
    seed: int
    transfers: int
    at_once: int
    seconds: float = 0.0
    callers: int = 0
    refusals: int = 0
    """Times a request got no 202 and was repeated."""
    faults: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    verdict: Verdict = field(default_factory=Verdict)
    left_over: list[str] = field(default_factory=list)
    sound_lost: float = 0.0
    """Seconds of sound that the telephones' machine was too slow for."""
    problems: list[str] = field(default_factory=list)
    """What kept a transfer from being judged: the run itself is at fault then."""

    @property
    def good(self) -> bool:
        counts_are_zero = not any(self.verdict.count(kind) for kind in KINDS)
        return counts_are_zero and not self.left_over and not self.problems and self.verdict.cases == self.transfers

    def as_json(self) -> dict[str, Any]:
        judged = self.verdict.as_json()
        judged["orphans"] += len(self.left_over)
        return {
            "seed": self.seed,
            "transfers": self.verdict.cases,
            "at_once": self.at_once,
            "seconds": round(self.seconds, 1),
            "faults": sum(self.faults.values()),
            "faults_by_kind": dict(sorted(self.faults.items())),
            "callers": self.callers,
            "requests_repeated": self.refusals,
            "outcomes": dict(self.outcomes.most_common()),
            **judged,
            "left_over": self.left_over,
            "problems": self.problems,
            "sound_lost_seconds": round(self.sound_lost, 1),
            "good": self.good,
        }

    def table(self) -> str:
        said = self.as_json()
        lines = [f"{'fault':32}{'times':>6}"]
        lines += [f"{kind:32}{times:>6}" for kind, times in said["faults_by_kind"].items()]
        lines += ["", f"{'outcome':32}{'transfers':>6}"]
        lines += [f"{outcome:32}{times:>6}" for outcome, times in said["outcomes"].items()]
        lines.append("")
        names = ("transfers", "callers", "faults", "requests_repeated", *KINDS)
        lines += [f"{name.replace('_', ' '):32}{said[name]:>6}" for name in names]
        lines += [
            f"{v['kind']}: transfer {v['transfer']} (number {v['number']}): {v['what']}" for v in said["violations"]
        ]
        lines += [f"left over: {line}" for line in self.left_over] + [f"problem: {line}" for line in self.problems]
        lines.append(f"seed {self.seed}, {self.at_once} at once, {self.seconds:.0f} s")
        return "\n".join(lines)


class Run:
    def __init__(self, stack: ChaosStack, report: Report, say: Callable[[str], None], divisor: float) -> None:
        self._stack, self._report, self._say, self._divisor = stack, report, say, divisor
        self._open: set[str] = set()
        self._ended: set[str] = set()
        self._polls: set[asyncio.Task[Any]] = set()
        self._striking: set[asyncio.Task[Any]] = set()

    async def live(self, callings: list[company.Calling], blows: Iterator[Blow], patience: float = PATIENCE) -> None:
        """All calls, under all blows; then everything is mended and what is left over is looked for."""
        self._patience = patience
        began = time.monotonic()
        room = asyncio.Semaphore(self._report.at_once)
        looking = asyncio.create_task(self._look())
        adversary = asyncio.create_task(self._strike(blows))
        try:
            async with asyncio.TaskGroup() as calls:
                for calling in callings:
                    await room.acquire()
                    calls.create_task(self._call(calling, room))
                adversary.cancel()
                await asyncio.gather(*self._striking, return_exceptions=True)
                await self._stack.heal()
            await self._tidy()
        finally:
            for task in (adversary, looking, *self._polls, *self._striking):
                task.cancel()
            await asyncio.gather(adversary, looking, *self._polls, *self._striking, return_exceptions=True)
            self._report.seconds = time.monotonic() - began
            self._report.sound_lost = self._stack.switch.media.given_up * 0.02

    # ------------------------------------------------------------ the adversary
    async def _strike(self, blows: Iterator[Blow]) -> None:
        for blow in blows:
            await asyncio.sleep(blow.after)
            self._report.faults[blow.kind] += 1
            self._say(f"{_clock()} {blow.kind}" + (f" for {blow.seconds:g} s" if blow.seconds else ""))
            task = spawned(self._stack.strike(blow.kind, blow.seconds), self._striking)
            task.add_done_callback(lambda done, kind=blow.kind: self._struck(done, kind))

    def _struck(self, task: asyncio.Task[Any], kind: str) -> None:
        if not task.cancelled() and (error := task.exception()):
            self._report.problems.append(f"blow {kind}: {type(error).__name__}: {error}")

    # ------------------------------------------------------------ callers
    async def _call(self, calling: company.Calling, room: asyncio.Semaphore) -> None:
        """The next caller may come as soon as nothing of this one's last transfer is left; he himself is watched on."""
        leg: Leg | None = None
        with ExitStack() as in_the_room:
            in_the_room.callback(room.release)
            try:
                for job in calling.jobs:
                    leg, judge = await self._transfer(job, calling, leg)
                    if job is calling.jobs[-1]:
                        in_the_room.close()
                    await judge()
            except Exception as error:
                self._report.problems.append(f"number {job.number}: {type(error).__name__}: {error}")
        if leg and leg.until is None:
            await self._stack.switch.api(f"uuid_kill {leg.uuid}")

    async def _transfer(
        self, job: company.Job, calling: company.Calling, leg: Leg | None
    ) -> tuple[Leg, Callable[[], Awaitable[None]]]:
        """One transfer from the request to its end; the caller's leg, who may ask for another, and the judgement."""
        switch, tried = self._stack.watched, 0
        while True:
            if leg is None or leg.until is not None:
                call = await self._stack.dial_in(calling.behaviour, **calling.variables)
                leg = switch.legs[call.uuid]
                self._report.callers += 1
            returns, asked_at, tried = leg.returns, time.time(), tried + 1
            transfer_id = await self._ask(job, leg, f"{job.number}-{tried}")
            if transfer_id:
                break
            await switch.api(f"uuid_kill {leg.uuid}")
        self._open.add(transfer_id)
        spawned(self._secretary(transfer_id, job.cancel_after), self._polls)
        await self._settled(transfer_id, leg)
        arguments = (switch, job.number, asked_at, transfer_id, leg, returns, self._divisor)

        async def judge() -> None:
            await asyncio.sleep(AFTERWARDS)
            self._open.discard(transfer_id)
            self._judge(job, await _patiently(lambda: evidence.case_of(*arguments)))

        return leg, judge

    def _judge(self, job: company.Job, case: Any) -> None:
        outcome = case.record.outcome if case.record else "lost"
        self._report.outcomes[outcome or case.record.state] += 1
        for violation in self._report.verdict.hear(case):
            self._say(f"{_clock()} VIOLATION number {job.number}: {violation.kind}: {violation.what}")
        if self._report.verdict.cases % 25 == 0:
            self._say(f"{_clock()} {self._report.verdict.cases} of {self._report.transfers} judged")

    async def _settled(self, transfer_id: str, leg: Leg) -> None:
        """Ended in the database, out of the conference on the switch, and the agents' legs gone; or too late."""
        await _within(self._patience, lambda: transfer_id in self._ended and leg.stay is None)
        attempts = Attempt.objects.filter(transfer_id=transfer_id)
        marks = set(await _patiently(lambda: list(attempts.values_list("mark", flat=True))))
        legs = self._stack.watched.agents_of
        await _within(AGENTS_GONE_WITHIN, lambda: all(leg.until is not None for leg in legs(marks)))

    async def _look(self) -> None:
        while True:
            watched = set(self._open) - self._ended
            if watched:
                query = Transfer.objects.filter(pk__in=watched, state=State.ENDED.value)
                ids = await _patiently(lambda query=query: list(query.values_list("pk", flat=True)))
                self._ended |= {str(each) for each in ids}
            await asyncio.sleep(LOOK_EVERY)

    # ------------------------------------------------------------ their secretary
    async def _ask(self, job: company.Job, leg: Leg, key: str) -> str:
        """The transfer's id; "" when the caller is gone before it was taken."""
        call = SimulatedCall(leg.uuid, leg.channel.profile.caller_number)
        until = time.monotonic() + TAKEN_WITHIN
        while leg.until is None:
            try:
                taken = await self._stack.request(call, key=key, department=job.department, summary=job.summary)
                return taken["id"]
            except httpx.HTTPStatusError as refused:
                status = refused.response.status_code
                if status < 500 and status != 429:
                    raise
            except httpx.HTTPError:
                pass
            self._report.refusals += 1
            if time.monotonic() > until:
                raise TimeoutError("the API never took the request")
            await asyncio.sleep(0.5)
        return ""

    async def _secretary(self, transfer_id: str, cancel_after: float | None) -> None:
        """She waits for the result as the documentation says, and sometimes takes the caller back."""
        if cancel_after is not None:
            await asyncio.sleep(cancel_after)
            with suppress(httpx.HTTPError):
                await self._stack.http.delete(f"/transfers/{transfer_id}")
        while transfer_id in self._open:
            try:
                answer = await self._stack.http.get(f"/transfers/{transfer_id}", params={"wait": 25})
                if answer.status_code == 200 and answer.json()["final"]:
                    return
            except (httpx.HTTPError, json.JSONDecodeError):
                pass
            await asyncio.sleep(0.5)

    # ------------------------------------------------------------ the end
    async def _tidy(self) -> None:
        """What is left over when all callers are gone and everything works again."""
        until = time.monotonic() + TIDY_WITHIN
        while True:
            left = evidence.left_over(self._stack.watched) + await _patiently(evidence.rows_left_over)
            if sessions := await self._stack.model.open_sessions():
                left.append(f"{sessions} Realtime sessions")
            if not left or time.monotonic() > until:
                self._report.left_over = left
                return
            await asyncio.sleep(0.5)


async def _within(seconds: float, holds: Callable[[], bool]) -> None:
    """Until it holds, or until so long has passed."""
    until = time.monotonic() + seconds
    while not holds() and time.monotonic() < until:  # noqa: ASYNC110 - what is waited for has no event
        await asyncio.sleep(LOOK_EVERY)


async def _patiently(look: Callable[[], Any]) -> Any:
    """The adversary strikes our own connection to the database too."""

    def once() -> Any:
        try:
            return look()
        except DatabaseError:
            connection.close()
            raise

    for _ in range(100):
        with suppress(DatabaseError):
            return await sync_to_async(once)()
        await asyncio.sleep(0.3)
    return await sync_to_async(once)()


def _clock() -> str:
    return time.strftime("%H:%M:%S")
