"""Settings of the tests: the product's own, on a Redis and a database that belong to the tests.

Without REDIS_URL a Valkey is started for this run (xdist's workers use the one of their controller). With REDIS_URL the
tests use its databases 9 and up, one a worker, and empty them. Without DATABASE_URL the test database is an SQLite
*file*, because other processes and threads must see it too. Everything is put into the environment, so that processes
which tests start find the same parts.
"""

import atexit
import os
import re
import subprocess
import tempfile
import time
from pathlib import Path

import redis

from calls.demo import valkey
from calls.demo.orphans import ends_with_parent


def _folder() -> Path:
    folder = tempfile.TemporaryDirectory(prefix="transferhub-tests-", ignore_cleanup_errors=True)
    atexit.register(folder.cleanup)
    return Path(folder.name)


def _start_valkey(folder: Path) -> str:
    command, url = valkey.configure(folder, persist=False)
    server = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=ends_with_parent()
    )
    atexit.register(lambda: (server.terminate(), server.wait(10)))
    until = time.monotonic() + 10
    while not valkey.answers(url):
        if server.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"The tests' own Valkey does not start: {' '.join(command)}")
        time.sleep(0.02)
    return url


def _database_of_worker(url: str) -> str:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    index = 10 + int(worker.removeprefix("gw")) if worker else 9
    return re.sub(r"(?<=[^/])/\d*$", "", url.rstrip("/")) + f"/{index}"


_var = _folder()
os.environ["TRANSFERHUB_VAR_DIR"] = str(_var)
os.environ["STATIC_ROOT"] = str(_var / "static")
(_var / "static").mkdir()
os.environ.setdefault("SECRET_KEY", "the tests' own key, known to everybody")
_server = os.environ.get("TESTS_REDIS_SERVER") or os.environ.get("REDIS_URL") or _start_valkey(_var / "valkey")
os.environ["TESTS_REDIS_SERVER"] = _server
os.environ["REDIS_URL"] = _database_of_worker(_server)
with redis.Redis.from_url(os.environ["REDIS_URL"]) as _client:
    _client.flushdb()
# A test must not reach the world because the developer's own environment does.
for _name in ("OPENAI_API_KEY", "OPENAI_REALTIME_URL", "OMNIPLAY_URL", "OMNIPLAY_TOKEN", "LIMITS_DIVISOR"):
    os.environ.pop(_name, None)
for _name in [name for name in os.environ if name.startswith(("FREESWITCH_", "SENTRY_"))]:
    os.environ.pop(_name)

from transferhub.settings import *  # noqa: E402, F403
from transferhub.settings import DATABASES  # noqa: E402

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["TEST"]["NAME"] = str(_var / "test.sqlite3")

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # real ones are slow on purpose
