"""Who changed what belongs to a department: its agents, opening hours and holidays keep histories of their own."""

from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ObjectDoesNotExist

from calls.models import Holiday, Membership, OpeningHours

MOST = 200


@dataclass(frozen=True)
class Line:
    at: datetime
    who: str
    did: str
    what: str


def belonging(department_id: int) -> list[Line]:
    """The newest first, at most MOST."""
    lines = []
    for model in (Membership, OpeningHours, Holiday):
        records = model.history.filter(department_id=department_id).select_related("history_user")
        for record in records.order_by("-history_date")[:MOST]:
            lines.append(
                Line(
                    record.history_date,
                    str(record.history_user or ""),
                    record.get_history_type_display(),
                    f"{model._meta.verbose_name}: {_name(record)}",
                )
            )
    return sorted(lines, key=lambda line: line.at, reverse=True)[:MOST]


def _name(record) -> str:
    try:
        return str(record.instance)
    except ObjectDoesNotExist:  # the extension itself has been deleted since
        return "—"
