"""The switch process and its database: what it looks up, and what it does after an error, for it lives for months."""

from datetime import timedelta
from typing import Any

import structlog
from asgiref.sync import sync_to_async
from django.db import Error as DatabaseError
from django.db import connections
from django.utils import timezone

from calls.models import AudioSession, SwitchCommand, Transfer
from calls.threads import in_a_thread

__all__ = ["DatabaseError", "after_error", "process_of", "transfer_of"]

log = structlog.get_logger(__name__)

FRESH = timedelta(seconds=0.1)


async def after_error(error: DatabaseError, doing: str) -> None:
    """Note it, and drop the connection: Django itself would use the broken one for ever (no request ever ends here)."""
    log.warning("database.error", doing=doing, error=type(error).__name__)
    await sync_to_async(_drop)()


def _drop() -> None:
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()


async def transfer_of(row: SwitchCommand) -> Transfer:
    """As it is now, or as it was read with the row a moment ago."""
    if row.claimed_at is not None and timezone.now() - row.claimed_at < FRESH:
        return row.transfer
    return await _transfer(row.transfer_id)


@in_a_thread
def _transfer(transfer_id: Any) -> Transfer:
    return Transfer.objects.get(pk=transfer_id)


@in_a_thread
def process_of(transfer_id: Any, mark: str) -> str | None:
    sessions = AudioSession.objects.filter(
        transfer_id=transfer_id, state__in=[AudioSession.State.CLAIMED, AudioSession.State.LIVE]
    ).exclude(process=None)
    if mark:
        sessions = sessions.filter(leg=AudioSession.Leg.AGENT, attempt__mark=mark)
    else:
        sessions = sessions.filter(leg=AudioSession.Leg.CALLER)
    return sessions.order_by("-id").values_list("process_id", flat=True).first()
