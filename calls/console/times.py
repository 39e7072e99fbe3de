"""Times and lengths of time as the pages show them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.formats import number_format

from calls import selectors
from calls.models import Transfer


def local(at: datetime | None, transfer: Transfer) -> datetime | None:
    """In the department's zone. Templates show it inside {% localtime off %}, or they would turn it into another."""
    return at.astimezone(ZoneInfo(transfer.department.timezone)) if at else None


def clock(length: timedelta) -> str:
    """0:07, 12:30, 1:02:03."""
    seconds = max(0, int(length.total_seconds()))
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def known_seconds(transfer: Transfer, words: Mapping[str, str]) -> list[tuple[str, str]]:
    """`words` for what selectors.timings() names, where it has come to be, with the seconds as written here."""
    known = selectors.timings(transfer)
    return [(text, number_format(known[name], 1)) for name, text in words.items() if known[name] is not None]
