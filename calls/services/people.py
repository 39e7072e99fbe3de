"""What people at the console do to a transfer: one event each, recorded with who, when and why.

A person acts on what he saw: `seen_stage` is the stage for which his button was drawn (stage_of()). When the transfer
has moved on since, nothing is done and he is told so, for "reject" must not hit the next agent.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from calls.models import Department, SupervisorAction, Transfer
from calls.services import reasons
from calls.services.transfers import apply_event
from calls.transfer import events as e
from calls.transfer.machine import TABLE
from calls.transfer.states import Source, State, Verdict

REASON_LENGTH = 300


class Action(StrEnum):
    ACCEPT = "accept"
    REJECT = "reject"
    SKIP = "skip"
    REDIRECT = "redirect"  # its reason is the extension's number
    REPEAT = "repeat"
    TAKE_BACK = "take_back"
    END = "end"


@dataclass(frozen=True)
class Acted:
    """What came of an action. `refusal`: in words, "" when it was done."""

    transfer: Transfer
    refusal: str = ""

    @property
    def done(self) -> bool:
        return not self.refusal


_EVENTS: dict[Action, tuple[type[e.Event], Callable[[str, str, str], e.Event]]] = {
    # attempt's mark, username, reason -> the event
    Action.ACCEPT: (
        e.DecisionMade,
        lambda mark, by, why: e.DecisionMade(mark, e.Choice.ACCEPT, Source.CONSOLE, "", by),
    ),
    Action.REJECT: (
        e.DecisionMade,
        lambda mark, by, why: e.DecisionMade(mark, e.Choice.REJECT, Source.CONSOLE, why, by),
    ),
    Action.SKIP: (e.SkipRequested, lambda mark, by, why: e.SkipRequested(by)),
    Action.REDIRECT: (
        e.RedirectRequested,
        lambda mark, by, why: e.RedirectRequested(why, Source.CONSOLE, mark, by),
    ),
    Action.REPEAT: (e.RepeatRequested, lambda mark, by, why: e.RepeatRequested(mark, Source.CONSOLE, by)),
    Action.TAKE_BACK: (e.CancelRequested, lambda mark, by, why: e.CancelRequested(Source.CONSOLE, by)),
    Action.END: (e.EndRequested, lambda mark, by, why: e.EndRequested(by)),
}
# A decision that comes too late is no mistake to the machine; a person is told why it does nothing.
_LATE_DECISION = {
    State.CONNECTING: "being_connected",
    State.CONNECTED: "already_talking",
    State.INFORMING: "already_returning",
    State.RETURNING: "already_returning",
}


def why_not(state: str, action: Action) -> str:
    """In words, why the machine would refuse it in this state; "" when it would take it."""
    kind, _make = _EVENTS[action]
    rule = TABLE[State(state)][kind]
    if rule.verdict is Verdict.MOVED:
        return ""
    return reasons.words(rule.reason or _LATE_DECISION.get(State(state), "already_over"))


def stage_of(transfer: Transfer) -> str:
    """What a person acts upon: the state and which attempt it is of, e.g. "announcing-2"."""
    return f"{transfer.state}-{transfer.memory.get('attempts_made', 0)}"


def act(
    user: User, transfer_id: Any, action: Action, *, seen_stage: str, seen_version: int = 0, reason: str = ""
) -> Acted:
    """Do it, or say why not; recorded either way. Whether the person may is asked before (console.rights).

    Raises Transfer.DoesNotExist.
    """
    reason = reason.strip()[:REASON_LENGTH]
    with transaction.atomic():
        transfer = Transfer.objects.select_for_update(of=("self",)).get(pk=transfer_id)
        state = transfer.state
        refusal = why_not(state, action)
        if not refusal and stage_of(transfer) != seen_stage:
            refusal = _("The transfer has moved on meanwhile.")
        if not refusal:
            event = _EVENTS[action][1](transfer.memory.get("attempt", ""), user.get_username(), reason)
            applied = apply_event(transfer_id, event)
            transfer = applied.transfer
            if applied.verdict is not Verdict.MOVED:
                refusal = applied.reason or _("The transfer has moved on meanwhile.")
        record(user, action, transfer, refusal=refusal, reason=reason, version=seen_version, state=state)
    return Acted(transfer, refusal)


def record(
    user: User,
    action: str,
    transfer: Transfer | None = None,
    *,
    refusal: str = "",
    reason: str = "",
    version: int = 0,
    state: str = "",
    department: Department | None = None,
) -> SupervisorAction:
    """One line of the audit. `action`: a word that calls.console.actions.WORDS knows; `department`: where there is no
    transfer."""
    return SupervisorAction.objects.create(
        at=timezone.now(),
        user=user,
        username=user.get_username(),
        action=str(action),
        done=not refusal,
        note=refusal[:200],
        reason=reason[:REASON_LENGTH],
        transfer=transfer,
        transfer_short=transfer.short_id if transfer else "",
        department_id=transfer.department_id if transfer else department and department.pk,
        version=min(max(version, 0), 2**31 - 1),
        state=state or (transfer.state if transfer else ""),
    )
