"""The one door: every event of every transfer goes through apply_event(); nothing else moves one.

load -> machine.step -> row, log, outbox in one short transaction -> after the commit, wake who has to act. Nothing in
the transaction talks to a network.
"""

import hashlib
import json
import uuid
from collections import deque
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from calls import dispatch, errors, selectors
from calls.models import (
    ApiClient,
    Department,
    Extension,
    Switch,
    Transfer,
    TransferEvent,
    WebhookDelivery,
)
from calls.services import effects, limits, presences, questions, reasons, redirects, statements, store
from calls.services.showing import changed
from calls.threads import in_a_thread
from calls.transfer import events as e
from calls.transfer import machine
from calls.transfer.snapshot import Snapshot
from calls.transfer.states import State, Verdict
from calls.transfer.work import Deadline

log = structlog.get_logger(__name__)

# Fields of events that may hold speech, a number or a token: never in the log.
_PRIVATE = {"reason", "number", "numbers", "url", "by", "source"}


@dataclass(frozen=True)
class NewTransfer:
    """A request, validated by the API. Texts as the secretary wrote them; `start_after_ms` 0 to 10,000."""

    call_uuid: str
    department: str = ""
    destination: str = ""
    context: str = ""
    summary: str = ""
    caller_number: str = ""
    caller_name: str = ""
    callback_url: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    switch: str = ""
    start_after_ms: int = 0
    idempotency_key: str = ""
    is_trial: bool = False

    def fingerprint(self) -> str:
        """Of everything but the key itself."""
        body = {name: value for name, value in asdict(self).items() if name != "idempotency_key"}
        return hashlib.sha256(json.dumps(body, sort_keys=True, default=str).encode()).hexdigest()


@dataclass(frozen=True)
class Applied:
    """What came of an event. `reason`: of a refusal, in words."""

    verdict: Verdict
    transfer: Transfer
    reason: str = ""


def apply_event(transfer_id: Any, event: e.Event, *, by: str = "", now: datetime | None = None) -> Applied:
    """Step one transfer. Raises Transfer.DoesNotExist; never raises for what the world did."""
    plan = dispatch.Plan()
    with transaction.atomic():
        applied = _step(_locked(transfer_id), event, plan, by, now or timezone.now())
    transaction.on_commit(lambda: dispatch.deliver(plan))
    return applied


aapply_event = in_a_thread(apply_event)


def _locked(transfer_id: Any) -> Transfer:
    """The transfer with its row locked until the transaction ends. The few steps that need the department read it.

    Raises Transfer.DoesNotExist.
    """
    slug = "(SELECT slug FROM calls_switch WHERE id = switch_id) AS switch_slug"
    return statements.locked(Transfer, transfer_id, slug)


def _step(transfer: Transfer, event: e.Event, plan: dispatch.Plan, by: str, now: datetime) -> Applied:
    """One step, and what others learn of it."""
    began_in = transfer.state
    with statements.together():
        applied = _events(transfer, event, plan, by, now)
        if began_in == State.CONNECTED and transfer.state != began_in:
            presences.let_all_go(transfer, plan, now)
    if transfer.state != began_in:
        _webhook(transfer, plan)
    if applied.verdict is Verdict.MOVED:
        changed(transfer, plan)
    return applied


def _events(transfer: Transfer, event: e.Event, plan: dispatch.Plan, by: str, now: datetime) -> Applied:
    """The event and those that its effects answer with, until nothing more follows."""
    queue: deque[e.Event] = deque([event])
    first: Applied | None = None
    while queue:
        current = queue.popleft()
        before = store.load(transfer)
        result = machine.step(before, current, now)
        if isinstance(current, e.RedirectRequested):
            result = redirects.checked(result, before, transfer, current, plan)
        if result.verdict is Verdict.MOVED:
            if isinstance(current, e.AgentJoined):
                effects.answered_by(transfer, current, before)
            store.save(transfer, result.snapshot, current, now)
            store.note_attempt(transfer, result.snapshot, current, now)
        _record(transfer, before, result, current, by, now)
        for command in result.commands:
            answer = effects.carry_out(transfer, result.snapshot, command, plan, now)
            if answer is not None:
                queue.append(answer)
        if first is None:
            first = Applied(result.verdict, transfer, reasons.words(result.reason))
    assert first is not None
    return first


