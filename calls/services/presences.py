"""Whose telephones are in a conversation besides the two who talk, and how they are let go. See supervision.py."""

from datetime import datetime
from typing import Any

from calls import dispatch
from calls.models import Supervision, Transfer
from calls.services import effects, store
from calls.transfer import commands as c


def present(transfer: Transfer) -> Any:
    """Supervisors who are rung or inside; not those who only hear in the browser."""
    open_ones = Supervision.objects.filter(transfer=transfer).exclude(state=Supervision.State.OVER)
    return open_ones.exclude(mode=Supervision.Mode.HEAR)


def let_go(transfer: Transfer, row: Supervision) -> c.LetSupervisorGo:
    return c.LetSupervisorGo(str(row.mark), row.uuid, transfer.conference)


def let_all_go(transfer: Transfer, plan: dispatch.Plan, now: datetime) -> None:
    """The conversation is over. Part of the step that ends it."""
    for row in present(transfer):
        effects.carry_out(transfer, store.load(transfer), let_go(transfer, row), plan, now)
        Supervision.objects.filter(pk=row.pk).update(state=Supervision.State.OVER, ended_at=now)
