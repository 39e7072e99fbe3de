"""Were the promises kept? Pure: the simulator's account of the people, and the rows of the database, one transfer each.

The sentences (docs/reliability.md): every caller leaves our care alive: talking to the agent who accepted, back in the
menu once, or gone by his own will; every agent ends talking, or is hung up within 10 s of the caller's leaving; every
transfer that nobody took has exactly one ticket where its department's rule asks for one, else none; nobody is bridged
without a recorded acceptance; nothing is left ringing.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

WITHIN = 10.0
"""Seconds: what FreeSWITCH may take beyond a stage's limit, and an agent beyond the caller's leaving."""
BLINK = 0.1
"""Seconds of voice that may still be in the air."""

LOST, DOUBLE, MISSING, UNCONSENTED, ORPHANS, UNTRUE = KINDS = (
    "lost", "double_tickets", "missing_tickets", "unconsented", "orphans", "untrue",
)  # fmt: skip


@dataclass(frozen=True)
class Agent:
    """A leg that was rung. Times in seconds since 1970; 0.0: never."""

    attempt: str
    rung_at: float
    answered_at: float
    gone_at: float | None  # None: still there
    heard_caller: float = 0.0  # seconds
    heard_by_caller: float = 0.0
    heard_strangers: bool = False


@dataclass(frozen=True)
class Acceptance:
    attempt: str
    at: float


@dataclass(frozen=True)
class Caller:
    """What became of the caller, in this transfer. `in_at`, `out_at`: in the transfer's conference."""

    in_at: float | None
    out_at: float | None
    alive: bool  # on the switch, now
    in_conference: bool  # now
    left_by_himself: bool
    died_with_switch: bool
    returns: int  # to the menu, since the transfer was asked for


@dataclass(frozen=True)
class Record:
    """What the database says. `stages`: (state, entered at, its limit in seconds), in order, without the last."""

    transfer: str
    state: str
    outcome: str
    wants_ticket: bool
    tickets: int
    acceptances: tuple[Acceptance, ...] = ()
    stages: tuple[tuple[str, float, float], ...] = ()
    ended_at: float | None = None


@dataclass(frozen=True)
class Case:
    number: int
    asked_at: float
    record: Record | None  # None: the API has said 202, and there is no row
    caller: Caller
    agents: tuple[Agent, ...] = ()
    unmuted_at: float | None = None
    now: float = 0.0
    note: str = ""


@dataclass(frozen=True)
class Violation:
    kind: str
    what: str


@dataclass
class Verdict:
    """Of a whole run; `as_json` is what var/chaos.json holds of it."""

    cases: int = 0
    found: list[tuple[Case, Violation]] = field(default_factory=list)

    def count(self, kind: str) -> int:
        """Transfers, not complaints: one may have several of a kind."""
        return len({case.number for case, violation in self.found if violation.kind == kind})

    def hear(self, case: Case) -> list[Violation]:
        self.cases += 1
        violations = list(judge(case))
        self.found += [(case, violation) for violation in violations]
        return violations

    def as_json(self) -> dict[str, Any]:
        return {kind: self.count(kind) for kind in KINDS} | {
            "violations": [
                {
                    "number": case.number,
                    "transfer": case.record.transfer if case.record else "",
                    "outcome": case.record.outcome if case.record else "",
                    "kind": violation.kind,
                    "what": violation.what,
                    "asked_at": datetime.fromtimestamp(case.asked_at).isoformat(timespec="milliseconds"),
                    "note": case.note,
                }
                for case, violation in self.found
            ]
        }


def judge(case: Case) -> Iterator[Violation]:
    if case.record is None:
        yield Violation(LOST, "the API took the request and the database has no such transfer")
        return
    yield from _caller(case, case.record)
    yield from _stages(case, case.record)
    yield from _tickets(case.record)
    yield from _consent(case, case.record)
    yield from _agents(case)
    yield from _truth(case, case.record)