def _record(transfer: Transfer, before: Snapshot, result: machine.Step, event: e.Event, by: str, now: datetime) -> None:
    """The append-only log and one log line; neither holds speech or a telephone number."""
    name = type(event).__name__
    values = {f.name: getattr(event, f.name) for f in fields(event)}
    detail = {key: value for key, value in values.items() if key not in _PRIVATE and value not in ("", None)}
    if result.reason:
        detail["note"] = result.reason[:200]
    source = values.get("source") or ""
    statements.insert(
        TransferEvent(
            transfer=transfer,
            at=now,
            event=name,
            source=source,
            from_state=before.state.value,
            to_state=result.snapshot.state.value,
            verdict=result.verdict.value,
            detail=detail,
            by=(values.get("by") or by)[:150],
        )
    )
    log.info(
        "transfer.event",
        transfer=transfer.short_id,
        leg=result.snapshot.agent_uuid or transfer.caller_uuid,
        event_name=name,
        cause=values.get("cause") or values.get("kind") or "",
        from_state=before.state.value,
        to_state=result.snapshot.state.value,
        verdict=result.verdict.value,
    )


def _webhook(transfer: Transfer, plan: dispatch.Plan) -> None:
    if not transfer.callback_url:
        return
    document = selectors.transfer_document(selectors.transfers().get(pk=transfer.pk))
    delivery = WebhookDelivery.objects.create(
        transfer=transfer,
        version=transfer.version,
        payload=json.loads(json.dumps(document, default=lambda value: value.isoformat())),
    )
    plan.job("calls.jobs.deliver_webhook", delivery.pk)


# ---------------------------------------------------------------- requests
def create_transfer(new: NewTransfer, *, client: ApiClient | None = None) -> tuple[Transfer, bool]:
    """Take a request, or find the one this Idempotency-Key made. True when it is new.

    Raises the errors of calls.errors.
    """
    known = _repeated(new, client)
    if known is not None:
        return known, False
    department = _department(new)
    switch = _switch(new)
    if not new.is_trial:
        limits.check_room(switch)
    plan = dispatch.Plan()
    now = timezone.now()
    try:
        with transaction.atomic():
            transfer = _insert(new, client, department, switch, now)
            first = _first_event(transfer, now)
            if first is not None:
                _step(transfer, first, plan, client.name if client else "", now)
    except IntegrityError:
        return _lost_race(new, client, switch)
    changed(transfer, plan)
    transaction.on_commit(lambda: dispatch.deliver(plan))
    return transfer, True


def _department(new: NewTransfer) -> Department:
    if new.is_trial:  # also before callers may ask for it
        department = Department.objects.filter(slug=new.department).first()
    elif new.department:
        department = Department.objects.filter(slug=new.department, enabled=True).first()
    else:
        department = selectors.default_department()
    if department is None:
        raise errors.UnknownDepartment(new.department or "no department is set up")
    return department


def _switch(new: NewTransfer) -> Switch:
    """The one named, else the one that holds the call.

    A call that none of them knows goes to the first: it is refused there, as it would be with one switch.
    """
    usable = Switch.objects.filter(enabled=True)
    if new.is_trial:
        return Switch.everything.get(is_trial=True, slug=new.switch)
    if new.switch:
        usable = usable.filter(slug=new.switch)
        if not usable.exists():
            raise errors.UnknownSwitch(new.switch)
    connected = list(selectors.connected_switches().filter(pk__in=usable).order_by("id"))
    if not connected:
        raise errors.NoSwitchConnected("no telephone switch is connected")
    if usable.count() == 1:
        return connected[0]
    holder, all_answered = questions.locate(new.call_uuid, connected)
    if holder is None and not (all_answered and len(connected) == usable.count()):
        raise errors.NoSwitchConnected("the call may be on a telephone switch that does not answer")
    return holder or connected[0]


