"""Starts a trial's process beside the web process that was asked for it, and notices its end.

Beside this one, because a trial's simulated Realtime API listens on this machine only; in this one's process group, so
that whoever stops the web process stops it too.
"""

import socket
import subprocess
import sys
import threading
from pathlib import Path

import structlog
from django.db import connections

from calls import services
from calls.models import Trial

log = structlog.get_logger(__name__)

ROOT = Path(__file__).resolve().parents[2]


def this_host() -> str:
    """As in the ids of this machine's web processes."""
    return socket.gethostname()[:30]


def launch(trial: Trial) -> bool:
    """False: it could not be started, and the trial is over already."""
    command = [sys.executable, "manage.py", "run_trial", str(trial.pk)]
    try:
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL)
    except OSError as error:
        log.error("trial.not_started", error=error.strerror)
        services.end_trial(trial.pk, "not_started")
        return False
    threading.Thread(target=_wait, args=(process, trial.pk), name=f"trial {trial.pk}", daemon=True).start()
    return True


def _wait(process: subprocess.Popen, trial_id: int) -> None:
    code = process.wait()
    try:
        services.end_trial(trial_id, "" if code == 0 else "died")
    finally:
        connections.close_all()
