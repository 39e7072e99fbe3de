"""Filling in an admin page: what a browser would send if a person changed only some fields."""

from typing import Any


def filled(response: Any) -> dict[str, Any]:
    """Every field of the page's form and inline forms, as drawn."""
    context = response.context
    data: dict[str, Any] = {}
    forms = [context["adminform"].form]
    for inline in context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.initial_forms]
    for form in forms:
        for bound in form:
            value = bound.value()
            if value is None or value is False:
                continue
            data[bound.html_name] = value
    return data


def add_row(data: dict[str, Any], prefix: str, **values: Any) -> None:
    """One more row of an inline form."""
    number = int(data[f"{prefix}-TOTAL_FORMS"])
    data[f"{prefix}-TOTAL_FORMS"] = number + 1
    for name, value in values.items():
        data[f"{prefix}-{number}-{name}"] = value
