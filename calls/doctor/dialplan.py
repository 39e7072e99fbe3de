"""Does a destination lead anywhere? As far as can honestly be told from the dialplan's XML. Pure.

FreeSWITCH hangs up a caller who is sent to an extension that does not exist. Only conditions on the destination number
are tried; what else an extension asks for (the time of day, who calls) is named, not judged.
"""

import re
from dataclasses import dataclass
from enum import Enum
from xml.etree import ElementTree

DESTINATION = ("destination_number", "${destination_number}")
GOES_ON = ("never", "on-true")  # a condition with such a `break` does not end the extension when it fails


class Leads(Enum):
    """Where a destination leads."""

    SOMEWHERE = "somewhere"
    PERHAPS = "perhaps"  # an extension that asks for more than the number, or in a way we cannot try
    NOWHERE = "nowhere"


@dataclass(frozen=True, slots=True)
class Found:
    leads: Leads
    extension: str = ""
    depends_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Destination:
    """ "EXT", "EXT XML CONTEXT" (`context` "" when it is not named) or an inline text (`applications` then)."""

    number: str
    context: str = ""
    applications: tuple[str, ...] = ()


def parse(text: str) -> Destination:
    """A destination that passed validators.check_destination."""
    if text.endswith(" inline"):
        return Destination("", "", _inline(text.removesuffix(" inline")))
    words = text.split(" ")
    return Destination(words[0], words[2] if len(words) == 3 else "")


def _inline(text: str) -> tuple[str, ...]:
    delimiter = ","
    if chosen := re.match(r"m:(.):", text):
        delimiter, text = chosen[1], text[4:]
    names = (part.lstrip(":").partition(":")[0] for part in text.split(delimiter))
    return tuple(name for name in names if name)


def hunt(context: ElementTree.Element, number: str) -> Found:
    """The first extension of this context that takes the number for certain; else one that may; else nowhere."""
    perhaps = None
    for extension in context.iter("extension"):
        if extension.get("continue") == "true":
            continue  # runs, and goes on looking: no place to arrive at
        found = _try(extension, number)
        if found.leads is Leads.SOMEWHERE:
            return found
        if found.leads is Leads.PERHAPS and perhaps is None:
            perhaps = found
    return perhaps or Found(Leads.NOWHERE)


def _try(extension: ElementTree.Element, number: str) -> Found:
    name, others, hit = extension.get("name", ""), [], False
    for condition in extension.findall("condition"):
        field = condition.get("field", "")
        fails = True
        if not field and condition.get("regex") is None and not _by_the_clock(condition):
            fails = False  # asks nothing
        elif field in DESTINATION:
            matches = _matches(condition.get("expression", ""), number)
            if matches is None:
                others.append(field)
                continue
            fails = not matches
        else:
            others.append(field or condition.get("regex") or "time")
            continue
        if fails and condition.get("break", "on-false") not in GOES_ON:
            return Found(Leads.NOWHERE)
        hit = hit or not fails
    if not hit and not others:
        return Found(Leads.NOWHERE)
    return Found(Leads.PERHAPS if others else Leads.SOMEWHERE, name, tuple(dict.fromkeys(others)))


def _by_the_clock(condition: ElementTree.Element) -> bool:
    return bool(set(condition.keys()) - {"break", "field", "expression", "require-nested"})


def _matches(expression: str, number: str) -> bool | None:
    """None: cannot be tried here (a variable in it, or an expression that Python reads differently)."""
    if "${" in expression:
        return None
    try:
        return re.search(expression, number) is not None
    except re.error:
        return None
