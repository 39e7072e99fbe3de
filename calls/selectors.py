"""Reads. Nothing here writes, and no template or API builds these facts by itself."""

from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from calls import hours
from calls.models import Department, Extension, Holiday, Switch, Transfer
from calls.transfer.states import Outcome, State


def connected_switches(now: datetime | None = None) -> QuerySet[Switch]:
    """Switches with a process that holds the lease and an Event Socket that is up."""
    return Switch.objects.filter(enabled=True, connected=True, lease_until__gt=now or timezone.now())


def default_department() -> Department | None:
    """Whose limits a transfer takes that names only an extension: the one marked default, else the first."""
    enabled = Department.objects.filter(enabled=True)
    return enabled.filter(is_default=True).first() or enabled.order_by("id").first()


def department_is_open(department: Department, at: datetime | None = None) -> bool:
    """By its opening hours and holidays, in its own time zone."""
    spans = [(row.weekday, row.opens, row.closes) for row in department.opening_hours.all()]
    days = Holiday.objects.filter(Q(department=None) | Q(department=department))
    return hours.is_open(spans, [(day.date, day.every_year) for day in days], at or timezone.now(), department.timezone)


def agents_free(department: Department) -> int:
    """Enabled agents that no transfer holds now."""
    return department.members.filter(enabled=True, claimed_by=None).count()


def agents_of(department: Department, switch: Switch | None = None) -> QuerySet[Extension]:
    """Enabled agents in ringing order; with a switch, those it can ring (a trial's: all, they are simulated)."""
    agents = department.members.filter(enabled=True).order_by("memberships__position", "memberships__id")
    return agents if switch is None or switch.is_trial else agents.filter(Q(switch=None) | Q(switch=switch))


def transfers() -> QuerySet[Transfer]:
    """Those that integrators see: no trials. With all that transfer_document() reads, in a fixed number of queries."""
    real = Transfer.objects.filter(is_trial=False)
    return real.select_related("department", "ticket", "switch", "agent").prefetch_related("attempts")


def transfer_document(transfer: Transfer) -> dict[str, Any]:
    """The transfer as the API and the webhooks show it (design: names other programs rely on)."""
    ticket = getattr(transfer, "ticket", None)
    outcome = transfer.outcome or None
    return {
        "id": str(transfer.id),
        "state": transfer.state,
        "version": transfer.version,
        "final": is_final(transfer),
        "success": outcome == Outcome.ACCEPTED.value,
        "decision": transfer.decision or None,
        "outcome": outcome,
        "decided_by": transfer.decided_by or None,
        "reason": transfer.reason or None,
        "department": transfer.department.slug,
        "destination": transfer.destination or None,
        "attempts": [
            {
                "number": attempt.number,
                "extensions": attempt.numbers,
                "outcome": attempt.outcome or None,
                "cause": attempt.cause or None,
                "reason": attempt.reason or None,
                "started_at": attempt.started_at,
                "answered_at": attempt.answered_at,
                "ended_at": attempt.ended_at,
            }
            for attempt in transfer.attempts.all()
        ],
        "caller_uuid": transfer.caller_uuid,
        "agent_uuid": transfer.agent_uuid or None,
        "conference": transfer.conference,
        "switch": transfer.switch.slug,
        "ticket": {"protocol": ticket.protocol, "omniplay_id": ticket.omniplay_id or None} if ticket else None,
        "error": transfer.error or None,
        "metadata": transfer.metadata,
        "timings": timings(transfer),
    }


def is_final(transfer: Transfer) -> bool:
    """The result is known and will not change. Between two attempts the last one's outcome is not kept in the row."""
    return bool(transfer.outcome)


def timings(transfer: Transfer) -> dict[str, Any]:
    """Times of the stages reached, and the seconds people ask about (null where a stage was not reached)."""
    names = ("requested_at", "parked_at", "answered_at", "announced_at", "decided_at", "connected_at", "ended_at")
    result: dict[str, Any] = {name: getattr(transfer, name) for name in names}

    def seconds(start: datetime | None, end: datetime | None) -> float | None:
        return round((end - start).total_seconds(), 3) if start and end else None

    result["seconds_to_human"] = seconds(transfer.requested_at, transfer.connected_at)
    result["seconds_to_first_words"] = seconds(transfer.answered_at, transfer.announced_at)
    result["seconds_to_put_through"] = seconds(transfer.decided_at, transfer.connected_at)
    result["seconds_total"] = seconds(transfer.requested_at, transfer.ended_at)
    return result


def open_transfers(switch: Switch | None = None) -> QuerySet[Transfer]:
    """Everything that has not ended; of one switch if given."""
    live = Transfer.objects.exclude(state=State.ENDED.value)
    return live if switch is None else live.filter(switch=switch)
