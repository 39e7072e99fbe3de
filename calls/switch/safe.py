"""The gate between values and commands: what passes here is safe in a FreeSWITCH command, nothing else is. Pure."""

import re
import unicodedata
from collections.abc import Callable

from django.core.exceptions import ValidationError

from calls import validators

LONGEST_TEXT = 1000


class WordingError(ValueError):
    """A value that must not reach FreeSWITCH. The message names the field, never the value."""


def clean_text(value: str) -> str:
    """Free text as a channel variable can hold it, at most 1000 characters.

    uuid_setvar takes quotes and backslashes apart, answers +OK and sets nothing when it finds a dollar sign before a
    brace, and a dialplan that reads a variable expands it again, API calls included. So the signs that begin anything
    are replaced by harmless ones that look alike, and all blanks and invisible characters by single blanks.
    """
    visible = "".join(" " if unicodedata.category(sign)[0] in "CZ" else sign for sign in value)
    return " ".join(visible.translate(_HARMLESS).split())[:LONGEST_TEXT].strip()


_HARMLESS = str.maketrans({"{": "(", "}": ")", "\\": "/", "'": "\u2019"})  # \u2019: the typographic apostrophe


_VARIABLE = re.compile(r"transferhub_[a-z_]{1,40}\Z")
_MARK = re.compile(r"[0-9A-Za-z_-]{1,64}\Z")
_STAGE = re.compile(r"[0-9a-z]{1,24}\Z")
_FILE = re.compile(r"/[0-9A-Za-z_./@:+-]{1,400}\Z")  # what mod_audio_stream names: its folder, the leg's uuid
_URL = re.compile(r"wss?://[0-9A-Za-z.:_\[\]-]{1,255}(?:/[0-9A-Za-z._~/-]{0,300})?\Z")
_MUSIC = re.compile(r"[0-9A-Za-z_./:%(),;=@+-]{1,200}\Z")
_TRIAL_STEP = r"(?:ring_ready|sleep:\d{1,5}|answer|park|hangup:[A-Z_]{1,40}|set:transferhub_[a-z]{1,20}=[0-9a-z]{1,32})"
_TRIAL_LEG = re.compile(rf"m:\^:{_TRIAL_STEP}(?:\^{_TRIAL_STEP}){{0,9}}\Z")


def _checked(check: Callable[[str], None], field: str) -> Callable[[str], str]:
    def pass_on(value: str) -> str:
        try:
            check(value)
        except (ValidationError, TypeError) as error:
            raise WordingError(field) from error
        return value

    return pass_on


def _matching(pattern: re.Pattern[str], field: str) -> Callable[[str], str]:
    def pass_on(value: str) -> str:
        if not isinstance(value, str) or not pattern.match(value):
            raise WordingError(field)
        return value

    return pass_on


uuid = _checked(validators.check_call_uuid, "uuid")
name = _checked(validators.check_name, "name")
extension = _checked(validators.check_extension, "number")
destination = _checked(validators.check_destination, "destination")
mark = _matching(_MARK, "attempt")
job = _matching(_MARK, "job_uuid")
path = _matching(_FILE, "path")
url = _matching(_URL, "url")
stage = _matching(_STAGE, "stage")
music = _matching(_MUSIC, "music")
variable = _matching(_VARIABLE, "variables")
trial_leg = _matching(_TRIAL_LEG, "trial_leg")


def seconds(value: float) -> int:
    """A whole number above 0: `sched_api +0` and a timeout of 0 mean something else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 100_000:
        raise WordingError("seconds")
    return max(1, round(value))


def member(value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 1 << 31:
        raise WordingError("member")
    return value
