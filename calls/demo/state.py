"""What the demo keeps in its var folder: secrets from run to run, the running one's lock, and what scripts read."""

import fcntl
import json
import os
import secrets
from pathlib import Path
from typing import IO, Any

SECRETS = "demo-secrets.json"
STATE = "demo.json"
LOCK = "demo.lock"


class NotRunning(RuntimeError):
    """There is no demo to talk to."""


class AlreadyRunning(RuntimeError):
    """Another demo uses this folder."""


def load_secrets(var: Path) -> dict[str, str]:
    """The demo's secrets, made at the first run. "api_key" is empty until a client was made."""
    path = var / SECRETS
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        kept = {}
    made = {
        "secret_key": secrets.token_urlsafe(48),
        "admin_password": secrets.token_urlsafe(9),
        "esl_password": secrets.token_urlsafe(12),
        "openai_api_key": "sk-demo-" + secrets.token_urlsafe(12),
        "omniplay_token": secrets.token_urlsafe(12),
        "api_key": "",
    } | kept
    if made != kept:
        save_secrets(var, made)
    return made


def save_secrets(var: Path, values: dict[str, str]) -> None:
    _write(var / SECRETS, values)


def write_state(var: Path, values: dict[str, Any]) -> None:
    """Tell scripts what runs. Readable by the owner only: it holds a password and a key."""
    _write(var / STATE, values)


def forget_state(var: Path) -> None:
    (var / STATE).unlink(missing_ok=True)


def read_state(var: Path) -> dict[str, Any]:
    """Raises NotRunning, in words."""
    try:
        return json.loads((var / STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise NotRunning("The demo is not running: start it with `make run` and wait for its addresses.") from error


def lock(var: Path) -> IO[str]:
    """Hold the folder for as long as the returned file is open. Raises AlreadyRunning."""
    file = (var / LOCK).open("a", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        try:
            where = f" at {read_state(var)['url']}"
        except (NotRunning, KeyError):
            where = ""  # it is just starting
        raise AlreadyRunning(
            f"A demo is already running{where} with its data in {var}: stop that one first."
        ) from error
    return file


def _write(path: Path, values: dict[str, Any]) -> None:
    """All or nothing, and never for a moment readable by others."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(values, file, indent=2)
        file.write("\n")
    draft.replace(path)
