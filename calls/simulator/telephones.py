"""Telephones of the simulated switch: whose number rings which, and what a telephone is.

A telephone decides only from what it hears and a clock. How each temperament behaves stands in temperaments.py, the
caller's person in callers.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from calls.simulator.handset import IncomingCall, Speaker, live
from calls.simulator.speech import spoken
from calls.simulator.temperaments import BEHAVIOURS, NAMES, OPTIONS, Agent, phrase_key

__all__ = ["DEMO", "AgentTelephone", "Entry", "IncomingCall", "PhoneBook", "Telephone", "telephone_for"]


class Telephone(Protocol):
    contact: str

    async def invited(self, call: IncomingCall) -> None:
        """Play the temperament until `call.ended`."""


@dataclass(frozen=True)
class Entry:
    """One number's line in the phone book."""

    temperament: str
    options: dict[str, Any] = field(default_factory=dict)


@dataclass
class PhoneBook:
    """Who answers which number, and how. `speed` divides every delay, as everywhere in the simulated switch."""

    entries: dict[str, Entry] = field(default_factory=dict)
    speed: float = 1.0
    speaker: Speaker = spoken

    @classmethod
    def from_dict(cls, numbers: Mapping[str, Any], speed: float = 1.0, speaker: Speaker = spoken) -> "PhoneBook":
        """`{"2001": "accepts", "2004": {"temperament": "no_answer", "ring_seconds": 3}}`.

        The options are those of temperaments.OPTIONS. Raises ValueError for an unknown temperament, option or phrase.
        """
        book = cls(speed=speed, speaker=speaker)
        for number, line in numbers.items():
            book.put(number, line)
        return book

    def put(self, number: str, line: str | Mapping[str, Any]) -> None:
        """Add or change one number. Raises as `from_dict`."""
        options = {"temperament": line} if isinstance(line, str) else dict(line)
        temperament = options.pop("temperament", None)
        if temperament not in NAMES:
            raise ValueError(f"{number}: temperament {temperament!r} is none of {', '.join(NAMES)}")
        if options.get("answered_by", "accepts") not in BEHAVIOURS:
            raise ValueError(f"{number}: answered_by {options['answered_by']!r} is no temperament of one telephone")
        unknown = options.keys() - OPTIONS.keys()
        if unknown:
            raise ValueError(f"{number}: no option {', '.join(sorted(unknown))}, there are {', '.join(OPTIONS)}")
        for name in ("reason", "phrase"):
            if options.get(name):
                phrase_key(options[name])
        self.entries[number] = Entry(temperament, options)


class AgentTelephone:
    """One registered telephone with its person."""

    def __init__(self, number: str, temperament: str, options: Mapping[str, Any], book: PhoneBook, contact: str = ""):
        self.contact = contact
        """USER@HOST:PORT of its registration: its leg is named so, and USER need not be the number. "": the usual."""
        self._number = number
        self._behave = BEHAVIOURS[temperament]
        self._options = dict(options)
        self._book = book

    async def invited(self, call: IncomingCall) -> None:
        agent = Agent(self._number, call, self._options, self._book.speaker, self._book.speed)
        await live(call, self._behave(agent))


def telephone_for(number: str, book: PhoneBook) -> list[Telephone] | None:
    """The telephones registered for a number, forked when several; None: unknown, or nobody is registered."""
    entry = book.entries.get(number)
    if entry is None or entry.temperament == "not_registered":
        return None
    if entry.temperament == "two_phones":
        answering = entry.options.get("answered_by", OPTIONS["answered_by"])
        return [
            AgentTelephone(number, "no_answer", entry.options, book),
            AgentTelephone(number, answering, entry.options, book, contact=f"app-{number}@127.0.0.1:5082"),
        ]
    return [AgentTelephone(number, entry.temperament, entry.options, book)]


DEMO: dict[str, Any] = {
    "2001": "accepts",
    "2002": {"temperament": "hesitates", "ring_seconds": 2.5},
    "2003": "busy",
    "2004": "no_answer",
    "2005": "declines",
    "2006": {"temperament": "rejects", "reason": "em reunião"},
    "2007": "silent",
    "2008": "presses_1",
    "2009": "presses_2",
    "2010": {"temperament": "voicemail", "ring_seconds": 3},
    "2011": "hangs_up",
    "2012": "holds",
    "2013": "two_phones",
    "2014": "interrupts",
    "2015": "presses_0",
    "2016": "asks_then_rejects",
    "2017": "hello_only",
    "2018": "redirects",
    "1009": "not_registered",
}
"""The demo's phone book."""
