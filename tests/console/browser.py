"""A web server of its own process on the test database, and a browser that looks at it.

What tests write with `Transfer.objects` is seen by the sockets' own look, once a second; what goes through
`calls.services` must be called with `outside()`, because Playwright's loop runs in the tests' thread.
"""

import os
import signal
import subprocess
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client

from calls.demo.orphans import ends_with_parent
from calls.demo.parts import product, url_of
from calls.demo.ports import free_port
from tests.database import address_of_test_database

LOCAL = "127.0.0.1"
SOON_MS = 20_000  # of a machine that does other things too; what has to be quick is measured in the page itself
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")


class WebServer:
    """The command of the real web process; start() returns when it answers."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="transferhub-web-", ignore_cleanup_errors=True)
        self._port = free_port()
        self.url = url_of(LOCAL, self._port)
        self._process: subprocess.Popen | None = None

    def start(self) -> None:
        environment = {
            "DJANGO_SETTINGS_MODULE": "transferhub.settings",
            "TRANSFERHUB_VAR_DIR": self._folder.name,
            "STATIC_ROOT": self._folder.name,
            "SECRET_KEY": settings.SECRET_KEY,
            "DATABASE_URL": address_of_test_database(),
            "REDIS_URL": settings.REDIS_URL,
            "AUDIO_BASE_URL": self.url.replace("http", "ws"),
            "REALTIME_FAILURES": "1000000",  # there is no API here, and no test is to be alarmed by another's failures
        }
        [web] = [part for part in product(LOCAL, self._port, settings.REDIS_URL, environment) if part.name == "web"]
        self._process = subprocess.Popen(
            web.command, env=os.environ | dict(web.environment), preexec_fn=ends_with_parent()
        )
        until = time.monotonic() + 30
        while not self._answers():
            assert self._process.poll() is None and time.monotonic() < until, "the web server does not start"
            time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        assert self._process
        self._process.send_signal(how)
        self._process.wait(10)

    def _answers(self) -> bool:
        with suppress(OSError):
            return urllib.request.urlopen(f"{self.url}/healthz", timeout=1).status == 200
        return False


def launched(playwright: Any) -> Any:
    """Chromium. Without one the tests fail: skipped, they would say nothing for years."""
    assert os.access(CHROMIUM, os.X_OK), f"No Chromium at {CHROMIUM}: apt install chromium, or set CHROMIUM."
    # Not the small /dev/shm of a container; and a page in the background is as awake as one in front.
    quiet = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-renderer-backgrounding"]
    return playwright.chromium.launch(executable_path=CHROMIUM, args=quiet)


def outside(function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """Call it in a thread where no event loop runs; its result."""
    result: list[Any] = []

    def call() -> None:
        try:
            result.append(function(*arguments, **named))
        finally:
            connections.close_all()

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    return result[0]


def log_in(context, url: str, name: str) -> None:
    """By a session of our own: the tests' password hasher is not the web process's."""
    browser = Client()
    browser.force_login(User.objects.get(username=name))
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": browser.session.session_key, "url": url}])


def comes_true(page, expression: str, patience_ms: int = SOON_MS) -> None:
    """Looked at from outside: the page's policy forbids it to evaluate anything."""
    until = time.monotonic() + patience_ms / 1000
    while not page.evaluate(expression):
        assert time.monotonic() < until, expression
        page.wait_for_timeout(50)


SAYS_WHEN = """(id) => {
    const element = document.getElementById(id);
    const began = performance.now();
    window.shown = new Promise((done) => {
        const look = () => { if (!element.hidden) done(performance.now() - began); };
        new MutationObserver(look).observe(element, {attributes: true});
        look();
    });
}"""


def shown_after_ms(page, element_id: str, happens: Callable[[], None]) -> float:
    """Milliseconds from just before `happens` until the hidden element is shown, by the page's own clock: how long
    Playwright takes to see it says nothing of the page."""
    page.evaluate(SAYS_WHEN, element_id)
    happens()
    page.locator(f"#{element_id}").wait_for(state="visible", timeout=SOON_MS)
    return page.evaluate("window.shown")


def row(page, transfer):
    return page.locator(f"tr[data-key=t-{transfer.id.hex}]")
