"""The pages: the board, one transfer, the wall. Each keeps itself fresh (docs/console.md says how)."""

import hashlib

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.gzip import gzip_page

from calls.console import alarms, board, rendered
from calls.console.actions import menus
from calls.console.door import console_page
from calls.console.near import may_hear_at
from calls.console.page import transfer_page
from calls.console.presenter import transfer_view, unix_ms
from calls.models import Extension, Transfer
from calls.words import OUTCOMES

MOST_LIVE = 500  # rows of live transfers on one page
WALL_ROWS = 6


@console_page
@gzip_page
def transfers(request: HttpRequest) -> HttpResponse:
    rights, filters = request.rights, board.Filters.read(request.GET)
    page = Paginator(board.ended(filters, rights), board.PER_PAGE).get_page(request.GET.get("page"))
    live = rendered.rows(board.keys(board.live(filters, rights)[:MOST_LIVE]), rights)
    context = {
        "filters": filters,
        "page": page,
        "live": sorted(live, key=lambda row: row.rank),
        "ended": rendered.rows(board.keys(page.object_list), rights),
        "numbers": board.numbers_of(filters.day, rights),
        "alarms": alarms.known(),
        "departments": rights.departments_to_choose().values_list("slug", "name"),
        "agents": Extension.objects.values_list("number", "name"),
        "outcomes": OUTCOMES.items(),
        "now_ms": _now_ms(),
        "filtered": bool(filters.query),
        "menus": menus(rights),
    }
    return render(request, "console/transfers.html", context)


@console_page
def transfer(request: HttpRequest, pk) -> HttpResponse:
    page = _page(request, pk)
    context = {"page": page, "alarms": alarms.known(), "now_ms": _now_ms(), "menus": menus(request.rights)}
    return may_hear_at(render(request, "console/transfer.html", context), request.rights)


@console_page
def transfer_fragment(request: HttpRequest, pk) -> HttpResponse:
    return _fragment(request, "console/_page.html", {"page": _page(request, pk)})


@console_page
def wall(request: HttpRequest) -> HttpResponse:
    return render(request, "console/wall.html", _wall(request) | {"now_ms": _now_ms()})


@console_page
def wall_fragment(request: HttpRequest) -> HttpResponse:
    return _fragment(request, "console/_wall.html", _wall(request))


def _wall(request: HttpRequest) -> dict:
    rights, today = request.rights, board.Filters(board.company_today())
    real = board.live(today, rights).filter(is_trial=False)
    live = [transfer_view(each, rights) for each in real[:MOST_LIVE]]
    queue = [each for each in live if each.long_at_ms]
    return {
        "queue": sorted(queue, key=lambda row: (not row.needs, row.order))[:WALL_ROWS],
        "numbers": board.numbers_of(today.day, rights),
        "alarms": alarms.known(),
    }


def _page(request: HttpRequest, pk):
    rights = request.rights
    every = board.with_rows(rights.narrow(Transfer.objects.select_related("trial")))
    related = ("events", "utterances", "audio_sessions", "supervisor_actions")
    found = get_object_or_404(every.prefetch_related(*related), pk=pk)
    return transfer_page(board.add_last_said([found])[0], rights)


def _fragment(request: HttpRequest, template: str, context: dict) -> HttpResponse:
    """304 while nothing changed. The server's clock travels beside the body, so that it does not change the body."""
    body = render_to_string(template, context, request=request)
    tag = f'"{hashlib.sha256(body.encode()).hexdigest()[:32]}"'
    if request.headers.get("If-None-Match") == tag:
        answer = HttpResponse(status=304)
    else:
        answer = HttpResponse(body)
    answer["ETag"] = tag
    answer["X-Server-Time"] = str(_now_ms())
    return answer


def _now_ms() -> int:
    return unix_ms(timezone.now())
