"""Many simulated transfers at the same time, each compared with what its agent's temperament predicts."""

import asyncio
import random
import re
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import httpx
from asgiref.sync import sync_to_async

from calls.demo.callers import Person, Secretary, ring_in
from calls.demo.esl import EslError, EventSocket
from calls.demo.parts import Esl
from calls.models import Department, Extension
from calls.simulator.phonebook import SPARES_EACH, spares
from calls.simulator.predictions import OUTCOMES, TEMPERAMENTS

DEPARTMENT = "soak"
SETTINGS = {
    "name": "Soak",
    "ring_seconds": 50,
    "decision_seconds": 60,
    "total_seconds": 600,
    "instructions": "{caller} está na linha, sobre {summary}. Pode atender agora?",
    "ticket_text": "Protocolo {protocol}.",
}
"""Limits before LIMITS_DIVISOR. People speak at their own pace all the same, so what is said has to be short too."""
DIVISOR = 5
PATIENCE = 150.0
"""Seconds after which a caller counts as left behind."""
TIDY_WITHIN = 20.0
CALLER: dict[str, Any] = {"sim_menu_seconds": 1}


@dataclass
class Row:
    """One transfer."""

    temperament: str
    predicted: str
    outcome: str = ""
    seconds: float = 0.0
    ticket: bool = False
    id: str = ""
    error: str = ""  # what kept us from an outcome

    @property
    def as_predicted(self) -> bool:
        return self.outcome == self.predicted


@dataclass
class Report:
    transfers: int
    at_once: int
    seconds: float = 0.0
    tidy_seconds: float = 0.0
    """From the last result until the switch was empty."""
    rows: list[Row] = field(default_factory=list)
    left_over: list[str] = field(default_factory=list)

    @property
    def mismatches(self) -> list[Row]:
        return [row for row in self.rows if not row.as_predicted]

    @property
    def good(self) -> bool:
        return len(self.rows) == self.transfers and not self.mismatches and not self.left_over

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"good": self.good, "mismatches": [asdict(row) for row in self.mismatches]}

    def table(self) -> str:
        """Temperament, prediction, how many came out so, and the seconds they took."""
        lines = [f"{'agent':20}{'predicted':14}{'as predicted':>14}{'median s':>10}{'longest s':>11}  others"]
        for temperament in TEMPERAMENTS:
            rows = [row for row in self.rows if row.temperament == temperament]
            if not rows:
                continue
            right = sum(row.as_predicted for row in rows)
            seconds = [row.seconds for row in rows]
            others = ", ".join(sorted({row.outcome or row.error for row in rows if not row.as_predicted}))
            lines.append(
                f"{temperament:20}{OUTCOMES[temperament]:14}{f'{right} of {len(rows)}':>14}"
                f"{statistics.median(seconds):>10.1f}{max(seconds):>11.1f}  {others}"
            )
        right = len(self.rows) - len(self.mismatches)
        lines.append(f"{right} of {self.transfers} as predicted, {self.at_once} at once, {self.seconds:.0f} s")
        lines.append(f"the switch was empty {self.tidy_seconds:.1f} s later" if not self.left_over else "")
        lines += [f"left over: {line}" for line in self.left_over]
        return "\n".join(lines)


def prepare() -> None:
    """The soak's department, and every spare telephone as an extension."""
    Department.objects.update_or_create(slug=DEPARTMENT, defaults=SETTINGS)
    known = set(Extension.objects.values_list("number", flat=True))
    Extension.objects.bulk_create(
        Extension(number=number, name=f"Simulado: {temperament}")
        for temperament in TEMPERAMENTS
        for number in spares(temperament)
        if number not in known
    )


async def run(
    esl: Esl, url: str, api_key: str, transfers: int, at_once: int, say: Callable[[str], None], seed: int = 1
) -> Report:
    """`transfers` in all, every temperament as often as every other, in an order that `seed` decides."""
    await sync_to_async(prepare)()
    report = Report(transfers, at_once)
    jobs = [(TEMPERAMENTS[i % len(TEMPERAMENTS)], i // len(TEMPERAMENTS) % SPARES_EACH) for i in range(transfers)]
    random.Random(seed).shuffle(jobs)
    socket = await EventSocket.connect(esl.host, esl.port, esl.password, "CHANNEL_ANSWER")
    began = time.monotonic()
    room = asyncio.Semaphore(at_once)
    try:
        async with Secretary(url, api_key) as secretary:

            async def one(temperament: str, place: int) -> None:
                async with room:
                    report.rows.append(await _transfer(socket, secretary, temperament, spares(temperament)[place]))
                if len(report.rows) % at_once == 0:
                    say(f"{len(report.rows)} of {transfers} after {time.monotonic() - began:.0f} s")

            await asyncio.gather(*(one(*job) for job in jobs))
        report.seconds = time.monotonic() - began
        report.left_over = await _left_over(socket)
        report.tidy_seconds = time.monotonic() - began - report.seconds
    finally:
        await socket.close()
    return report


async def _transfer(socket: EventSocket, secretary: Secretary, temperament: str, number: str) -> Row:
    row = Row(temperament, OUTCOMES[temperament])
    person = Person("Maria", "orçamento", DEPARTMENT)
    began = time.monotonic()
    try:
        call = await ring_in(socket, **CALLER)
        transfer = await secretary.ask(call, person, destination=number)
        row.id = transfer["id"]
        transfer = await secretary.result(row.id, PATIENCE)
        row.outcome, row.ticket = transfer["outcome"], bool(transfer["ticket"])
    except TimeoutError:
        row.error = "left behind"
    except (httpx.HTTPError, EslError) as error:
        row.error = str(error) or type(error).__name__
    row.seconds = round(time.monotonic() - began, 2)
    return row


async def _left_over(socket: EventSocket) -> list[str]:
    """Conferences, legs and timers that are still there when all should have gone home and hung up."""
    until = time.monotonic() + TIDY_WITHIN
    while True:
        left = []
        if "No active conferences" not in (lists := await socket.api("conference list")):
            left += [f"conference: {line}" for line in lists.splitlines() if line]
        for what in ("channels", "tasks"):
            listing = await socket.api(f"show {what}")
            total = re.search(r"^(\d+) total\.", listing, re.M)
            if total is None or int(total[1]):
                left += [f"{what}: {line}" for line in listing.splitlines() if line]
        if not left or time.monotonic() > until:
            return left
        await asyncio.sleep(0.5)
