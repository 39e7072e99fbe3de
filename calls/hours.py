"""When a department takes calls. Pure: spans, holidays and an instant in, yes or no out.

A span belongs to the date on which it begins, also the part of it behind midnight. A holiday takes away the spans that
begin on its date: who began the evening before works to the end of that span, and the night that would begin on the
holiday does not, not even its morning. A department without spans is open always, but for the holiday's 24 hours.

Clock changes: a span is one piece. It is open whenever the wall clock shows a time inside it, and does not close for an
hour because the clock was put back in the middle of it; so an hour that comes twice counts both times, and an hour
that does not come shortens the span.
"""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

Span = tuple[int, time, time]  # weekday (Monday 0), opens, closes; closes <= opens: over midnight
Day = tuple[date, bool]  # date, every year


def is_open(spans: Iterable[Span], holidays: Iterable[Day], at: datetime, timezone: str) -> bool:
    """Whether calls are taken at the aware instant `at`, by the clock of `timezone`.

    Raises ValueError for a naive `at`, zoneinfo.ZoneInfoNotFoundError for an unknown zone.
    """
    if at.tzinfo is None:
        raise ValueError("is_open needs an aware datetime")
    zone = ZoneInfo(timezone)
    today = at.astimezone(zone).date()
    spans, holidays = list(spans), list(holidays)
    if not spans:
        return not _is_holiday(today, holidays)
    return any(
        _covers(day, opens, closes, at, zone)
        for day in (today, today - timedelta(days=1))
        if not _is_holiday(day, holidays)
        for weekday, opens, closes in spans
        if weekday == day.weekday()
    )


def _is_holiday(day: date, holidays: list[Day]) -> bool:
    return any(
        day == holiday or (every_year and (day.month, day.day) == (holiday.month, holiday.day))
        for holiday, every_year in holidays
    )


def _covers(day: date, opens: time, closes: time, at: datetime, zone: ZoneInfo) -> bool:
    begins = datetime.combine(day, opens)
    ends = datetime.combine(day if closes > opens else day + timedelta(days=1), closes)
    if begins <= at.astimezone(zone).replace(tzinfo=None) < ends:
        return True
    # The wall clock says no, but a clock put back may only have gone behind the beginning, or passed the end once.
    return begins.replace(tzinfo=zone).timestamp() <= at.timestamp() < ends.replace(tzinfo=zone, fold=1).timestamp()
