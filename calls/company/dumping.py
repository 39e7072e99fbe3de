"""From the database to a company file."""

from typing import Any

from django.db import models

from calls.company import file
from calls.company.file import plain_number
from calls.company.lists import dump_days, dump_hours
from calls.company.schema import KEY, settings_of
from calls.models import Department, Extension, Holiday, Switch


def dump() -> dict[str, Any]:
    """The whole company with every setting, in the shape load() reads."""
    data: dict[str, Any] = {}
    if switches := [_settings(each) for each in Switch.objects.all()]:
        data["switches"] = switches
    data["extensions"] = [_settings(each) for each in Extension.objects.select_related("switch")]
    if days := dump_days(Holiday.objects.filter(department=None)):
        data["holidays"] = days
    data["departments"] = [
        _settings(each)
        | {
            "agents": [plain_number(m.extension.number) for m in each.memberships.select_related("extension")],
            "hours": dump_hours(each.opening_hours.all()),
            "holidays": dump_days(each.holidays.all()),
        }
        for each in Department.objects.order_by("slug")
    ]
    return data


def dump_text() -> str:
    return file.write(dump())


def _settings(instance: models.Model) -> dict[str, Any]:
    found: dict[str, Any] = {KEY[type(instance)]: None}
    for name, setting in settings_of(type(instance)).items():
        value = getattr(instance, setting.name)
        if isinstance(value, Switch):
            value = value.slug
        elif name == "number":
            value = plain_number(value)
        elif name == "words":
            value = [word.strip() for word in value.split(",") if word.strip()]
        if value is not None:
            found[name] = value
    return found
