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
SOON_MS = 9000


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


def row(page, transfer):
    return page.locator(f"tr[data-key=t-{transfer.id.hex}]")
