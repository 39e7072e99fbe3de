"""FreeSWITCH's answers about itself -> values. Pure. An answer that is not understood gives None, never an error."""

import re
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from calls.switch.parsing import json_object

LARGEST_XML = 5_000_000  # characters


@dataclass(frozen=True, slots=True)
class Sessions:
    """Of `status`: legs now, and how many there may be."""

    now: int
    limit: int


def version(reply: str) -> str:
    """ "1.11.3-dev" of `FreeSWITCH Version 1.11.3-dev+git~…`; "" when there is none."""
    found = re.search(r"Version (\d[\w.-]*)", reply)
    return found[1] if found else ""


def sessions(status: str) -> Sessions | None:
    now = re.search(r"^(\d+) session\(s\) - peak", status, re.M)
    limit = re.search(r"^(\d+) session\(s\) max", status, re.M)
    return Sessions(int(now[1]), int(limit[1])) if now and limit else None


def is_true(reply: str) -> bool:
    return reply.strip() == "true"


def number(reply: str) -> int | None:
    text = reply.strip()
    return int(text) if text.isascii() and text.isdigit() else None


def xml(reply: str) -> ElementTree.Element | None:
    """What xml_locate found. None for "can't find anything", and for anything with a document type of its own."""
    text = reply.strip()
    if not text.startswith("<") or len(text) > LARGEST_XML or "<!DOCTYPE" in text or "<!ENTITY" in text:
        return None
    try:
        return ElementTree.fromstring(text)  # noqa: S314 - entities were refused above
    except ElementTree.ParseError:
        return None


def profile(configuration: str, name: str) -> dict[str, str] | None:
    """The params of a conference profile in conference.conf; None when there is no such profile."""
    root = xml(configuration)
    if root is None:
        return None
    for each in root.iter("profile"):
        if each.get("name") == name:
            return {param.get("name", ""): param.get("value", "") for param in each.iter("param")}
    return None


def applications(shown: str) -> frozenset[str]:
    """Names of `show application as json`."""
    rows: Any = json_object(shown).get("rows")
    rows = rows if isinstance(rows, list) else []
    return frozenset(str(row["name"]) for row in rows if isinstance(row, dict) and row.get("name"))


def telephones(contact: str) -> int:
    """How many registrations `sofia_contact` names: several are joined by commas; "error/…" is none."""
    return contact.count("sofia/")
