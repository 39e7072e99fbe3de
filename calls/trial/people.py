"""Who answers in a trial: every extension of the company, each with the temperament that was chosen."""

import re
from typing import Any

from calls.simulator.dialplan import DEFAULT_DIALPLAN, RETURN_TONE
from calls.simulator.directory import BookDirectory
from calls.simulator.telephones import PhoneBook


class TrialDirectory(BookDirectory):
    """The department's first agent behaves as `first`, whoever else is rung (`known` numbers) as `then`."""

    def __init__(self, first_number: str, first: str, then: str, known: list[str]):
        numbers = dict.fromkeys(known, then) | {first_number: first}
        super().__init__(PhoneBook.from_dict(numbers))


def dialplan(*destinations: str) -> dict[str, Any]:
    """The simulated switch's own, and the department's destinations ("EXT XML CONTEXT") as menus to come back to."""
    menu = [("answer", ""), ("set", "returned_to_ivr=true"), ("playback", RETURN_TONE)]
    contexts = {name: list(extensions) for name, extensions in DEFAULT_DIALPLAN.items()}
    for destination in destinations:
        parts = destination.split()
        if len(parts) == 3 and parts[1] == "XML":
            contexts.setdefault(parts[2], []).append((f"^{re.escape(parts[0])}$", menu))
    return contexts
