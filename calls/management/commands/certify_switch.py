"""manage.py certify_switch: lives through the stories of a transfer on the real switch, with nobody's telephone."""

import os
import re
import secrets
import shutil
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from calls.certify.stories import LAST, STORIES
from calls.demo import valkey
from calls.demo.ports import free_port
from calls.switch.chosen import NoSwitch, choose, password_of

MOST_CALLS = 100
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "TZ", "VIRTUAL_ENV", "PYTHONPATH")
"""Of our environment the trial gets nothing else: a DATABASE_URL_FILE, say, would lead it to the real database."""
PREFIX = "transferhub-certify-"
OLD = 3600
"""Seconds: no run lasts so long. What is this old was left by one that was killed."""
_URL = re.compile(r"ws://[0-9A-Za-z._-]+(:\d{1,5})?\Z")


class Command(BaseCommand):
    help = (
        "Tries whole transfers on a FreeSWITCH and prints a certificate. No extension is rung, nothing is installed: "
        "the people are legs of the switch itself, and database, web and switch process are scratch ones. "
        "Ends with 0 when all is well, with 1 when not."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--switch", default="", help="short name of the switch, when there are several")
        parser.add_argument("--calls", type=int, default=4, help="transfers side by side (default 4)")
        parser.add_argument(
            "--audio-base-url",
            default="",
            help="ws://HOST:PORT at which the switch reaches this machine during the trial; found by itself when empty",
        )
        stories = [*STORIES, LAST[0]]
        parser.add_argument("--only", nargs="+", default=[], choices=stories, metavar="STORY", help=", ".join(stories))
        parser.add_argument("--output", type=Path, default=settings.VAR_DIR / "certificate.json")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["calls"] <= MOST_CALLS:
            raise CommandError(f"--calls is 1 to {MOST_CALLS}.")
        try:
            switch = choose(options["switch"])
            password = password_of(switch)
            url = _reached_at(options["audio_base_url"], switch.host)
            _forget_killed_runs()
            folder = Path(tempfile.mkdtemp(prefix=PREFIX))
            _, redis_url = valkey.configure(folder / "valkey", persist=False)
        except (NoSwitch, valkey.NoValkey) as error:
            raise CommandError(str(error)) from None
        except DatabaseError:
            raise CommandError("There is no database yet: run manage.py migrate first.") from None
        environment = {name: os.environ[name] for name in INHERITED if name in os.environ} | {
            "SECRET_KEY": secrets.token_urlsafe(32),
            "DJANGO_SETTINGS_MODULE": "transferhub.settings",
            "TRANSFERHUB_VAR_DIR": str(folder),
            "TMPDIR": str(folder),
            "DATABASE_URL": f"sqlite:///{folder / 'scratch.sqlite3'}",
            "REDIS_URL": redis_url,
            "FREESWITCH_HOST": switch.host,
            "FREESWITCH_PORT": str(switch.port),
            "FREESWITCH_PASSWORD": password,
            "FREESWITCH_PROFILE": switch.conference_profile,
            "PYTHONUNBUFFERED": "1",
            "LOG_LEVEL": "WARNING",
        }
        arguments = [str(folder), url, str(options["calls"]), str(options["output"].resolve()), *options["only"]]
        # In place of this process, which knows the real database: signals and the exit status are the trial's own.
        os.chdir(settings.BASE_DIR)
        os.execve(sys.executable, [sys.executable, "-m", "calls.certify", *arguments], environment)


def _forget_killed_runs() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if folder.stat().st_mtime < time.time() - OLD:
            shutil.rmtree(folder, ignore_errors=True)


def _reached_at(given: str, host: str) -> str:
    """Raises CommandError."""
    if given:
        if not _URL.match(given):
            raise CommandError("--audio-base-url is ws://HOST or ws://HOST:PORT, without a path.")
        return given if given.count(":") == 2 else f"{given}:{free_port('0.0.0.0')}"
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((host, 9))  # sends nothing: the system only chooses our side's address
            ours = probe.getsockname()[0]
    except OSError as error:
        raise CommandError(f"{host} cannot be reached: {error.strerror}") from None
    return f"ws://{ours}:{free_port(ours)}"
