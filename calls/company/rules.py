"""What must fit together inside a department, beyond what each field checks alone. Used by the admin and the loader."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from calls.models import Department
from calls.models.company import TICKET_OUTCOMES
from calls.voice import script
from calls.voice.script import TemplateError

PLACEHOLDERS = {
    "instructions": script.ANNOUNCEMENT_FIELDS,
    "ticket_text": script.TICKET_FIELDS,
    "no_ticket_text": (),
    "agent_notice": (),
    "caller_notice": (),
}


def broken_rules(department: Department) -> Iterator[tuple[str, str]]:
    """The field at fault and a sentence that explains, for each rule the department breaks."""
    ring, total = department.ring_seconds, department.total_seconds
    if isinstance(ring, int) and isinstance(total, int) and ring > total:
        text = _("An agent rings for %(ring)d s, but the caller waits only %(total)d s: change one of them.")
        yield "ring_seconds", text % {"ring": ring, "total": total}
    unknown = [each for each in department.ticket_on or [] if each not in TICKET_OUTCOMES]
    if unknown:
        text = _("No ticket can be opened for “%(outcome)s” (possible: %(all)s).")
        yield "ticket_on", text % {"outcome": unknown[0], "all": ", ".join(TICKET_OUTCOMES)}
    for name, allowed in PLACEHOLDERS.items():
        try:
            script.render(getattr(department, name), {}, allowed)
        except TemplateError as error:
            yield name, explain(error)


def explain(error: TemplateError) -> str:
    """The error in the administrator's language."""
    if not error.unknown:
        return _("A brace { or } stands alone. Write placeholders as {name}, with nothing else between the braces.")
    if not error.allowed:
        return _("{%(unknown)s} means nothing here: this text has no placeholders.") % {"unknown": error.unknown}
    names = ", ".join("{" + name + "}" for name in error.allowed)
    return _("{%(unknown)s} means nothing here. What can be filled in: %(names)s.") % {
        "unknown": error.unknown,
        "names": names,
    }
