"""From a transfer's rows to what the templates show: words, shapes, local times. Writes nothing, asks no database but
for what `board.rows()` and `board.page()` have fetched before.

One transfer looks the same everywhere: on the first page, in a refreshed fragment and in a pushed message, all from
`transfer_view` and templates/console/_transfer.html.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from calls.models import Attempt, Transfer
from calls.transfer.states import Outcome, State
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


def transfer_view(transfer: Transfer, *, sees_numbers: bool) -> TransferView:
    """Needs department, agent and ticket selected, attempts with their extensions prefetched."""
    attempts = list(transfer.attempts.all())
    ticket = getattr(transfer, "ticket", None)
    live = transfer.state != State.ENDED
    shape, tone = STATE_LOOKS[State(transfer.state)] if live else OUTCOME_LOOKS.get(transfer.outcome, OTHER_OUTCOMES)
    since = transfer.connected_at or transfer.requested_at
    return TransferView(
        key=f"t-{transfer.id.hex}",
        id=str(transfer.id),
        version=transfer.version,
        live=live,
        shape=shape,
        tone=tone,
        stage=STATES[transfer.state],
        stage_detail=_which_attempt(transfer, attempts),
        caller=transfer.caller_number if sees_numbers else masked(transfer.caller_number),
        caller_name=transfer.caller_name,
        department=transfer.department.name,
        agent=agent_name(transfer, attempts),
        attempts=len(attempts),
        outcome=OUTCOMES.get(transfer.outcome, ""),
        reason=reason_words(transfer.reason),
        requested_at=local(transfer.requested_at, transfer),
        since_ms=int(since.timestamp() * 1000),
        waited=clock((transfer.connected_at or transfer.ended_at or since) - transfer.requested_at),
        protocol=(ticket.omniplay_id or ticket.protocol) if ticket else "",
        ticket_state=ticket.get_state_display() if ticket else "",
        is_trial=transfer.is_trial,
    )


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
    ours = {"hung_up": _("hung up"), "declined": _("declined on the telephone")}
    return ours.get(reason, reason)


def local(at: datetime | None, transfer: Transfer) -> datetime | None:
    """In the department's zone. Templates show it inside {% localtime off %}, or they would turn it into another."""
    return at.astimezone(ZoneInfo(transfer.department.timezone)) if at else None


def clock(length: timedelta) -> str:
    """0:07, 12:30, 1:02:03."""
    seconds = max(0, int(length.total_seconds()))
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"
