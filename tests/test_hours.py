"""Opening hours: midnight, holidays, clocks put forward and back."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from calls.hours import is_open

SAO_PAULO, NEW_YORK, LISBON = "America/Sao_Paulo", "America/New_York", "Europe/Lisbon"
MONDAY, FRIDAY, SATURDAY, SUNDAY = 0, 4, 5, 6
OFFICE = [(MONDAY, time(8), time(12)), (MONDAY, time(13), time(18))]
FRIDAY_NIGHT = [(FRIDAY, time(22), time(6))]
CHRISTMAS = date(2026, 12, 25)  # a Friday


def local(text: str, zone: str = SAO_PAULO, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


def open_minutes(spans, zone: str, day: date) -> list[datetime]:
    """The minutes (UTC) at which it is open, from noon before `day` to noon after it."""
    start = datetime.combine(day - timedelta(days=1), time(12), ZoneInfo(zone)).astimezone(UTC)
    return [at for at in (start + timedelta(minutes=n) for n in range(48 * 60)) if is_open(spans, [], at, zone)]


def is_one_piece(minutes: list[datetime]) -> bool:
    return minutes[-1] - minutes[0] == timedelta(minutes=len(minutes) - 1)


@pytest.mark.parametrize(
    "at, expected",
    [
        ("2026-11-23T07:59:59", False),
        ("2026-11-23T08:00:00", True),
        ("2026-11-23T11:59:59", True),
        ("2026-11-23T12:00:00", False),
        ("2026-11-23T13:00:00", True),
        ("2026-11-23T18:00:00", False),
        ("2026-11-24T09:00:00", False),
    ],
)
def test_a_span_opens_on_its_minute_and_closes_on_its_minute(at, expected):
    assert is_open(OFFICE, [], local(at), SAO_PAULO) is expected


def test_without_spans_it_is_always_open():
    assert is_open([], [], local("2026-11-22T03:00"), SAO_PAULO)


def test_without_spans_a_holiday_closes_its_own_24_hours():
    holidays = [(CHRISTMAS, False)]
    assert is_open([], holidays, local("2026-12-24T23:59:59"), SAO_PAULO)
    assert not is_open([], holidays, local("2026-12-25T00:00"), SAO_PAULO)
    assert not is_open([], holidays, local("2026-12-25T23:59:59"), SAO_PAULO)
    assert is_open([], holidays, local("2026-12-26T00:00"), SAO_PAULO)


@pytest.mark.parametrize(
    "at, expected",
    [
        ("2026-11-27T21:59", False),
        ("2026-11-27T22:00", True),
        ("2026-11-28T00:00", True),
        ("2026-11-28T05:59", True),
        ("2026-11-28T06:00", False),
        ("2026-11-27T05:00", False),
    ],
)
def test_a_span_over_midnight_belongs_to_the_evening_it_begins(at, expected):
    assert is_open(FRIDAY_NIGHT, [], local(at), SAO_PAULO) is expected


def test_sunday_night_runs_into_monday():
    assert is_open([(SUNDAY, time(23), time(1))], [], local("2026-11-23T00:30"), SAO_PAULO)


def test_equal_times_are_24_hours():
    spans = [(MONDAY, time(7), time(7))]
    assert is_open(spans, [], local("2026-11-23T07:00"), SAO_PAULO)
    assert is_open(spans, [], local("2026-11-24T06:59"), SAO_PAULO)
    assert not is_open(spans, [], local("2026-11-24T07:00"), SAO_PAULO)


def test_a_night_that_began_before_the_holiday_is_worked_to_its_end():
    thursday_night = [(3, time(22), time(6))]
    assert is_open(thursday_night, [(CHRISTMAS, False)], local("2026-12-25T05:00"), SAO_PAULO)


def test_a_night_that_would_begin_on_the_holiday_is_closed_to_its_end():
    assert not is_open(FRIDAY_NIGHT, [(CHRISTMAS, False)], local("2026-12-25T23:00"), SAO_PAULO)
    assert not is_open(FRIDAY_NIGHT, [(CHRISTMAS, False)], local("2026-12-26T05:00"), SAO_PAULO)


def test_a_yearly_holiday_closes_in_other_years_too_and_a_single_one_does_not():
    at = local("2027-12-25T10:00")
    assert not is_open([], [(CHRISTMAS, True)], at, SAO_PAULO)
    assert is_open([], [(CHRISTMAS, False)], at, SAO_PAULO)


def test_the_zone_decides_not_the_instants_own():
    nine_in_sao_paulo = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert is_open(OFFICE, [], nine_in_sao_paulo, SAO_PAULO)
    assert not is_open(OFFICE, [], nine_in_sao_paulo, NEW_YORK)


def test_a_holiday_is_the_date_of_the_zone():
    eleven_in_the_evening_before = datetime(2026, 12, 25, 2, tzinfo=UTC)
    assert is_open([], [(CHRISTMAS, False)], eleven_in_the_evening_before, SAO_PAULO)


def test_a_clock_put_back_inside_a_span_does_not_close_it():
    """New York, 1 November 2026: 01:59 EDT is followed by 01:00 EST. Saturday 22:00 to 01:30 ends the second time."""
    minutes = open_minutes([(SATURDAY, time(22), time(1, 30))], NEW_YORK, date(2026, 11, 1))
    assert len(minutes) == (3 * 60 + 30) + 60
    assert is_one_piece(minutes)


def test_a_span_that_opens_in_the_doubled_hour_opens_the_first_time():
    minutes = open_minutes([(SUNDAY, time(1, 30), time(4))], NEW_YORK, date(2026, 11, 1))
    assert minutes[0] == local("2026-11-01T01:30", NEW_YORK, fold=0).astimezone(UTC)
    assert is_one_piece(minutes)


def test_a_span_that_opens_in_the_missing_hour_opens_when_the_clock_has_jumped():
    """New York, 8 March 2026: 01:59 EST is followed by 03:00 EDT."""
    minutes = open_minutes([(SUNDAY, time(2, 30), time(5))], NEW_YORK, date(2026, 3, 8))
    assert minutes[0] == local("2026-03-08T03:00", NEW_YORK).astimezone(UTC)
    assert len(minutes) == 2 * 60


def test_a_night_over_the_missing_hour_is_an_hour_shorter():
    assert len(open_minutes([(SATURDAY, time(22), time(6))], NEW_YORK, date(2026, 3, 8))) == 7 * 60


def test_lisbon_changes_at_one_in_the_morning():
    assert len(open_minutes([(SATURDAY, time(20), time(4))], LISBON, date(2026, 3, 29))) == 7 * 60
    assert len(open_minutes([(SATURDAY, time(20), time(4))], LISBON, date(2026, 10, 25))) == 9 * 60


def test_sao_paulo_2018_midnight_itself_was_missing():
    """4 November 2018: 23:59 is followed by 01:00, so a span to half past midnight ends at once."""
    minutes = open_minutes([(SATURDAY, time(22), time(0, 30))], SAO_PAULO, date(2018, 11, 4))
    assert len(minutes) == 2 * 60


def test_sao_paulo_2018_the_last_hour_of_saturday_came_twice():
    """18 February 2018: 23:59 of Saturday is followed by 23:00 of the same Saturday."""
    minutes = open_minutes([(SATURDAY, time(22), time(23, 30))], SAO_PAULO, date(2018, 2, 18))
    assert len(minutes) == 90 + 60
    assert is_one_piece(minutes)


def test_sao_paulo_has_no_clock_change_any_more():
    assert len(open_minutes([(SATURDAY, time(20), time(4))], SAO_PAULO, date(2026, 2, 22))) == 8 * 60


def test_a_naive_instant_is_refused():
    with pytest.raises(ValueError):
        is_open([], [], datetime(2026, 1, 1), SAO_PAULO)
