"""What must fit together inside a department, beyond what each field checks alone. Used by the admin and the loader."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from calls.models import Department
from calls.models.company import TICKET_OUTCOMES


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
