"""What a process of the product may do last: it kills itself with SIGKILL after its k-th write or command.

Counted is each commit of something written (what stands before a commit is undone with it), each write outside a
transaction, and each command to FreeSWITCH, whichever way they come. What is only read, and what a process writes when
nothing happens (lease, heartbeat), does not count. The lease is short, so that the next process need not wait for its
end.
"""

import mmap
import os
import runpy
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

LEASE_SECONDS, RENEW_EVERY, MARGIN = 1.5, 0.6, 0.3
WRITES = ("INSERT", "UPDATE", "DELETE")
IDLE = ('"calls_switch"', '"calls_webprocess"', '"calls_presence"', "django_")
READS = ("global_getvar", "show ", "uuid_getvar", "uuid_exists", "conference json_list", "status", "module_exists")


class Fate:
    """In memory shared with the process it is of, and with that one's children: `done` counts, at `dies_at` it dies."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(bytes(16))
        with path.open("r+b") as file:
            self._numbers = memoryview(mmap.mmap(file.fileno(), 16)).cast("q")

    @property
    def done(self) -> int:
        return self._numbers[0]

    def begin(self, dies_at: int) -> None:
        """Count from here. 0: it lives."""
        self._numbers[0], self._numbers[1] = 0, dies_at

    def spare(self) -> None:
        """It lives, and goes on counting."""
        self._numbers[1] = 0

    def count(self) -> None:
        self._numbers[0] += 1
        if self._numbers[0] == self._numbers[1]:
            if os.getpid() != first:
                os.kill(first, signal.SIGKILL)
            os.kill(os.getpid(), signal.SIGKILL)


fate: Fate
first: int  # a worker does each job in a child of its own, and dies with it


def _counting_execute(execute: Callable[..., Any]) -> Callable[..., Any]:
    def counted(self: Any, sql: Any, params: Any = None) -> Any:
        result = execute(self, sql, params)
        text = str(sql)
        wrote = self.rowcount > 0 or (self.db.vendor == "sqlite" and "RETURNING" in text)  # read first
        if text.lstrip().startswith(WRITES) and wrote and not any(each in text for each in IDLE):
            if self.db.in_atomic_block:
                self.db.has_written = True
            else:
                fate.count()
        return result

    return counted


def _counting_commit(commit: Callable[..., Any]) -> Callable[..., Any]:
    def counted(self: Any) -> None:
        commit(self)
        if getattr(self, "has_written", False):
            self.has_written = False
            fate.count()

    return counted


def _counting_api(api: Callable[..., Any]) -> Callable[..., Any]:
    def counted(self: Any, command: str, *more: Any, **options: Any) -> Any:
        reply = api(self, command, *more, **options)
        if not command.startswith(READS):
            reply.add_done_callback(lambda _: fate.count())
        return reply

    return counted


def prepare() -> None:
    """Once, before the first process is born: everything imported, nothing connected."""
    import django
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.backends.utils import CursorWrapper

    django.setup()
    import calls.management.commands.run_switch
    import transferhub.asgi
    from calls import jobs
    from calls.services import outbox
    from calls.switch import connection, lease

    assert calls.management.commands.run_switch and transferhub.asgi
    CursorWrapper.execute = _counting_execute(CursorWrapper.execute)
    BaseDatabaseWrapper.commit = _counting_commit(BaseDatabaseWrapper.commit)
    jobs.OVERDUE = jobs.SENDING = timedelta(seconds=2)
    outbox.LEASE_SECONDS = lease.LEASE_SECONDS = LEASE_SECONDS
    lease.RENEW_EVERY, lease.MARGIN, lease.ASK_EVERY = RENEW_EVERY, MARGIN, 0.2
    connection.Connection.api = _counting_api(connection.Connection.api)
    connection.Connection.bgapi = _counting_api(connection.Connection.bgapi)


def run(arguments: list[str]) -> None:
    """What `python ARGUMENTS` would do, in a child."""
    global fate, first
    if "FATE" in os.environ:
        fate, first = Fate(Path(os.environ["FATE"])), os.getpid()
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = arguments
        runpy.run_path(arguments[0], run_name="__main__")
