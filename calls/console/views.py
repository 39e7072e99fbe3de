"""The pages: the day's transfers, and one transfer. Each has a fragment that it fetches again while it is seen."""

import hashlib

from django.contrib.auth.decorators import login_required, permission_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from calls.console import board
from calls.console.page import transfer_page
from calls.console.presenter import transfer_view
from calls.models import Department, Transfer
from calls.words import OUTCOMES


def console_page(view):
    """For who may see transfers: strangers go to the login page, people without the right get 403."""
    allowed = permission_required("calls.view_transfer", raise_exception=True)(view)
    return require_safe(login_required(never_cache(allowed)))


@console_page
def transfers(request: HttpRequest) -> HttpResponse:
    context = _board(request)
    filters = context["filters"]
    context |= {
        "departments": Department.objects.values_list("slug", "name"),
        "outcomes": OUTCOMES.items(),
        "now_ms": _now_ms(),
        "filtered": bool(filters.query),
    }
    return render(request, "console/transfers.html", context)


@console_page
def transfers_fragment(request: HttpRequest) -> HttpResponse:
    return _fragment(request, "console/_rows.html", _board(request))


@console_page
def transfer(request: HttpRequest, pk) -> HttpResponse:
    return render(request, "console/transfer.html", {"page": _page(request, pk), "now_ms": _now_ms()})


@console_page
def transfer_fragment(request: HttpRequest, pk) -> HttpResponse:
    return _fragment(request, "console/_page.html", {"page": _page(request, pk)})


def sees_numbers(request: HttpRequest) -> bool:
    return request.user.has_perm("calls.see_numbers")


def _board(request: HttpRequest) -> dict:
    filters = board.Filters.read(request.GET)
    sees = sees_numbers(request)
    page = Paginator(board.rows(filters, sees_numbers=sees), board.PER_PAGE).get_page(request.GET.get("page"))
    return {
        "filters": filters,
        "page": page,
        "rows": [transfer_view(each, sees_numbers=sees) for each in page],
        "numbers": board.numbers_of(filters),
    }


def _page(request: HttpRequest, pk):
    found = get_object_or_404(board.with_rows(Transfer.objects.all()).prefetch_related("events", "utterances"), pk=pk)
    return transfer_page(found, sees_numbers=sees_numbers(request))


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
    return int(timezone.now().timestamp() * 1000)
