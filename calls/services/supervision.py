"""Supervisors in a conversation: their telephone is rung into the conference, where they listen, whisper or join.

The transfer's state has no part in it: a supervision is a row of its own, with commands of its own in the outbox. It is
let go by the person, when he hangs up, and by the step that takes the transfer out of CONNECTED.
"""

import uuid
from collections.abc import Collection
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from calls import dispatch, rights
from calls.models import Supervision, SupervisorTelephone, Transfer
from calls.services import effects, store
from calls.services.people import Acted, record
from calls.services.presences import let_go, present
from calls.services.showing import show
from calls.threads import in_a_thread
from calls.transfer import commands as c
from calls.transfer.states import State

RING_SECONDS = 25
LEAVE = "leave_call"  # the audit's word
_Mode, _State = Supervision.Mode, Supervision.State


def supervise(user: User, transfer_id: Any, mode: str) -> Acted:
    """Ring the person's own telephone into the conversation, or change how he who is there takes part.

    `mode` of Supervision.Mode but HEAR. Recorded either way. Raises Transfer.DoesNotExist.
    """
    with transaction.atomic():
        transfer = _locked(transfer_id)
        telephone = SupervisorTelephone.objects.select_related("extension").filter(user=user).first()
        refusal = _why_not(user, transfer, mode, telephone)
        if not refusal:
            mine = present(transfer).filter(user=user).first()
            if mine is None:
                _ring(user, transfer, mode, telephone.extension.number)  # type: ignore[union-attr]
            else:
                Supervision.objects.filter(pk=mine.pk).update(mode=mode)
                if mine.state == _State.INSIDE:
                    _order(transfer, _set(transfer, mine, mode))
            show(transfer.pk)
        record(user, mode, transfer, refusal=refusal)
    return Acted(transfer, refusal)


def leave_call(user: User, transfer_id: Any) -> Acted:
    """Let the person's own telephone go. Raises Transfer.DoesNotExist."""
    with transaction.atomic():
        transfer = _locked(transfer_id)
        mine = list(present(transfer).filter(user=user))
        refusal = "" if mine else _("You are not in this conversation.")
        for row in mine:
            _order(transfer, let_go(transfer, row))
            _over(row, "")
        record(user, LEAVE, transfer, refusal=refusal)
    return Acted(transfer, refusal)


def supervision_happened(mark: str, what: str, *, uuid: str = "", member: int = 0, cause: str = "") -> None:
    """What the switch tells of a supervisor's telephone: `what` is "joined", "failed" or "left"."""
    with transaction.atomic():
        row = Supervision.objects.filter(mark=mark).first()
        if row is None:
            return
        transfer = _locked(row.transfer_id)
        row.refresh_from_db()
        if what != "joined":
            if row.state != _State.OVER:
                _over(row, cause)
            return
        row.uuid, row.member = uuid, member
        if row.state == _State.OVER or transfer.state != State.CONNECTED:
            row.save(update_fields=["uuid", "member"])
            _order(transfer, let_go(transfer, row))
            return
        row.state, row.began_at = _State.INSIDE, timezone.now()
        row.save(update_fields=["uuid", "member", "state", "began_at"])
        _order(transfer, _set(transfer, row, row.mode))
        show(transfer.pk)


def supervisors_lost(switch_id: int, channels: Collection[str]) -> None:
    """After a reconnect: whose leg is gone has left; who was being rung is not rung any more."""
    rows = Supervision.objects.exclude(state=_State.OVER).exclude(mode=_Mode.HEAR).filter(transfer__switch=switch_id)
    for row in rows.select_related("transfer"):
        if row.state == _State.INSIDE and row.uuid in channels:
            continue
        with transaction.atomic():
            _order(_locked(row.transfer_id), let_go(row.transfer, row))
            _over(row, "LOST")


asupervision_happened = in_a_thread(supervision_happened)
asupervisors_lost = in_a_thread(supervisors_lost)


# ---------------------------------------------------------------- parts
def _why_not(user: User, transfer: Transfer, mode: str, telephone: SupervisorTelephone | None) -> str:
    allowed = rights.rights_of(user)
    may = {_Mode.LISTEN: allowed.listens, _Mode.WHISPER: allowed.whispers, _Mode.JOIN: allowed.joins}
    if not may.get(_Mode(mode)) or not allowed.may_see(transfer):
        return _("You may not do this.")
    if transfer.state != State.CONNECTED:
        return _("Caller and agent are not talking with each other.")
    if transfer.is_trial:
        return _("In a trial no telephone rings: hear the announcement in the browser.")
    if telephone is None:
        return _("No telephone of your own is set; ask an administrator.")
    if not telephone.extension.enabled:
        return _("Your own telephone takes no calls.")
    if transfer.agent_id == telephone.extension_id:
        return _("It is your own telephone that is in this conversation.")
    return ""


def _locked(transfer_id: Any) -> Transfer:
    rows = Transfer.objects.select_for_update(of=("self",)).select_related("department", "switch")
    return rows.get(pk=transfer_id)


def _ring(user: User, transfer: Transfer, mode: str, number: str) -> None:
    row = Supervision.objects.create(
        transfer=transfer,
        user=user,
        username=user.get_username(),
        mode=mode,
        state=_State.RINGING,
        number=number,
        mark=uuid.uuid4().hex[:16],
        asked_at=timezone.now(),
    )
    policy = store.load(transfer).policy
    _order(
        transfer,
        c.DialSupervisor(
            str(row.mark), str(uuid.uuid4()), number, policy.domain, transfer.conference, policy.profile, RING_SECONDS
        ),
    )


def _set(transfer: Transfer, row: Supervision, mode: str) -> c.SetSupervision:
    return c.SetSupervision(str(row.mark), row.uuid, row.member, transfer.conference, str(mode))


def _over(row: Supervision, note: str) -> None:
    Supervision.objects.filter(pk=row.pk).update(state=_State.OVER, ended_at=timezone.now(), note=note[:64])
    show(row.transfer_id)


def _order(transfer: Transfer, command: c.SwitchCommand) -> None:
    plan = dispatch.Plan()
    effects.carry_out(transfer, store.load(transfer), command, plan, timezone.now())
    transaction.on_commit(lambda: dispatch.deliver(plan))
