"""What browsers are told not to do, who may try to log in how often, and what error pages never show."""

import re

from asgiref.sync import iscoroutinefunction
from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import sync_and_async_middleware
from django.views.debug import SafeExceptionReporterFilter

from calls import throttle

_COMMON = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
# The admin's pages (django-unfold) evaluate the expressions in their attributes (Alpine) and have style attributes;
# no script stands in them.
_ADMIN = _COMMON + "; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'"
_NOT_ALLOWED = "camera=(), microphone=(), geolocation=(), payment=(), usb=(), display-capture=()"


@sync_and_async_middleware
def headers(get_response):
    """Middleware: Content-Security-Policy and Permissions-Policy. Django's own adds the other headers."""
    if iscoroutinefunction(get_response):

        async def answer(request: HttpRequest) -> HttpResponse:
            return _protected(request, await get_response(request))
    else:

        def answer(request: HttpRequest) -> HttpResponse:
            return _protected(request, get_response(request))

    return answer


def _protected(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    policy = _ADMIN if request.path.startswith("/admin/") else _COMMON
    if connects_to := getattr(response, "connects_to", None):  # set by a view whose page opens sockets elsewhere
        policy += f"; connect-src 'self' {' '.join(connects_to)}"
    response.headers.setdefault("Content-Security-Policy", policy)
    response.headers.setdefault("Permissions-Policy", _NOT_ALLOWED)
    return response


class Backend(ModelBackend):
    """Passwords, of which an address may try LOGIN_FAILURES_PER_MINUTE wrong ones."""

    def authenticate(self, request, username=None, password=None, **credentials):
        address = request.META.get("REMOTE_ADDR", "") if request else ""
        if address and throttle.exhausted(throttle.LOGIN, address):
            raise PermissionDenied
        user = super().authenticate(request, username, password, **credentials)
        if user is None and address:
            throttle.count(throttle.LOGIN, address)
        return user


class ErrorPages(SafeExceptionReporterFilter):
    """DEBUG's error pages: addresses that hold a password are secrets too."""

    hidden_settings = re.compile(
        SafeExceptionReporterFilter.hidden_settings.pattern + "|DATABASE|REDIS|QUEUES|LAYERS",
        SafeExceptionReporterFilter.hidden_settings.flags,
    )
