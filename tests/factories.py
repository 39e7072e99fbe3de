"""Companies, people and transfers for tests, all arguments optional. Rows only: nothing here steps the machine."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import Permission, User
from django.utils import timezone

from calls import company
from calls.models import Attempt, Department, Switch, Ticket, Transfer, TransferEvent, Utterance
from calls.transfer.states import DECISION_OF_OUTCOME, AttemptOutcome, Outcome, Source, State

COMPANY = {
    "switches": [{"slug": "main", "name": "FreeSWITCH"}],
    "extensions": [{"number": "2001", "name": "Ana"}, {"number": "2002", "name": "Bruno"}],
    "departments": [
        {"slug": "vendas", "name": "Vendas", "default": True, "agents": ["2001", "2002"]},
        {"slug": "suporte", "name": "Suporte", "agents": ["2002"]},
    ],
}
_REACHED = list(State)


def make_company(**department: Any) -> Department:
    """Switch main, Ana 2001, Bruno 2002, departments vendas (default; `department` sets its fields) and suporte."""
    company.load(COMPANY)
    vendas = Department.objects.get(slug="vendas")
    if department:
        for name, value in department.items():
            setattr(vendas, name, value)
        vendas.save()
    return vendas


def make_user(name: str = "alice", *permissions: str, **fields: Any) -> User:
    """A person with these permissions, written as "calls.view_transfer"."""
    user = User.objects.create_user(name, password="senha", **fields)
    for each in permissions:
        app, codename = each.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return user


def make_transfer(
    state: State | str = State.ENDED,
    outcome: Outcome | str = "",
    *,
    department: Department | None = None,
    requested_at: datetime | None = None,
    attempts: list[tuple[str, AttemptOutcome | str]] | None = None,
    **fields: Any,
) -> Transfer:
    """A transfer that has come as far as `state`, with the times, attempts, log and ticket that such a one has.

    `attempts`: (extension number, outcome or "") in order; by default Ana, with what fits the state.
    """
    state = State(state)
    if state is State.ENDED and not outcome:
        outcome = Outcome.ACCEPTED
    department = department or Department.objects.filter(slug="vendas").first() or make_company()
    at = requested_at or timezone.now() - timedelta(seconds=40)
    mark = uuid.uuid4()
    reached = {name: at + timedelta(seconds=seconds) for name, seconds in _times(state, outcome).items()}
    decided = Outcome(outcome) if outcome else None
    values: dict[str, Any] = {
        "id": mark,
        "version": _REACHED.index(state) + 1,
        "state": state.value,
        "outcome": decided.value if decided else "",
        "decision": DECISION_OF_OUTCOME.get(decided, "") if decided else "",
        "decided_by": Source.VOICE.value if decided in (Outcome.ACCEPTED, Outcome.REJECTED) else "",
        "department": department,
        "switch": Switch.objects.first() or Switch.objects.create(slug="main", name="FreeSWITCH"),
        "caller_uuid": str(uuid.uuid4()),
        "caller_number": "5511987654321",
        "caller_name": "Maria Souza",
        "summary": "Quer mudar o endereço de entrega do pedido.",
        "conference": f"transfer_{mark.hex[:12]}_{int(at.timestamp())}",
        "requested_at": at,
        **reached,
    }
    transfer = Transfer.objects.create(**(values | fields))
    if attempts is None:
        attempts = [("2001", _attempt_outcome(outcome))] if _REACHED.index(state) >= 2 else []
    for number, (extension, attempt_outcome) in enumerate(attempts, 1):
        _attempt(transfer, number, extension, attempt_outcome, at + timedelta(seconds=12 * number - 10))
    if outcome == Outcome.ACCEPTED and transfer.attempts.exists() and "agent" not in fields:
        transfer.agent = transfer.attempts.last().extension
        transfer.save()
    if decided and decided not in (Outcome.ACCEPTED, Outcome.CANCELLED, Outcome.CALLER_LEFT):
        Ticket.objects.create(transfer=transfer, protocol=f"{at:%y%m%d}{mark.int % 10000:04}", created_at=at)
    _log(transfer, state, at)
    return transfer


def make_talk(transfer: Transfer) -> None:
    """What the announcer and the agent said."""
    attempt = transfer.attempts.last()
    lines = [
        (Utterance.Who.ANNOUNCER, "Olá, Ana. Maria Souza está na linha. Você pode atender agora?"),
        (Utterance.Who.AGENT, "Posso sim, pode passar."),
    ]
    for seconds, (who, text) in enumerate(lines, 10):
        at = transfer.requested_at + timedelta(seconds=seconds)
        Utterance.objects.create(transfer=transfer, attempt=attempt, who=who, text=text, at=at)


def _times(state: State, outcome: str) -> dict[str, int]:
    """Seconds after the request."""
    done = _REACHED.index(state)
    spoke = outcome in ("", Outcome.ACCEPTED, Outcome.REJECTED, Outcome.TIMEOUT)
    times = {"parked_at": 1} if done >= 2 else {}
    if spoke and done >= 3:
        times |= {"answered_at": 6, "announced_at": 7}
    if outcome == Outcome.ACCEPTED and done >= 5:
        times |= {"decided_at": 13, "connected_at": 14}
    if state is State.ENDED:
        times |= {"ended_at": 35}
    return times


def _attempt_outcome(outcome: str) -> str:
    return outcome if outcome in [each.value for each in AttemptOutcome] else ""


def _attempt(transfer: Transfer, number: int, extension: str, outcome: str, at: datetime) -> None:
    answered = outcome in ("", AttemptOutcome.ACCEPTED, AttemptOutcome.REJECTED, AttemptOutcome.TIMEOUT)
    answered = answered and transfer.state != State.DIALLING
    Attempt.objects.create(
        transfer=transfer,
        number=number,
        mark=uuid.uuid4().hex[:16],
        numbers=[extension],
        extension=transfer.department.members.model.objects.filter(number=extension).first(),
        outcome=outcome,
        reason="em reunião" if outcome == AttemptOutcome.REJECTED else "",
        cause={"busy": "USER_BUSY", "no_answer": "NO_ANSWER"}.get(outcome, ""),
        started_at=at,
        answered_at=at + timedelta(seconds=4) if answered else None,
        ended_at=at + timedelta(seconds=10) if outcome else None,
    )


def _log(transfer: Transfer, state: State, at: datetime) -> None:
    attempt = transfer.attempts.last()
    mark = {"attempt": attempt.mark} if attempt else {}
    steps: list[tuple[str, State, dict[str, Any], str]] = [
        ("DeadlinePassed", State.PARKING, {"kind": "start"}, ""),
        ("CallerParked", State.DIALLING, {"member_id": 1}, ""),
        ("AgentRinging", State.DIALLING, mark, ""),
        ("AgentJoined", State.ANNOUNCING, mark, ""),
        ("AnnouncementStarted", State.ANNOUNCING, mark, ""),
        ("DecisionMade", State.CONNECTING, {**mark, "choice": "accept"}, Source.VOICE.value),
        ("PutThroughDone", State.CONNECTED, mark, ""),
        ("AgentLeft", State.ENDED, mark, ""),
    ]
    before = State.REQUESTED
    for seconds, (event, after, detail, source) in enumerate(steps):
        if _REACHED.index(after) > _REACHED.index(state):
            break
        TransferEvent.objects.create(
            transfer=transfer,
            at=at + timedelta(seconds=seconds),
            event=event,
            source=source,
            from_state=before.value,
            to_state=after.value,
            verdict="moved",
            detail=detail,
        )
        before = after
