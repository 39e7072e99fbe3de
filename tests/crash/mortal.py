"""Runs a process of the product that kills itself: python -m tests.crash.mortal manage.py run_switch

DIE_AT=k sends itself SIGKILL after its k-th commit of something written or its k-th command to FreeSWITCH, whichever
way they come; without it nothing dies. Only a transaction's commit counts, since what stands before it is undone. What
is only read, and what a process writes when nothing happens (lease, heartbeat), does not count. The lease is short, so
that the next process need not wait for its end.
"""

import os
import runpy
import signal
import sys
from collections.abc import Callable
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

DIE_AT = int(os.environ.get("DIE_AT", "0"))
LEASE_SECONDS, RENEW_EVERY, MARGIN = 1.5, 0.4, 0.3
WRITES = ("INSERT", "UPDATE", "DELETE")
IDLE = ('"calls_switch"', '"calls_webprocess"', '"calls_presence"', "django_")
READS = ("global_getvar", "show ", "uuid_getvar", "uuid_exists", "conference json_list", "status", "module_exists")
done = 0
first = os.getpid()  # a worker does each job in a child of its own, and dies with it


def count() -> None:
    global done
    done += 1
    if done == DIE_AT:
        if os.getpid() != first:
            os.kill(first, signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)


def _counting_execute(execute: Callable[..., Any]) -> Callable[..., Any]:
    def counted(self: CursorWrapper, sql: Any, params: Any = None) -> Any:
        result = execute(self, sql, params)
        text = str(sql)
        if text.startswith(WRITES) and self.rowcount > 0 and not any(each in text for each in IDLE):
            if self.db.in_atomic_block:
                self.db.has_written = True
            else:
                count()
        return result

    return counted


def _counting_commit(commit: Callable[..., Any]) -> Callable[..., Any]:
    def counted(self: BaseDatabaseWrapper) -> None:
        commit(self)
        if getattr(self, "has_written", False):
            self.has_written = False
            count()

    return counted


def _counting_api(api: Callable[..., Any]) -> Callable[..., Any]:
    async def counted(self: Any, command: str, *more: Any, **options: Any) -> str:
        reply = await api(self, command, *more, **options)
        if not command.startswith(READS):
            count()
        return reply

    return counted


def prepare() -> None:
    CursorWrapper.execute = _counting_execute(CursorWrapper.execute)
    BaseDatabaseWrapper.commit = _counting_commit(BaseDatabaseWrapper.commit)
    import django

    django.setup()
    from calls.services import outbox
    from calls.switch import connection, lease

    outbox.LEASE_SECONDS = lease.LEASE_SECONDS = LEASE_SECONDS
    lease.RENEW_EVERY, lease.MARGIN, lease.ASK_EVERY = RENEW_EVERY, MARGIN, 0.2
    connection.Connection.api = _counting_api(connection.Connection.api)
    connection.Connection.bgapi = _counting_api(connection.Connection.bgapi)


def main() -> None:
    prepare()
    arguments = sys.argv[1:]
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = arguments
        runpy.run_path(arguments[0], run_name="__main__")


if __name__ == "__main__":
    main()
