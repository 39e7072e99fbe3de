"""What reaches Sentry, read from the bytes that a real SDK sends to a server of ours, and what never does."""

import gzip
import http.server
import json
import logging
import os
import queue
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import django_rq
import pytest
import sentry_sdk
import structlog

from calls.demo.ports import free_port
from transferhub import sentry
from transferhub.sentry import Handler, only_what_may

ROOT = Path(__file__).resolve().parent.parent
NUMBER, SPEECH, KEY = "5511987654321", "quero falar com a Ana", "thk_a_key_of_the_api"
SECRETS = (NUMBER, SPEECH, KEY)


class FakeSentry:
    """Takes envelopes over HTTP; `raw` is all that came, `events` the events in it."""

    def __init__(self) -> None:
        self.raw = ""
        self.events: queue.Queue[dict] = queue.Queue()
        fake = self

        class Answer(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                fake.take(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.dsn = f"http://public@127.0.0.1:{self._server.server_port}/1"

    def take(self, body: bytes) -> None:
        self.raw += body.decode()
        lines = body.decode().splitlines()
        for head, payload in zip(lines[1::2], lines[2::2], strict=True):
            assert json.loads(head)["type"] == "event"  # no sessions, no transactions, no logs
            self.events.put(json.loads(payload))

    def event(self, seconds: float = 30) -> dict:
        event = self.events.get(timeout=seconds)
        assert not [secret for secret in SECRETS if secret in self.raw]
        return event

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def fake():
    server = FakeSentry()
    yield server
    server.close()


@pytest.fixture
def logs(fake, monkeypatch):
    """The process' logs as with SENTRY_DSN set."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    handler = Handler(fake.dsn)
    logging.getLogger().addHandler(handler)
    yield structlog.get_logger("calls.tests")
    logging.getLogger().removeHandler(handler)
    sentry_sdk.get_client().close()
    sentry_sdk.init("")


def fail(number: str = NUMBER) -> None:
    try:
        headers = {"Authorization": f"Bearer {KEY}"}
        raise LookupError(f"{number} said {SPEECH} with {headers}")
    except LookupError as error:
        raise RuntimeError(f"no {number}") from error


def test_an_exception_in_our_log_is_told_by_its_kind_its_places_and_the_transfer(fake, logs):
    logging.getLogger().info("a breadcrumb with %s", NUMBER)
    try:
        fail()
    except RuntimeError:
        logs.exception("lane.failed", lane=SPEECH, transfer="9c0a3f315ada", switch="main", number=NUMBER)
    event = fake.event()
    assert (event["logentry"], event["logger"], event["level"]) == ({"message": "lane.failed"}, "calls.tests", "error")
    assert event["tags"] == {"transfer": "9c0a3f315ada", "switch": "main", "process": "other"}
    kinds = [error["type"] for error in event["exception"]["values"]]
    assert kinds == ["LookupError", "RuntimeError"] and "value" not in event["exception"]["values"][0]
    place = event["exception"]["values"][1]["stacktrace"]["frames"][-1]
    assert (place["module"], place["function"]) == ("tests.test_sentry", "fail") and set(place) <= set(sentry.FRAME)
    assert not {"breadcrumbs", "request", "user", "extra", "contexts", "modules"} & set(event)


def test_an_error_without_an_exception_is_told_by_its_name(fake, logs):
    logs.error("audio.never_told", events=3, transfer="9c0a3f315ada", text=SPEECH)
    event = fake.event()
    assert event["logentry"] == {"message": "audio.never_told"} and "exception" not in event


def test_what_a_library_writes_is_not_told_but_its_exception_is(fake, logs):
    logging.getLogger("django.request").error("Service Unavailable: /%s", NUMBER)
    logs.warning("ticket.failed", reason=SPEECH)
    try:
        fail()
    except RuntimeError:
        logging.getLogger("asyncio").error("Task exception was never retrieved: %s", NUMBER, exc_info=True)
    event = fake.event()
    assert event["logger"] == "asyncio" and "logentry" not in event
    assert fake.events.empty()


def test_the_same_error_again_and_again_is_told_once(fake, logs):
    for _ in range(50):
        logs.error("prompt.failed")
    logs.error("synthesis.failed")
    assert [fake.event()["logentry"]["message"] for _ in range(2)] == ["prompt.failed", "synthesis.failed"]


def test_whoever_puts_an_event_together_what_may_not_leave_is_taken_out():
    frame = {"module": "m", "function": "f", "lineno": 1, "in_app": True, "vars": {"n": NUMBER}, "context_line": SPEECH}
    event = {
        "level": "error",
        "request": {"headers": {"Authorization": KEY}},
        "user": {"ip_address": "192.0.2.1"},
        "breadcrumbs": {"values": [{"message": SPEECH}]},
        "extra": {"sys.argv": [KEY]},
        "tags": {"transfer": "9c0a", "number": NUMBER},
        "logentry": {"message": "lane.failed", "params": [NUMBER]},
        "exception": {"values": [{"type": "E", "value": NUMBER, "stacktrace": {"frames": [frame]}}]},
    }
    sent = json.dumps(only_what_may(event, None))
    assert not [secret for secret in (*SECRETS, "192.0.2.1") if secret in sent]
    assert json.loads(sent)["tags"] == {"transfer": "9c0a"}


def environment(fake: FakeSentry) -> dict[str, str]:
    """A process whose database is gone, and whose address would be no business of Sentry's."""
    gone = f"postgresql://{NUMBER}:{KEY}@127.0.0.1:1/transferhub"
    names = {"DATABASE_URL": gone, "SENTRY_DSN": fake.dsn, "DJANGO_SETTINGS_MODULE": "transferhub.settings"}
    return os.environ | names | {"SENTRY_ENVIRONMENT": "of a test"}


def test_a_switch_process_that_dies_tells_why(fake):
    subprocess.run(
        [sys.executable, "manage.py", "run_switch"], cwd=ROOT, env=environment(fake), capture_output=True, timeout=60
    )
    event = fake.event()
    assert (event["tags"]["process"], event["level"], event["environment"]) == ("switch", "fatal", "of a test")
    assert "OperationalError" in [error["type"] for error in event["exception"]["values"]]


def test_a_request_that_fails_is_told_by_the_web_process(fake):
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "transferhub.asgi:application", "--port", str(port), "--lifespan=off"]
    web = subprocess.Popen(
        command, cwd=ROOT, env=environment(fake), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        address = f"http://127.0.0.1:{port}/admin/login/?next={NUMBER}"
        cookies = {"Cookie": f"sessionid={KEY}; csrftoken={KEY}"}
        until = time.monotonic() + 30
        while fake.events.empty() and time.monotonic() < until:
            try:
                urllib.request.urlopen(urllib.request.Request(address, headers=cookies), timeout=10)
            except OSError:  # not up yet; then 500
                time.sleep(0.1)
        event = fake.event(1)
    finally:
        web.kill()
        web.wait(10)
    assert event["tags"]["process"] == "web"
    assert "OperationalError" in [error["type"] for error in event["exception"]["values"]]


def test_a_job_that_fails_is_told_by_the_worker(fake):
    queue_ = django_rq.get_queue()
    queue_.empty()
    queue_.enqueue("tests.test_sentry.fail", NUMBER)
    command = [sys.executable, "manage.py", "rqworker", "--burst", "default"]
    subprocess.run(command, cwd=ROOT, env=environment(fake), capture_output=True, timeout=60)
    events = [fake.event()]
    while not fake.events.empty():
        events.append(fake.event())
    told = {error["type"]: event for event in events for error in event["exception"]["values"]}
    assert told["RuntimeError"]["tags"]["process"] == "worker"
    queue_.empty()


def test_without_a_dsn_nothing_of_it_is_imported():
    environment = {name: value for name, value in os.environ.items() if name != "SENTRY_DSN"}
    code = "import sys, django; django.setup(); sys.exit('sentry_sdk' in sys.modules)"
    environment["DJANGO_SETTINGS_MODULE"] = "transferhub.settings"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, timeout=60).returncode == 0
