"""One transfer's case for the judge: its rows, and what the switch has noted of its people."""

import time
from typing import Any

from calls.models import AudioSession, Extension, SwitchCommand, Ticket, Transfer
from calls.transfer import work
from calls.transfer.states import State, Verdict
from tests.chaos.company import LIMITS
from tests.chaos.judge import Acceptance, Agent, Caller, Case, Record
from tests.chaos.witness import Leg, WatchedSwitch

ANNOUNCE = max(60, LIMITS["decision_seconds"] + 45)


def limits(divisor: float) -> dict[str, float]:
    """Of each stage, in seconds; the two without a limit are left out."""
    return {
        "parking": work.PARK_LIMIT,
        "dialling": LIMITS["ring_seconds"] / divisor + work.RING_MARGIN + work.JOIN_LIMIT,
        "announcing": ANNOUNCE / divisor,
        "connecting": work.CONNECT_LIMIT * work.CONNECT_TRIES,
        "informing": 2 + work.PROMPT_LIMIT,
        "returning": work.HOME_LIMIT * work.HOME_TRIES,
    }


def case_of(
    switch: WatchedSwitch, number: int, asked_at: float, transfer_id: str, caller: Leg, returns: int, divisor: float
) -> Case:
    """In a thread: it reads the database. `returns`: to the menu, before this transfer."""
    transfer = Transfer.objects.filter(pk=transfer_id).first()
    if transfer is None:
        return Case(number, asked_at, None, _caller(caller, "", returns), now=time.time())
    attempts = set(transfer.attempts.values_list("mark", flat=True))
    return Case(
        number, asked_at, _record(transfer, divisor), _caller(caller, transfer.conference, returns),
        tuple(_agent(switch, leg, caller.uuid) for leg in switch.agents_of(attempts)),
        switch.unmuted.get(transfer.conference), time.time(), _note(transfer, caller),
    )  # fmt: skip


def _caller(leg: Leg, conference: str, returns: int) -> Caller:
    stays = [stay for stay in leg.stays if stay.conference == conference]
    last = stays[-1] if stays else None
    return Caller(
        in_at=stays[0].since if stays else None,
        out_at=last.until if last and last.until else leg.until if last else None,
        alive=leg.until is None,
        in_conference=leg.stay is not None,
        left_by_himself=leg.hung_up_by_himself,
        died_with_switch=leg.died_with_switch,
        returns=leg.returns - returns,
    )


def _agent(switch: WatchedSwitch, leg: Leg, caller: str) -> Agent:
    heard = dict(switch.people_heard(leg.uuid))
    ledger = switch.media.ledger
    return Agent(
        attempt=leg.attempt,
        rung_at=leg.since,
        answered_at=leg.answered_at,
        gone_at=leg.until,
        heard_caller=heard.pop(caller, 0.0),
        heard_by_caller=ledger.seconds_heard(caller, leg.uuid),
        heard_strangers=any(switch.legs[uuid].attempt != leg.attempt for uuid in heard if uuid in switch.legs),
    )


def _record(transfer: Transfer, divisor: float) -> Record:
    rows = list(transfer.events.order_by("id"))
    moved = [row for row in rows if row.verdict == Verdict.MOVED]
    bounds = limits(divisor)
    stages = [
        (row.to_state, row.at.timestamp(), bounds.get(row.to_state, float("inf")))
        for row in moved
        if row.to_state != State.ENDED and (row.from_state != row.to_state or row.event == "AgentClaimed")
    ]
    return Record(
        transfer=transfer.short_id,
        state=transfer.state,
        outcome=transfer.outcome,
        wants_ticket=transfer.outcome in transfer.department.ticket_on,
        tickets=Ticket.objects.filter(transfer=transfer).count(),
        acceptances=tuple(
            Acceptance(row.detail.get("attempt", ""), row.at.timestamp())
            for row in moved
            if row.event == "DecisionMade" and row.to_state == State.CONNECTING
        ),
        stages=tuple(stages),
        ended_at=transfer.ended_at.timestamp() if transfer.ended_at else None,
    )


def _note(transfer: Transfer, caller: Leg) -> str:
    """For whoever looks into it: what happened, when, in a line."""
    steps = " ".join(
        f"{row.at:%H:%M:%S.%f}"[:-3] + f" {row.event}({row.verdict})>{row.to_state}"
        for row in transfer.events.order_by("id")
    )
    stays = " ".join(f"{stay.conference[-12:]}:{stay.since:.1f}-{stay.until or 0:.1f}" for stay in caller.stays)
    return f"error={transfer.error!r} stays=[{stays}] {steps}"


def left_over(switch: WatchedSwitch) -> list[str]:
    """What still stands on the switch when all is over."""
    found = [f"conference {name}" for name in switch.conferences]
    found += [f"leg {leg.channel.name} {leg.attempt}" for leg in switch.legs.values() if leg.attempt and not leg.until]
    found += [f"timer {task.group}" for task in switch.timers.tasks.values() if task.group.startswith("th_")]
    return found


def rows_left_over() -> list[str]:
    """What the database still holds."""
    found: list[Any] = [f"transfer {t.short_id} {t.state}" for t in Transfer.objects.exclude(state=State.ENDED.value)]
    found += [f"extension {e.number} claimed" for e in Extension.objects.exclude(claimed_by=None)]
    found += [f"audio session {a.pk} {a.state}" for a in AudioSession.objects.exclude(state=AudioSession.State.CLOSED)]
    waiting = SwitchCommand.objects.filter(state__in=[SwitchCommand.State.WAITING, SwitchCommand.State.CLAIMED])
    found += [f"command {c.pk} {c.kind} {c.state}" for c in waiting]
    return found
