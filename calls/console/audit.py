"""What supervisors did: a page to look through, and the same as CSV."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from calls.console.actions import WORDS
from calls.console.board import company_today, midnight
from calls.console.door import audit_page
from calls.models import SupervisorAction
from calls.rights import Rights
from calls.words import STATES

PER_PAGE = 100
MOST_LINES = 100_000  # of one file
FIRST_DAYS = 7  # shown when nobody asks for other days


@dataclass(frozen=True)
class Filters:
    """Days of the company's zone, both included."""

    since: date
    until: date
    who: str = ""
    action: str = ""
    department: str = ""  # slug

    @classmethod
    def read(cls, asked) -> "Filters":
        today = company_today()
        return cls(
            since=_day(asked.get("since", ""), today - timedelta(days=FIRST_DAYS - 1)),
            until=_day(asked.get("until", ""), today),
            who=asked.get("who", "").strip()[:150],
            action=asked.get("action", "") if asked.get("action") in WORDS else "",
            department=asked.get("department", "")[:50],
        )

    @property
    def query(self) -> str:
        values = vars(self) | {"since": self.since.isoformat(), "until": self.until.isoformat()}
        return urlencode({name: value for name, value in values.items() if value})


def lines(filters: Filters, rights: Rights) -> QuerySet[SupervisorAction]:
    end = midnight(filters.until + timedelta(days=1))
    found = SupervisorAction.objects.filter(at__gte=midnight(filters.since), at__lt=end)
    if filters.who:
        found = found.filter(username__icontains=filters.who)
    if filters.action:
        found = found.filter(action=filters.action)
    if filters.department:
        found = found.filter(department__slug=filters.department)
    return rights.narrow(found).select_related("department")


@audit_page
def audit(request: HttpRequest) -> HttpResponse:
    filters = Filters.read(request.GET)
    page = Paginator(lines(filters, request.rights), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "filters": filters,
        "page": page,
        "lines": [(line, WORDS.get(line.action, line.action), STATES.get(line.state, "")) for line in page],
        "actions": WORDS.items(),
        "departments": request.rights.departments_to_choose().values_list("slug", "name"),
    }
    return render(request, "console/audit.html", context)


@audit_page
def audit_csv(request: HttpRequest) -> HttpResponse:
    found = lines(Filters.read(request.GET), request.rights)
    answer = HttpResponse("".join(_csv(found[:MOST_LINES])), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="audit.csv"'
    return answer


class _Echo:
    def write(self, text: str) -> str:
        return text


def _csv(found: QuerySet[SupervisorAction]) -> Iterator[str]:
    """Times in the company's zone. The mark at the beginning tells spreadsheets that it is UTF-8."""
    writer, zone = csv.writer(_Echo()), ZoneInfo(settings.TIME_ZONE)
    head = ("at", "who", "action", "done", "why_not", "reason", "department", "transfer", "state")
    yield "\ufeff" + writer.writerow(head)
    for line in found.iterator(chunk_size=500):
        words = (line.username, line.action, "1" if line.done else "0", line.note, line.reason)
        where = (line.department.slug if line.department else "", line.transfer_short, line.state)
        yield writer.writerow([line.at.astimezone(zone).isoformat(timespec="seconds"), *map(_tame, words + where)])


def _tame(text: str) -> str:
    """A cell that begins like a formula is one, to a spreadsheet."""
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _day(text: str, otherwise: date) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return otherwise
