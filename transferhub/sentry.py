"""Errors to Sentry, where SENTRY_DSN is set; nothing of this is imported otherwise (settings.py).

What leaves this machine is a list of what may, not of what may not: the kind of an exception and the places it came
through, the name of an event of ours, the transfer's short id and the switch. Never a message (the text of an
exception often quotes what it was about: a telephone number, a sentence, an address with a token), a variable, a
request, a header, or what was logged before. The machine's own log has the rest, found by the transfer's id.

One door: the handler below, behind every line of level ERROR (settings.LOGGING). Exceptions of RQ's jobs and those that
end a process are no log lines of ours, and are brought here as well.
"""

import logging
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

import sentry_sdk
from sentry_sdk.integrations.atexit import AtexitIntegration
from sentry_sdk.utils import event_from_exception, exc_info_from_error

from transferhub import env

AGAIN_SECONDS = 60  # the same error of the same place is told once in so long, however often it happens
REMEMBERED = 1000
FLUSH_SECONDS = 2.0

TAGS = ("process", "transfer", "switch")  # the only keys of a log line that are sent
EVENT = ("event_id", "timestamp", "platform", "level", "logger", "tags", "release", "environment", "server_name", "sdk")
FRAME = ("module", "function", "lineno", "in_app")
PROCESSES = {"uvicorn": "web", "daphne": "web", "runserver": "web", "run_switch": "switch", "rqworker": "worker"}


def start(dsn: str, **options: Any) -> None:
    """Point the SDK at `dsn` ("" only in tests: nowhere). Raises sentry_sdk.utils.BadDsn."""
    sentry_sdk.init(
        dsn,
        # Of the SDK's own watching nothing: each would send along what it sees of requests, queries and logs.
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[AtexitIntegration(callback=lambda pending, timeout: None)],
        before_send=only_what_may,
        include_local_variables=False,
        include_source_context=False,
        max_breadcrumbs=0,
        max_request_body_size="never",
        auto_session_tracking=False,
        send_client_reports=False,
        shutdown_timeout=FLUSH_SECONDS,
        release=env.text("SENTRY_RELEASE") or None,
        environment=env.text("SENTRY_ENVIRONMENT") or "production",
        **options,
    )


def only_what_may(event: Mapping[str, Any], hint: Any) -> dict[str, Any]:
    """The event with what may leave this machine, and nothing else, whoever put it together."""
    sent = {name: event[name] for name in EVENT if name in event}
    sent["tags"] = {name: str(value) for name, value in (event.get("tags") or {}).items() if name in TAGS}
    if "logentry" in event:
        sent["logentry"] = {"message": event["logentry"]["message"]}  # a constant name, see Handler
    errors = (event.get("exception") or {}).get("values") or []
    if errors:
        sent["exception"] = {"values": [_error(error) for error in errors]}
    return sent


def _error(error: Mapping[str, Any]) -> dict[str, Any]:
    sent = {name: error.get(name) for name in ("type", "module")}
    mechanism = error.get("mechanism") or {}
    names = ("type", "handled", "exception_id", "parent_id", "is_exception_group")
    sent["mechanism"] = {name: mechanism[name] for name in names if name in mechanism}
    frames = (error.get("stacktrace") or {}).get("frames") or []
    sent["stacktrace"] = {"frames": [{name: frame.get(name) for name in FRAME} for frame in frames]}
    return sent


class Handler(logging.Handler):
    """Lines of level ERROR: ours by the name of their event, anybody's by the exception they hold.

    A line of a library without an exception is not sent: its text cannot be trusted, and what is left says nothing.
    """

    def __init__(self, dsn: str):
        super().__init__(logging.ERROR)
        start(dsn)
        self._told: dict[tuple[Any, ...], float] = {}
        _watch_the_end_of_the_process(self)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            # A line of structlog is a dict until the stderr handler renders it; its "event" is a constant of our code.
            line = record.msg if isinstance(record.msg, dict) else {}
            error = _exception(line.get("exc_info") or record.exc_info)
            name = str(line.get("event", "")) if record.name.startswith(("calls.", "transferhub.")) else ""
            if error is not None or name:
                self.tell(error, record.name, name, line, record.levelname.lower(), handled=True)
        except Exception:
            self.handleError(record)

    def tell(
        self,
        error: BaseException | None,
        logger: str,
        name: str = "",
        line: Mapping[str, Any] | None = None,
        level: str = "error",
        *,
        handled: bool = False,
    ) -> None:
        """Hand one error to the SDK's own thread; whoever calls does not wait."""
        if self._is_old((logger, name, type(error), _place(error))):
            return
        if error is None:
            event: dict[str, Any] = {"logentry": {"message": name}}
        else:
            options = sentry_sdk.get_client().options
            mechanism = {"type": "logging", "handled": handled}
            event, _ = event_from_exception(exc_info_from_error(error), client_options=options, mechanism=mechanism)
            if name:
                event["logentry"] = {"message": name}
        tags = {tag: (line or {}).get(tag) for tag in TAGS} | {"process": _process()}
        event |= {"level": level, "logger": logger, "tags": {tag: value for tag, value in tags.items() if value}}
        sentry_sdk.capture_event(event)

    def _is_old(self, what: tuple[Any, ...]) -> bool:
        now = time.monotonic()
        if now - self._told.get(what, -AGAIN_SECONDS) < AGAIN_SECONDS:
            return True
        if len(self._told) >= REMEMBERED:
            self._told.clear()
        self._told[what] = now
        return False


def job_failed(job: Any, kind: type[BaseException], error: BaseException, trace: Any) -> bool:
    """RQ_EXCEPTION_HANDLERS: a job raised. Its process ends without waiting for threads, so we wait for the SDK's."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, Handler):
            handler.tell(error, "calls.jobs")
            sentry_sdk.flush(FLUSH_SECONDS)
    return True  # RQ goes on with its own


def _watch_the_end_of_the_process(handler: Handler) -> None:
    of_process, of_threads = sys.excepthook, threading.excepthook

    def process_ends(kind: type[BaseException], error: BaseException, trace: Any) -> None:
        if issubclass(kind, Exception):  # neither Ctrl-C nor sys.exit
            handler.tell(error, "process", level="fatal")
            sentry_sdk.flush(FLUSH_SECONDS)
        of_process(kind, error, trace)

    def thread_ends(told: Any) -> None:
        if isinstance(told.exc_value, Exception):
            handler.tell(told.exc_value, "thread", level="fatal")
        of_threads(told)

    sys.excepthook, threading.excepthook = process_ends, thread_ends


def _exception(found: Any) -> BaseException | None:
    """What exc_info of a line holds: True, an exception, or sys.exc_info()'s three."""
    if found is True:
        found = sys.exc_info()
    return found[1] if isinstance(found, tuple) else found if isinstance(found, BaseException) else None


def _place(error: BaseException | None) -> tuple[str, int] | None:
    trace = error.__traceback__ if error else None
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return (trace.tb_frame.f_code.co_filename, trace.tb_lineno) if trace else None


def _process() -> str:
    """Which of ours this process is: "web", "switch", "worker", or "other" for a command typed by a person."""
    words = [part.rpartition("/")[2] for part in getattr(sys, "orig_argv", sys.argv)]
    return next((PROCESSES[word] for word in words if word in PROCESSES), "other")