def _caller(case: Case, record: Record) -> Iterator[Violation]:
    caller = case.caller
    if record.state != "ended":
        yield Violation(LOST, f"still {record.state} {case.now - case.asked_at:.0f} s after it was asked for")
    if caller.died_with_switch:
        return
    if not caller.alive:
        if not caller.left_by_himself:
            yield Violation(LOST, "the caller was hung up, and not by himself")
        if caller.returns > 1:
            yield Violation(LOST, f"entered the menu {caller.returns} times")
        return
    if caller.in_conference:
        yield Violation(LOST, "the caller is still in the conference")
    elif caller.returns != (wanted := 1 if caller.in_at else 0):
        yield Violation(LOST, f"entered the menu {caller.returns} times instead of {wanted}")


def _stages(case: Case, record: Record) -> Iterator[Violation]:
    """No stage lasts longer than its limit + 10 s: the next begins, or FreeSWITCH has got the caller out."""
    if case.caller.in_at is None:
        return
    left = case.caller.out_at or case.now
    ends = [entered for _, entered, _ in record.stages[1:]] + [record.ended_at or case.now]
    for (state, entered, limit), end in zip(record.stages, ends, strict=True):
        if (lasted := min(end, left) - entered) > limit + WITHIN:
            yield Violation(LOST, f"{lasted:.1f} s in {state}, whose limit is {limit:g} s")


def _tickets(record: Record) -> Iterator[Violation]:
    if record.tickets > int(record.wants_ticket):
        yield Violation(DOUBLE, f"{record.tickets} tickets after {record.outcome}")
    elif record.state == "ended" and record.tickets < int(record.wants_ticket):
        yield Violation(MISSING, f"no ticket after {record.outcome}")


def _consent(case: Case, record: Record) -> Iterator[Violation]:
    accepted = {acceptance.attempt: acceptance.at for acceptance in record.acceptances}
    for agent in case.agents:
        if agent.heard_strangers:
            yield Violation(UNCONSENTED, f"attempt {agent.attempt} heard somebody of another transfer")
        if agent.heard_caller <= 0:
            continue
        if agent.attempt not in accepted:
            yield Violation(UNCONSENTED, f"attempt {agent.attempt} heard the caller and never accepted")
        elif case.unmuted_at is not None and case.unmuted_at < accepted[agent.attempt]:
            yield Violation(UNCONSENTED, f"attempt {agent.attempt} accepted after the caller was let speak")


def _agents(case: Case) -> Iterator[Violation]:
    caller = case.caller
    for agent in case.agents:
        gone = case.now if agent.gone_at is None else agent.gone_at
        left = caller.out_at if caller.out_at is not None else caller.in_at and case.now
        if agent.gone_at is None:
            yield Violation(ORPHANS, f"attempt {agent.attempt}: its leg is still there")
        elif left and agent.answered_at and gone - max(left, agent.answered_at) > WITHIN:
            yield Violation(ORPHANS, f"attempt {agent.attempt}: hung up {gone - left:.1f} s after the caller had left")


def _truth(case: Case, record: Record) -> Iterator[Violation]:
    """The outcome says what the two people lived through."""
    talked = any(agent.heard_caller > BLINK and agent.heard_by_caller > BLINK for agent in case.agents)
    heard = any(agent.heard_caller > BLINK for agent in case.agents)
    if record.state != "ended":
        return
    # The answer to the last command may have died with FreeSWITCH: then nobody is left who knows that they talked.
    unknown = case.caller.died_with_switch and record.acceptances and record.outcome == "caller_left"
    if talked and record.outcome != "accepted" and not unknown:
        yield Violation(UNTRUE, f"they talked, and the outcome is {record.outcome}")
    if record.outcome == "accepted" and not heard and case.unmuted_at is None:
        yield Violation(UNTRUE, "accepted, and the caller was never let speak")
