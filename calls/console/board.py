"""Which transfers a page shows, fetched in a fixed number of queries."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from statistics import median
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, Max, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.utils import timezone

from calls.console.presenter import WAITING
from calls.console.times import clock
from calls.models import Attempt, Transfer, Utterance
from calls.rights import Rights
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
    agent: str = ""  # an extension's number

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
            agent=asked.get("agent", "")[:32],
        )

    @property
    def is_today(self) -> bool:
        return self.day == company_today()

    @property
    def query(self) -> str:
        values = {
            "department": self.department, "outcome": self.outcome, "agent": self.agent, "text": self.text,
        }  # fmt: skip
        if not self.is_today:
            values["day"] = self.day.isoformat()
        return urlencode({name: value for name, value in values.items() if value})


def company_today() -> date:
    return timezone.now().astimezone(ZoneInfo(settings.TIME_ZONE)).date()


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(settings.TIME_ZONE))


def live(filters: Filters, rights: Rights) -> QuerySet[Transfer]:
    """What still goes on, the longest waiting first; nothing on the page of another day."""
    if not filters.is_today or filters.outcome not in ("", LIVE):
        return Transfer.objects.none()
    return _narrowed(~Q(state=State.ENDED.value), filters, rights).order_by("requested_at", "pk")


def ended(filters: Filters, rights: Rights) -> QuerySet[Transfer]:
    """What came to its end, of those requested that day, the newest first."""
    if filters.outcome == LIVE:
        return Transfer.objects.none()
    wanted = Q(state=State.ENDED.value) & _of_day(filters.day)
    if filters.outcome:
        wanted &= Q(outcome=filters.outcome)
    return _narrowed(wanted, filters, rights).order_by("-requested_at")


def shown(filters: Filters, rights: Rights) -> QuerySet[Transfer]:
    """What is in either list."""
    return live(filters, rights).order_by() | ended(filters, rights).order_by()


def keys(transfers: QuerySet[Transfer]) -> list[tuple[UUID, int, int | None]]:
    """Of each its id, its version, and the id of what was said last: a row is the same as long as these are."""
    last = Utterance.objects.filter(transfer=OuterRef("pk")).order_by("-pk").values("pk")[:1]
    return list(transfers.values_list("pk", "version", Subquery(last)))


def _narrowed(wanted: Q, filters: Filters, rights: Rights) -> QuerySet[Transfer]:
    if filters.department:
        wanted &= Q(department__slug=filters.department)
    if filters.agent:
        wanted &= Q(agent__number=filters.agent) | Q(
            pk__in=Attempt.objects.filter(extension__number=filters.agent).values("transfer")
        )
    if filters.text:
        wanted &= _mentions(filters.text, rights.sees_numbers)
    return rights.narrow(with_rows(Transfer.objects.filter(wanted)))


def _of_day(day: date) -> Q:
    return Q(requested_at__gte=midnight(day), requested_at__lt=midnight(day + timedelta(days=1)))


def with_rows(transfers: QuerySet[Transfer]) -> QuerySet[Transfer]:
    """With all that presenter.transfer_view() reads."""
    attempts = Prefetch("attempts", Attempt.objects.select_related("extension"))
    rows = transfers.select_related("department", "agent", "ticket", "client")
    return rows.prefetch_related(attempts, "supervisions")


def add_last_said(transfers: Iterable[Transfer]) -> list[Transfer]:
    """The same transfers, live ones with `last_said`: an Utterance, or None."""
    found = list(transfers)
    talking = [each.pk for each in found if each.state != State.ENDED]
    last = Utterance.objects.filter(transfer__in=talking).order_by().values("transfer").annotate(last=Max("pk"))
    lines = {line.transfer_id: line for line in Utterance.objects.filter(pk__in=last.values("last"))} if talking else {}
    for each in found:
        each.last_said = lines.get(each.pk)
    return found


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


@dataclass(frozen=True)
class Numbers:
    """Of one day; trials do not count. `rate`: whole percent of the ended that were accepted, None before any ended."""

    waiting: int  # for a person; who is being told or taken back waits no more
    talking: int
    ended: int
    accepted: int
    abandoned: int  # the caller hung up before anybody took the call
    tickets: int
    rate: int | None
    to_talk: str  # median from the request to the conversation, as a clock shows it; "" before the first


def numbers_of(day: date, rights: Rights) -> Numbers:
    """Over all departments that the reader sees, whatever the filters."""
    over = Q(state=State.ENDED.value)
    mine = rights.narrow(Transfer.objects.filter(_of_day(day), is_trial=False)).order_by()
    counts = mine.aggregate(
        waiting=Count("pk", filter=Q(state__in=[state.value for state in WAITING])),
        talking=Count("pk", filter=Q(state=State.CONNECTED.value)),
        ended=Count("pk", filter=over),
        accepted=Count("pk", filter=over & Q(outcome=Outcome.ACCEPTED.value)),
        abandoned=Count("pk", filter=over & Q(outcome=Outcome.CALLER_LEFT.value)),
        tickets=Count("ticket__pk"),
    )
    times = mine.exclude(connected_at=None).values_list("connected_at", "requested_at")
    seconds = [(connected - requested).total_seconds() for connected, requested in times]
    return Numbers(
        **counts,
        rate=round(100 * counts["accepted"] / counts["ended"]) if counts["ended"] else None,
        to_talk=clock(timedelta(seconds=median(seconds))) if seconds else "",
    )
