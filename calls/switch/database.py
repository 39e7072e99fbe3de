"""A process that lives for months meets a database that restarts: what to do after an error."""

import structlog
from asgiref.sync import sync_to_async
from django.db import Error as DatabaseError
from django.db import connections

__all__ = ["DatabaseError", "after_error"]

log = structlog.get_logger(__name__)


async def after_error(error: DatabaseError, doing: str) -> None:
    """Note it, and drop the connection: Django itself would use the broken one for ever (no request ever ends here)."""
    log.warning("database.error", doing=doing, error=type(error).__name__)
    await sync_to_async(_drop)()


def _drop() -> None:
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()
