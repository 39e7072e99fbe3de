"""The people of a chaos run, decided by its seed: who asks for whom, and how agents and callers behave."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from calls.models import Department, Extension, Membership
from calls.simulator.telephones import PhoneBook

AGENTS = {
    "presses_1": 6, "accepts": 4, "interrupts": 2, "hesitates": 2, "presses_0": 1, "holds": 1, "two_phones": 1,
    "rejects": 2, "presses_2": 2, "asks_then_rejects": 1, "redirects": 1, "hangs_up": 2, "silent": 1, "hello_only": 1,
    "no_answer": 2, "busy": 1, "declines": 1, "not_registered": 1, "voicemail": 1,
}  # fmt: skip
"""Temperament → how often among others."""
CALLERS = {"patient": 16, "impatient": 2, "hangs_up_after": 3, "holds": 1, "ends the talk": 2}
TICKETS = ["rejected", "timeout", "no_answer", "busy", "unavailable", "voicemail", "error"]
SHARED, SHARE_OF_SHARED = 6, 0.2
"""Departments whose two agents everybody asks for, and how often somebody does."""
CANCELLED = 0.06
"""How often a secretary takes her caller back."""
LIMITS = {"ring_seconds": 40, "decision_seconds": 60, "total_seconds": 300, "instructions": "{caller}. Pode atender?"}
"""Before LIMITS_DIVISOR. People speak at their own pace all the same, so what is said is short too."""
TICKET_TEXT = "Protocolo {protocol}."


@dataclass(frozen=True)
class Job:
    """One transfer: what is asked, and what its secretary does later."""

    number: int
    department: str
    summary: str
    cancel_after: float | None  # seconds; None: she does not


@dataclass(frozen=True)
class Calling:
    """One call of one caller, who asks for these one after another."""

    behaviour: str
    variables: dict[str, Any]
    jobs: tuple[Job, ...]


def prepare(book: PhoneBook, transfers: int, seed: int) -> list[Calling]:
    """Writes departments and agents; the calls that will come, in order."""
    chance = random.Random(f"company {seed}")
    made = _departments(book, transfers, chance)
    shared = made[:SHARED]
    callings: list[Calling] = []
    number = 0
    while number < transfers:
        jobs = []
        for _ in range(min(2 if chance.random() < 0.3 else 1, transfers - number)):
            slug = chance.choice(shared) if chance.random() < SHARE_OF_SHARED else made[SHARED + number]
            cancel = chance.uniform(0.2, 8) if chance.random() < CANCELLED else None
            jobs.append(Job(number, slug, chance.choice(("orçamento", "boleto", "")), cancel))
            number += 1
        callings.append(Calling(*_caller(chance), tuple(jobs)))
    return callings


def _caller(chance: random.Random) -> tuple[str, dict[str, Any]]:
    kind = _pick(chance, CALLERS)
    if kind == "ends the talk":
        return "patient", {"sim_talk_seconds": 2}
    if kind == "hangs_up_after":
        return f"{kind}:{chance.uniform(1, 12):.1f}", {}
    return kind, {}


def _departments(book: PhoneBook, transfers: int, chance: random.Random) -> list[str]:
    departments, extensions, members = [], [], []
    numbers = iter(range(3001, 9999))
    for index in range(SHARED + transfers):
        own = index >= SHARED
        agents = [_pick(chance, AGENTS) for _ in range(chance.choice((1, 1, 2)) if own else 2)]
        ring_all = len(agents) > 1 and chance.random() < 0.25
        departments.append(
            Department(
                slug=f"c{index}",
                name=f"Setor {index}",
                strategy=Department.Strategy.RING_ALL if ring_all else Department.Strategy.SEQUENTIAL,
                max_attempts=chance.choice((1, 2, 3)),
                ticket_on=TICKETS if chance.random() < 0.8 else [],
                caller_hears=chance.choice(Department.CallerHears.values),
                after_call_to=chance.choice(("", "ivr_return XML public")),
                ticket_text=TICKET_TEXT,
                **LIMITS,
            )
        )
        for position, temperament in enumerate(agents):
            number = str(next(numbers))
            book.put(number, {"temperament": temperament, "talk_seconds": chance.choice((1, 2, 3)), "ring_seconds": 1})
            extensions.append(Extension(number=number, name=f"Agente {number}"))
            members.append((index, len(extensions) - 1, position))
    departments = Department.objects.bulk_create(departments)
    extensions = Extension.objects.bulk_create(extensions)
    Membership.objects.bulk_create(
        Membership(department=departments[d], extension=extensions[e], position=p) for d, e, p in members
    )
    return [department.slug for department in departments]


def _pick(chance: random.Random, weighted: dict[str, int]) -> str:
    names: Sequence[str] = tuple(weighted)
    return chance.choices(names, tuple(weighted.values()))[0]
