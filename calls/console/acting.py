"""A person acts on a transfer: POST, twice. The first press asks, the second one (`confirmed`) does it.

The page's script arms the button instead of asking here, and gets JSON. Without the script the question is a page.
"""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _

from calls.console.actions import ASKS, BUTTONS
from calls.console.door import console_action
from calls.models import Transfer
from calls.services.people import Action, act, stage_of, why_not
from calls.words import STATES

MOVED_ON = 409


@console_action
def action(request: HttpRequest, pk, name: str) -> HttpResponse:
    """`v` and `stage` in the query: the version and the stage for which the button was drawn."""
    wanted = Action(name)
    found = get_object_or_404(request.rights.narrow(Transfer.objects.select_related("department")), pk=pk)
    stage, version = request.GET.get("stage", "")[:32], _number(request.GET.get("v", ""))
    button, question = BUTTONS[wanted]
    if request.POST.get("confirmed") == "1":
        reason = request.POST.get("reason", "")
        acted = act(request.user, pk, wanted, seen_stage=stage, seen_version=version, reason=reason)
        refusal, now = acted.refusal, acted.transfer.state
    else:
        refusal, now = why_not(found.state, wanted), found.state
        if not refusal and stage_of(found) != stage:
            refusal = _("The transfer has moved on meanwhile.")
    context = {
        "transfer": found,
        "action": wanted,
        "button": button,
        "question": question,
        "refusal": refusal,
        "seen": STATES.get(stage.partition("-")[0], ""),
        "now": STATES[now],
        "asks": ASKS.get(wanted, ""),
    }
    status = MOVED_ON if refusal else 200
    if request.accepts("text/html") and request.headers.get("Accept") != "application/json":
        if refusal or request.POST.get("confirmed") != "1":
            return render(request, "console/action.html", context, status=status)
        return HttpResponseRedirect(reverse("console:transfer", args=[pk]))
    words = refusal or _("Done: %(action)s") % {"action": button}
    return JsonResponse({"done": not refusal, "words": words, "now": str(STATES[now])}, status=status)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
