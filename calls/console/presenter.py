"""From a transfer's rows to what the templates show: words, shapes, local times. Writes nothing, asks no database but
for what `board.with_rows()` has fetched before.

One transfer looks the same everywhere: on the first page, in a refreshed fragment and in a pushed message, all from
`transfer_view` and templates/console/_transfer.html.
"""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from calls.console.legs import Leg, legs
from calls.console.near import present_now
from calls.console.times import clock, local
from calls.models import Attempt, Transfer
from calls.rights import Rights
from calls.services.people import stage_of
from calls.transfer.states import Outcome, State
from calls.transfer.work import Deadline
from calls.words import OUTCOMES, STATES, masked

Words = str | Promise

# A shape tells what colour tells; the tone is the CSS class that gives the colour.
STATE_LOOKS = {
    State.REQUESTED: ("○", "wait"),
    State.PARKING: ("◔", "wait"),
    State.DIALLING: ("◑", "ring"),
    State.ANNOUNCING: ("◕", "ring"),
    State.CONNECTING: ("◉", "talk"),
    State.CONNECTED: ("●", "talk"),
    State.INFORMING: ("◇", "back"),
    State.RETURNING: ("◁", "back"),
}
OUTCOME_LOOKS = {
    Outcome.ACCEPTED: ("✓", "good"),
    Outcome.REJECTED: ("✕", "bad"),
    Outcome.CANCELLED: ("◁", "mute"),
    Outcome.CALLER_LEFT: ("—", "mute"),
    Outcome.ERROR: ("△", "fail"),
}
OTHER_OUTCOMES = ("○", "bad")

# When a transfer needs a person. The page counts on by itself, with the numbers that the row carries.
DECIDE_SOON_SECONDS = 5
WAITS_LONG_SECONDS = 60
WAITING = (State.REQUESTED, State.PARKING, State.DIALLING, State.ANNOUNCING, State.CONNECTING)
# What the person at the board reads beside the seconds that are left.
LIMITS = {
    Deadline.RING: gettext_lazy("rings for"),
    Deadline.DECISION: gettext_lazy("to decide"),
    Deadline.ANNOUNCE: gettext_lazy("for the announcement"),
    Deadline.PROMPT: gettext_lazy("for the message"),
}


@dataclass(frozen=True)
class TransferView:
    """One transfer as a row. Times are aware and local to the department; `since_ms` is Unix time in milliseconds."""

    key: str  # of the element in the page, stable over all versions
    id: str
    version: int
    live: bool
    shape: str
    tone: str
    stage: Words
    stage_detail: str  # "2 of 3" while telephones ring
    caller: str
    caller_name: str
    department: str
    agent: str
    attempts: int
    outcome: Words
    reason: str
    requested_at: datetime
    since_ms: int  # the caller waits or talks since; counted on in the browser while live
    waited: str  # until a person answered for good, or until it was over
    protocol: str
    ticket_state: Words
    is_trial: bool
    stage_mark: str  # calls.services.people.stage_of(): what a button of this row acts upon
    order: int  # among live ones: Unix milliseconds of the request, the longest waiting first
    long_at_ms: int  # when the wait becomes a long one, 0: never
    until_ms: int  # the limit that runs now, 0: none
    limit: Words  # and what it is for
    urgent_at_ms: int  # from when on the limit needs a person, 0: never
    needs: bool  # a person, as of now
    legs: list[Leg]
    said: str  # the last line spoken in this attempt, as far as the reader may see it
    said_by: Words
    acts: bool  # the reader, on a live one
    near: list[str]  # supervisors who hear or talk now, and how
    listens: bool
    whispers: bool
    joins: bool


def transfer_view(transfer: Transfer, rights: Rights, *, now: datetime | None = None) -> TransferView:
    """Needs department, agent and ticket selected, attempts with their extensions prefetched; `last_said` is optional
    (board.add_last_said)."""
    attempts = list(transfer.attempts.all())
    ticket = getattr(transfer, "ticket", None)
    live = transfer.state != State.ENDED
    shape, tone = STATE_LOOKS[State(transfer.state)] if live else OUTCOME_LOOKS.get(transfer.outcome, OTHER_OUTCOMES)
    since = transfer.connected_at or transfer.requested_at
    requested_ms = unix_ms(transfer.requested_at)
    kind = transfer.memory.get("deadline_kind", "")
    until_ms = unix_ms(transfer.deadline) if live and transfer.deadline and kind in LIMITS else 0
    real = not transfer.is_trial  # nobody is called to a simulated caller
    long_at_ms = requested_ms + WAITS_LONG_SECONDS * 1000 if real and transfer.state in WAITING else 0
    urgent_at_ms = until_ms - DECIDE_SOON_SECONDS * 1000 if real and kind == Deadline.DECISION and until_ms else 0
    now_ms = unix_ms(now or timezone.now())
    said = getattr(transfer, "last_said", None)
    return TransferView(
        key=f"t-{transfer.id.hex}",
        id=str(transfer.id),
        version=transfer.version,
        live=live,
        shape=shape,
        tone=tone,
        stage=STATES[transfer.state],
        stage_detail=_which_attempt(transfer, attempts),
        caller=transfer.caller_number if rights.sees_numbers else masked(transfer.caller_number),
        caller_name=transfer.caller_name,
        department=transfer.department.name,
        agent=agent_name(transfer, attempts),
        attempts=len(attempts),
        outcome=OUTCOMES.get(transfer.outcome, ""),
        reason=reason_words(transfer.reason),
        requested_at=local(transfer.requested_at, transfer),
        since_ms=unix_ms(since),
        waited=clock((transfer.connected_at or transfer.ended_at or since) - transfer.requested_at),
        protocol=(ticket.omniplay_id or ticket.protocol) if ticket else "",
        ticket_state=ticket.get_state_display() if ticket else "",
        is_trial=transfer.is_trial,
        stage_mark=stage_of(transfer),
        order=requested_ms,
        long_at_ms=long_at_ms,
        until_ms=until_ms,
        limit=LIMITS.get(kind, "") if until_ms else "",
        urgent_at_ms=urgent_at_ms,
        needs=any(at and at <= now_ms for at in (long_at_ms, urgent_at_ms)),
        legs=legs(transfer),
        said=said.text if said else "",
        said_by=said.get_who_display() if said else "",
        acts=live and rights.acts,
        near=present_now(transfer) if live else [],
        listens=live and rights.listens,
        whispers=live and rights.whispers,
        joins=live and rights.joins,
    )


def unix_ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _which_attempt(transfer: Transfer, attempts: list[Attempt]) -> str:
    if transfer.state not in (State.DIALLING, State.ANNOUNCING) or not attempts:
        return ""
    most = transfer.memory.get("policy", {}).get("max_attempts", transfer.department.max_attempts)
    return _("%(number)d of %(most)d") % {"number": attempts[-1].number, "most": most}


def agent_name(transfer: Transfer, attempts: list[Attempt]) -> str:
    """Who talks, or who was rung last."""
    if transfer.agent:
        return transfer.agent.name
    return attempt_agent(attempts[-1]) if attempts else transfer.destination


def attempt_agent(attempt: Attempt) -> str:
    """The agent of an attempt; of several rung at once, all until one answers."""
    return attempt.extension.name if attempt.extension else ", ".join(attempt.numbers)


def reason_words(reason: str) -> str:
    """The agent's own words, or ours for what he did."""
    ours = {
        "hung_up": _("hung up"),
        "declined": _("declined on the telephone"),
        "redirected": _("named another extension"),
    }
    return ours.get(reason, reason)
