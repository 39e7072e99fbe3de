"""The sections of a company file and the settings each may name: those of the models, by their own names."""

from django.db import models

from calls.models import Department, Extension, Switch

SECTIONS = {"switches": Switch, "extensions": Extension, "departments": Department}
KEY = {Switch: "slug", Extension: "number", Department: "slug"}
RENAMED = {"is_default": "default"}
LISTS = {Department: ["agents", "hours", "holidays"], Switch: [], Extension: []}


def settings_of(model: type[models.Model]) -> dict[str, models.Field]:
    """The settings a file may name, by their name in it."""
    return {
        RENAMED.get(each.name, each.name): each
        for each in model._meta.concrete_fields
        if each.editable and not each.primary_key
    }
