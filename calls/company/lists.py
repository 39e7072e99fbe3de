"""The lists inside a company file: opening hours and holidays, to rows and back.

hours: {monday: ["08:00-12:00", "13:00-18:00"], friday: ["22:00-06:00"]}
holidays: [{date: 2026-12-25, name: Natal, every_year: true}]
"""

import re
from collections.abc import Iterable
from datetime import time
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from calls.company.file import Path, as_text
from calls.models import Holiday, OpeningHours

WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_SPAN = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)\s*-\s*(?:([01]?\d|2[0-3]):([0-5]\d)|24:00)\Z")

Rows = list[dict[str, Any]]
Problems = list[tuple[Path, str]]


def hours_of(given: Any) -> tuple[Rows, Problems]:
    """Rows of OpeningHours (without the department), and what is wrong by its path below `given`."""
    rows: Rows = []
    problems: Problems = []
    if given is not None and not isinstance(given, dict):
        return rows, [((), _('write the hours as “monday: ["08:00-18:00"]”'))]
    for name, spans in (given or {}).items():
        if name not in WEEKDAYS:
            problems.append(((name,), _("“%(day)s” is no weekday (monday to sunday)") % {"day": name}))
            continue
        for index, span in enumerate(spans if isinstance(spans, list) else [spans]):
            match = _SPAN.match(as_text(span))
            if not match:
                problems.append(((name, index), _("write a span as 08:00-18:00, not “%(span)s”") % {"span": span}))
                continue
            from_hour, from_minute, to_hour, to_minute = (int(part or 0) for part in match.groups())
            rows.append(
                {
                    "weekday": WEEKDAYS.index(name),
                    "opens": time(from_hour, from_minute),
                    "closes": time(to_hour, to_minute),
                }
            )
    return rows, problems


def days_of(given: Any) -> tuple[Rows, Problems]:
    """Rows of Holiday (without the department), and what is wrong by its path below `given`."""
    rows: Rows = []
    problems: Problems = []
    if given is not None and not isinstance(given, list):
        return rows, [((), _("a list is expected here"))]
    for index, entry in enumerate(given or []):
        if not isinstance(entry, dict) or not set(entry) <= {"date", "name", "every_year"}:
            problems.append(((index,), _("write a holiday as {date: 2026-12-25, name: Natal, every_year: true}")))
            continue
        day = Holiday(**entry)
        try:
            day.clean_fields(exclude=["department"])
        except ValidationError as error:
            problems += [((index, name), text) for name, texts in error.message_dict.items() for text in texts]
            continue
        rows.append({"name": day.name, "date": day.date, "every_year": day.every_year})
    return rows, problems


def same_rows(manager: Any, wanted: Rows, **owner: Any) -> bool:
    """Make the rows of `manager` the wanted ones; whether that changed anything."""
    left, changed = list(wanted), False
    for row in manager.all():
        values = {name: getattr(row, name) for name in (wanted[0] if wanted else {})}
        if values in left:
            left.remove(values)
        else:
            row.delete()
            changed = True
    for values in left:
        manager.model.objects.create(**values, **owner)
    return changed or bool(left)


def dump_hours(rows: Iterable[OpeningHours]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(WEEKDAYS[row.weekday], []).append(f"{row.opens:%H:%M}-{row.closes:%H:%M}")
    return found


def dump_days(rows: Iterable[Holiday]) -> Rows:
    return [{"date": row.date, "name": row.name} | ({"every_year": True} if row.every_year else {}) for row in rows]
