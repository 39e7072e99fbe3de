"""What would be said: a department's texts, filled in with somebody who might call."""

import json

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, JsonResponse
from django.utils.translation import pgettext
from django.views.decorators.http import require_POST

from calls.company.rules import explain
from calls.voice import script
from calls.voice.script import TemplateError

LONGEST = 5000  # characters of a text that are rendered


def spoken(name: str, template: str, department: str, language: str) -> str:
    """The text of the field `name` as it would be heard. Raises TemplateError."""
    if name == "ticket_text":
        return script.ticket_text(template, language, "20261")
    if name == "no_ticket_text":
        return script.no_ticket_text(template, language)
    if name.endswith("_notice"):
        return script.render(template, {}, ())
    return script.announcement_text(
        template,
        language,
        caller=pgettext("example", "Maria Souza"),
        number=script.spell("11987654321", language),
        department=department or pgettext("example", "Sales"),
        summary=pgettext("example", "She wants to change the delivery address of an order."),
        agent=pgettext("example", "Ana"),
    )


@require_POST
@permission_required("calls.view_department", raise_exception=True)
def preview(request: HttpRequest) -> JsonResponse:
    """{"field", "template", "department", "language"} -> {"text"} or {"problem"}, both plain text."""
    try:
        asked = json.loads(request.body)
        field, template, department, language = (
            str(asked[key])[:LONGEST] for key in ("field", "template", "department", "language")
        )
    except (ValueError, KeyError, TypeError):
        return JsonResponse({"problem": "field, template, department, language"}, status=400)
    try:
        return JsonResponse({"text": spoken(field, template, department, language)})
    except TemplateError as error:
        return JsonResponse({"problem": explain(error)})
