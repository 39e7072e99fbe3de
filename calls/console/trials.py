"""Try a department: the form, what was tried lately, and the page that waits for the simulated call."""

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from calls import services
from calls.console.actions import WORDS
from calls.console.door import trial_page
from calls.console.verdict import trial_line
from calls.models import Trial
from calls.services.trials import TRY
from calls.trial.launch import launch, this_host
from calls.words import TEMPERAMENTS

WORDS[TRY] = pgettext_lazy("action", "Try a department")
LATELY = 15
REFUSED = 409


@dataclass(frozen=True)
class Wish:
    """What the form asks for; what makes no sense is as the form first has it."""

    department: str
    temperament: str
    then: str
    voice: str
    caller_name: str
    summary: str

    @classmethod
    def read(cls, asked) -> "Wish":
        def one_of(name: str, known, otherwise: str) -> str:
            return asked[name] if asked.get(name) in known else otherwise

        temperament = one_of("temperament", TEMPERAMENTS, "accepts")
        voices = [Trial.Voice.SIMULATED, *([Trial.Voice.REAL] if settings.OPENAI_API_KEY else [])]
        return cls(
            department=asked.get("department", "")[:50],
            temperament=temperament,
            then=one_of("then", TEMPERAMENTS, temperament),
            voice=one_of("voice", voices, Trial.Voice.SIMULATED),
            caller_name=asked.get("caller_name", "").strip()[:80] or "Maria Souza",
            summary=asked.get("summary", _("wants a quotation for twenty licences")).strip()[:500],
        )


@trial_page
def trials(request: HttpRequest) -> HttpResponse:
    """The form; a POST begins a trial, or is refused in words (409)."""
    if request.method not in ("GET", "HEAD", "POST"):
        return HttpResponseNotAllowed(["GET", "POST"])
    wish = Wish.read(request.POST if request.method == "POST" else request.GET)
    refusal = ""
    if request.method == "POST":
        department = get_object_or_404(request.rights.departments_to_choose(), slug=wish.department)
        trial, refusal = services.begin_trial(
            request.user, department, this_host(), temperament=wish.temperament, then=wish.then, voice=wish.voice,
            caller_name=wish.caller_name, summary=wish.summary,
        )  # fmt: skip
        if trial is not None:
            launch(trial)
            return redirect("console:trial", trial.pk)
    return render(request, "console/trials.html", _context(request, wish, refusal), status=REFUSED if refusal else 200)


def _context(request: HttpRequest, wish: Wish, refusal: str) -> dict:
    lately = request.rights.narrow(Trial.objects.select_related("department", "transfer"))
    lately = lately.prefetch_related("transfer__supervisor_actions")
    return {
        "wish": wish,
        "refusal": refusal,
        "departments": request.rights.departments_to_choose().values_list("slug", "name"),
        "temperaments": TEMPERAMENTS.items(),
        "has_real_voice": bool(settings.OPENAI_API_KEY),
        "lately": [trial_line(each, each.transfer) for each in lately[:LATELY]],
    }


@trial_page
def trial(request: HttpRequest, pk: int) -> HttpResponse:
    """Looks again every second until there is a call to look at, or none to come."""
    every = request.rights.narrow(Trial.objects.select_related("department"))
    found = get_object_or_404(every, pk=pk)
    if found.transfer_id:
        return redirect("console:transfer", found.transfer_id)
    return render(request, "console/trial.html", {"line": trial_line(found, None), "trial": found})
