"""Which transfers a page shows, fetched in a fixed number of queries."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import BooleanField, Case, Count, Prefetch, Q, QuerySet, Value, When
from django.utils import timezone

from calls.models import Attempt, Transfer
from calls.transfer.states import Outcome, State

PER_PAGE = 50
LIVE = "live"  # a value of the filter "outcome": what is still going on


@dataclass(frozen=True)
class Filters:
    """What the reader asked for. `day` is a date of the company's zone (TIME_ZONE)."""

    day: date
    department: str = ""  # slug
    outcome: str = ""  # a value of Outcome, or LIVE
    text: str = ""

    @classmethod
    def read(cls, asked) -> "Filters":
        """From a query string; what makes no sense is as if it were not there."""
        try:
            day = date.fromisoformat(asked.get("day", ""))
        except ValueError:
            day = company_today()
        outcome = asked.get("outcome", "")
        return cls(
            day=day,
            department=asked.get("department", "")[:50],
            outcome=outcome if outcome in [LIVE, *(each.value for each in Outcome)] else "",
            text=asked.get("text", "").strip()[:80],
        )

    @property
    def is_today(self) -> bool:
        return self.day == company_today()

    @property
    def query(self) -> str:
        values = {"department": self.department, "outcome": self.outcome, "text": self.text}
        if not self.is_today:
            values["day"] = self.day.isoformat()
        return urlencode({name: value for name, value in values.items() if value})


def company_today() -> date:
    return timezone.now().astimezone(ZoneInfo(settings.TIME_ZONE)).date()


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(settings.TIME_ZONE))


def rows(filters: Filters, *, sees_numbers: bool) -> QuerySet[Transfer]:
    """The day's transfers, live ones first, the newest first in each half. Today also shows what began before today
    and still lives."""
    of_day = Q(requested_at__gte=_midnight(filters.day), requested_at__lt=_midnight(filters.day + timedelta(days=1)))
    wanted = of_day | ~Q(state=State.ENDED.value) if filters.is_today else of_day
    if filters.department:
        wanted &= Q(department__slug=filters.department)
    if filters.outcome == LIVE:
        wanted &= ~Q(state=State.ENDED.value)
    elif filters.outcome:
        wanted &= Q(outcome=filters.outcome, state=State.ENDED.value)
    if filters.text:
        wanted &= _mentions(filters.text, sees_numbers)
    ended = Case(When(state=State.ENDED.value, then=Value(True)), default=Value(False), output_field=BooleanField())
    return with_rows(Transfer.objects.filter(wanted)).order_by(ended, "-requested_at")


def with_rows(transfers: QuerySet[Transfer]) -> QuerySet[Transfer]:
    """With all that presenter.transfer_view() reads."""
    attempts = Prefetch("attempts", Attempt.objects.select_related("extension"))
    return transfers.select_related("department", "agent", "ticket", "client").prefetch_related(attempts)


def _mentions(text: str, sees_numbers: bool) -> Q:
    found = (
        Q(caller_name__icontains=text)
        | Q(agent__name__icontains=text)
        | Q(ticket__protocol__startswith=text)
        | Q(ticket__omniplay_id=text)
        | Q(caller_uuid=text)
    )
    if sees_numbers:  # otherwise a number could be found out digit by digit
        found |= Q(caller_number__contains=text)
    return found


def numbers_of(filters: Filters) -> dict[str, int]:
    """live, ended, accepted and tickets of the day, over all departments; trials do not count."""
    start = _midnight(filters.day)
    day = Transfer.objects.filter(
        requested_at__gte=start, requested_at__lt=_midnight(filters.day + timedelta(days=1)), is_trial=False
    )
    ended = Q(state=State.ENDED.value)
    return day.aggregate(
        live=Count("pk", filter=~ended),
        ended=Count("pk", filter=ended),
        accepted=Count("pk", filter=ended & Q(outcome=Outcome.ACCEPTED.value)),
        tickets=Count("ticket__pk"),
    )
