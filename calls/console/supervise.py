"""A person comes near a call: hears the announcement in the browser, or has his own telephone rung into the talk."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import path, reverse
from django.utils.translation import gettext as _

from calls import services
from calls.console.actions import WORDS
from calls.console.door import console_post
from calls.console.near import HEAR, LEAVE, TELL, WAYS, for_browser, may
from calls.models import Transfer
from calls.words import STATES

REFUSED = 409


@console_post
def way(request: HttpRequest, pk, name: str) -> HttpResponse:
    """The first press asks, the second one (`confirmed`) does it; as calls.console.acting."""
    if not may(request.rights, name):
        raise PermissionDenied
    found = _transfer(request, pk)
    words, question = WAYS[name]
    refusal = ""
    if request.POST.get("confirmed") == "1":
        if name == LEAVE:
            refusal = services.leave_call(request.user, pk).refusal
        else:
            refusal = services.supervise(request.user, pk, name).refusal
    done = request.POST.get("confirmed") == "1"
    return _answer(request, found, name, words, question, refusal, done=done)


@console_post
def hear(request: HttpRequest, pk) -> HttpResponse:
    """The address of the socket (calls.voice.listen), good for a moment; 409 in words where nobody can be heard."""
    if not request.rights.listens:
        raise PermissionDenied
    found = _transfer(request, pk)
    url = services.listen_url(request.user, found)
    refusal = "" if url else _("No announcer is speaking now.")
    services.record(request.user, HEAR, found, refusal=refusal, version=found.version)
    url = for_browser(url, secure=request.is_secure())
    return JsonResponse({"url": url, "words": refusal}, status=REFUSED if refusal else 200)


@console_post
def tell(request: HttpRequest, pk) -> HttpResponse:
    """`reason` is what the announcer is to say. Needs no second press: nothing of the call changes by it."""
    if not request.rights.acts:
        raise PermissionDenied
    found = _transfer(request, pk)
    words, question = WORDS[TELL], _("What is the announcer to say?")
    asked = "reason" in request.POST
    refusal = services.tell_announcer(request.user, pk, request.POST["reason"]).refusal if asked else ""
    return _answer(request, found, TELL, words, question, refusal, done=asked, asks=_("what the announcer is to say"))


def _answer(
    request: HttpRequest, found: Transfer, name: str, words, question, refusal: str, *, done: bool, asks: str = ""
) -> HttpResponse:
    """As calls.console.acting answers: JSON for the page's script, else a page that asks, or that says why not."""
    status = REFUSED if refusal else 200
    if request.headers.get("Accept") == "application/json":
        said = refusal or _("Done: %(action)s") % {"action": words}
        return JsonResponse({"done": not refusal, "words": said, "now": str(STATES[found.state])}, status=status)
    if done and not refusal:
        return HttpResponseRedirect(reverse("console:transfer", args=[found.pk]))
    context = {
        "transfer": found, "action": name, "button": words, "question": question, "refusal": refusal,
        "now": STATES[found.state], "asks": asks,
    }  # fmt: skip
    return render(request, "console/action.html", context, status=status)


def _transfer(request: HttpRequest, pk) -> Transfer:
    return get_object_or_404(request.rights.narrow(Transfer.objects.select_related("department")), pk=pk)


urlpatterns = [
    path("transfers/<uuid:pk>/hear/", hear, name="hear"),
    path("transfers/<uuid:pk>/tell/", tell, name="tell"),
    *[path(f"transfers/<uuid:pk>/{name}/", way, {"name": str(name)}, name=f"near-{name}") for name in WAYS],
]
