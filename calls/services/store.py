"""Between the row and the machine's snapshot. Only this module writes Transfer's columns."""

from datetime import datetime

from django.conf import settings

from calls.models import Attempt, Department, Switch, Transfer
from calls.services import statements
from calls.transfer import events as e
from calls.transfer.snapshot import Caller, Policy, Snapshot, from_json, to_json
from calls.transfer.states import State

STEPPED = (
    "version", "state", "deadline", "memory", "outcome", "decision", "decided_by", "reason", "error", "agent",
    "agent_uuid", "parked_at", "answered_at", "announced_at", "decided_at", "connected_at", "ended_at",
)  # fmt: skip
"""The columns that a step may change."""


def policy_of(department: Department, switch: Switch, caller_number: str) -> Policy:
    """The department's limits as of now. LIMITS_DIVISOR shortens them all alike."""
    by = settings.LIMITS_DIVISOR
    return Policy(
        ring_seconds=department.ring_seconds / by,
        decision_seconds=department.decision_seconds / by,
        total_seconds=department.total_seconds / by,
        announce_seconds=max(60, department.decision_seconds + 45) / by,
        max_attempts=department.max_attempts,
        profile=switch.conference_profile,
        domain=switch.domain,
        return_to=department.return_to,
        after_call_to=department.after_call_to,
        caller_hears_music=department.caller_hears == Department.CallerHears.MUSIC,
        hold_music=switch.hold_music,
        allow_bridged=department.transfer_bridged,
        call_waiting=department.call_waiting,
        caller_number=caller_number,
        ticket_on=tuple(department.ticket_on),
        asks_omniplay=bool(settings.OMNIPLAY_URL) and not switch.is_trial,
    )


def load(transfer: Transfer) -> Snapshot:
    return from_json(transfer.memory)


def save(transfer: Transfer, snapshot: Snapshot, event: e.Event | None, now: datetime) -> None:
    """The snapshot and what follows from it into the row; `event` None: the row is new."""
    before = transfer.state
    transfer.memory = to_json(snapshot)
    transfer.state = snapshot.state.value
    transfer.deadline = snapshot.deadline
    transfer.outcome = snapshot.outcome.value if snapshot.outcome else ""
    transfer.decision = snapshot.decision.value if snapshot.decision else ""
    transfer.decided_by = snapshot.decided_by.value if snapshot.decided_by else ""
    transfer.reason = snapshot.reason[:300]
    transfer.error = snapshot.error[:200]
    if snapshot.agent_uuid:
        transfer.agent_uuid = snapshot.agent_uuid
    if snapshot.caller == Caller.INSIDE and transfer.parked_at is None:
        transfer.parked_at = now
    if isinstance(event, e.AgentJoined):
        transfer.answered_at = now
        transfer.announced_at = None
    elif isinstance(event, e.AnnouncementStarted) and transfer.announced_at is None:
        transfer.announced_at = now
    elif isinstance(event, e.DecisionMade):
        transfer.decided_at = now
    if before != State.CONNECTED and snapshot.state is State.CONNECTED:
        transfer.connected_at = now
    if before != State.ENDED and snapshot.state is State.ENDED:
        transfer.ended_at = now
    transfer.version += 1
    if event is None:
        transfer.save(force_insert=True)
    else:
        statements.update(transfer, STEPPED)


def note_attempt(transfer: Transfer, snapshot: Snapshot, event: e.Event, now: datetime) -> None:
    """What the switch said of the current attempt, into its row."""
    if isinstance(event, e.AgentRinging):
        Attempt.objects.filter(mark=event.attempt, ringing_at=None).update(ringing_at=now)
    elif isinstance(event, e.AgentAnswered):
        Attempt.objects.filter(mark=event.attempt).update(agent_uuid=event.uuid)
    elif isinstance(event, e.AgentJoined):
        Attempt.objects.filter(mark=event.attempt).update(
            agent_uuid=event.uuid, member_id=event.member_id, answered_at=now
        )
