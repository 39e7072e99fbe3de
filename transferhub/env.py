"""Reading the environment: helpers that refuse what they do not understand.

A secret may also come from a file: NAME_FILE holds its path (Docker and systemd credentials).
"""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def text(name: str, default: str = "") -> str:
    """The variable's text, blanks at both ends removed."""
    return os.environ.get(name, default).strip()


def secret(name: str, default: str = "") -> str:
    """The secret NAME, or the content of the file that NAME_FILE names.

    Raises ImproperlyConfigured when NAME_FILE names a file that cannot be read.
    """
    path = text(f"{name}_FILE")
    if not path:
        return text(name, default)
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ImproperlyConfigured(f"{name}_FILE: cannot read {path}: {error.strerror}") from error


def number(name: str, default: float, *, least: float = 0) -> float:
    """A number not below `least`. Raises ImproperlyConfigured for anything else."""
    raw = text(name)
    if not raw:
        return default
    try:
        value = float(raw)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a number, not {raw!r}") from error
    if value < least:
        raise ImproperlyConfigured(f"{name} must be at least {least:g}, not {raw}")
    return value


def integer(name: str, default: int, *, least: int = 0) -> int:
    """As number(), a whole one."""
    value = number(name, default, least=least)
    if value != int(value):
        raise ImproperlyConfigured(f"{name} must be a whole number, not {value:g}")
    return int(value)


def one_of(name: str, default: str, *others: str) -> str:
    """One of the words, the first if nothing is set. Raises ImproperlyConfigured for any other."""
    value = text(name) or default
    if value not in (default, *others):
        raise ImproperlyConfigured(f"{name} must be one of {', '.join((default, *others))}, not {value!r}")
    return value


def switched_on(name: str, default: bool) -> bool:
    """true/false (also 1/0, yes/no, on/off). Raises ImproperlyConfigured for anything else."""
    raw = text(name).lower()
    if not raw:
        return default
    if raw in {"1", "true", "yes", "on"}:
        return True
    if raw in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} must be true or false, not {raw!r}")


def amounts(name: str, known: tuple[str, ...]) -> dict[str, float]:
    """`word=number,…` of known words. Raises ImproperlyConfigured for anything else."""
    found = {}
    for part in listed(name):
        word, _, raw = part.partition("=")
        try:
            found[word.strip()] = float(raw)
        except ValueError as error:
            raise ImproperlyConfigured(f"{name} must be like {known[0]}=1.5, not {part!r}") from error
        if word.strip() not in known or not 0 <= found[word.strip()] < float("inf"):
            raise ImproperlyConfigured(f"{name} knows {', '.join(known)} and no amount below 0, not {part!r}")
    return found


def listed(name: str, default: str = "") -> list[str]:
    """A comma-separated list, blanks and empty parts removed."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]
