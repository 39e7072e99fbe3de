"""Who may enter a page of the console; views find his rights in `request.rights`."""

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from calls.rights import Rights, rights_of

View = Callable[..., HttpResponse]


def console_page(view: View) -> View:
    """For who may see transfers: strangers go to the login page, people without the right get 403."""
    return require_safe(login_required(never_cache(_with_rights(view, lambda rights: rights.sees))))


def console_action(view: View) -> View:
    """For who may act on transfers; POST only."""
    return require_POST(login_required(never_cache(_with_rights(view, lambda rights: rights.sees and rights.acts))))


def console_post(view: View) -> View:
    """POST by who may see transfers; the view asks for the right that it needs."""
    return require_POST(login_required(never_cache(_with_rights(view, lambda rights: rights.sees))))


def trial_page(view: View) -> View:
    """For who may try departments; the view looks at the method."""
    return login_required(never_cache(_with_rights(view, lambda rights: rights.sees and rights.tries)))


def audit_page(view: View) -> View:
    """For who may read what supervisors did."""
    return require_safe(login_required(never_cache(_with_rights(view, lambda rights: rights.audits))))


def _with_rights(view: View, allowed: Callable[[Rights], bool]) -> View:
    @wraps(view)
    def checked(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        request.rights = rights_of(request.user)  # type: ignore[attr-defined]
        if not allowed(request.rights):  # type: ignore[attr-defined]
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return checked