def _insert(
    new: NewTransfer, client: ApiClient | None, department: Department, switch: Switch, now: datetime
) -> Transfer:
    transfer = Transfer(
        id=uuid.uuid4(),
        department=department,
        destination=new.destination,
        switch=switch,
        caller_uuid=new.call_uuid,
        caller_number=new.caller_number,
        caller_name=new.caller_name,
        context=new.context,
        summary=new.summary,
        metadata=new.metadata,
        callback_url=new.callback_url,
        client=client,
        idempotency_key=new.idempotency_key or None,
        request_hash=new.fingerprint(),
        is_trial=new.is_trial,
        requested_at=now,
    )
    transfer.conference = f"transfer_{transfer.short_id}_{int(now.timestamp())}"
    snapshot = Snapshot(
        short_id=transfer.short_id,
        conference=transfer.conference,
        caller_uuid=transfer.caller_uuid,
        requested_at=now,
        policy=store.policy_of(department, switch, new.caller_number),
    )
    deadline = now + timedelta(milliseconds=new.start_after_ms)
    store.save(transfer, replace(snapshot, deadline=deadline, deadline_kind=Deadline.START), None, now)
    return transfer


def _first_event(transfer: Transfer, now: datetime) -> e.Event | None:
    """Out of hours (which a trial does not ask for), or nobody there at all: it ends at once, and the caller never
    leaves the secretary."""
    department = transfer.department
    if transfer.destination:
        somebody = redirects.reachable(transfer, transfer.destination).exists()
    else:
        somebody = selectors.agents_of(department, transfer.switch).exists()
    if not somebody or not (transfer.is_trial or selectors.department_is_open(department, now)):
        return e.NobodyToRing(busy=False)
    return e.DeadlinePassed(Deadline.START) if transfer.deadline == now else None


def _repeated(new: NewTransfer, client: ApiClient | None) -> Transfer | None:
    """The transfer that this client's Idempotency-Key has made, if any."""
    if not new.idempotency_key or client is None:
        return None
    known = Transfer.objects.filter(client=client, idempotency_key=new.idempotency_key).first()
    if known is not None and known.request_hash != new.fingerprint():
        raise errors.IdempotencyMismatch("this Idempotency-Key was used for another request")
    return known


def _lost_race(new: NewTransfer, client: ApiClient | None, switch: Switch) -> tuple[Transfer, bool]:
    """A unique constraint refused the row: the key was used meanwhile, or the call is in a transfer."""
    known = _repeated(new, client)
    if known is not None:
        return known, False
    current = Transfer.objects.filter(switch=switch, caller_uuid=new.call_uuid).exclude(state=State.ENDED.value).first()
    if current is None:  # it ended between the refusal and this look: the caller may simply ask again
        raise errors.NoSwitchConnected("try again")
    raise errors.AlreadyInTransfer(current)


# ---------------------------------------------------------------- deadlines
def run_due(switch_slug: str | None = None, *, limit: int = 100) -> int:
    """Apply every deadline that has passed; several processes may. Returns how many there were."""
    due = Transfer.objects.filter(deadline__lte=timezone.now())
    if switch_slug is not None:
        due = due.filter(switch__slug=switch_slug)
    ids = list(due.order_by("deadline").values_list("pk", flat=True)[:limit])
    for transfer_id in ids:
        plan = dispatch.Plan()
        with suppress(Transfer.DoesNotExist), transaction.atomic():  # erased meanwhile
            transfer = _locked(transfer_id)
            if transfer.deadline and transfer.deadline <= timezone.now():
                kind = store.load(transfer).deadline_kind
                _step(transfer, e.DeadlinePassed(kind), plan, "", timezone.now())
        dispatch.deliver(plan)
    release_forgotten()
    return len(ids)


def release_forgotten() -> int:
    """Extensions still claimed by transfers that ended a while ago: the end of the leg was never heard of."""
    long_ago = timezone.now() - timedelta(seconds=settings.FORGOTTEN_CLAIM_SECONDS)
    stale = Extension.objects.filter(claimed_by__state=State.ENDED.value, claimed_by__ended_at__lt=long_ago)
    # Looked for several times a second, found next to never: reading takes no write lock.
    return stale.update(claimed_by=None, claimed_at=None) if stale.exists() else 0
