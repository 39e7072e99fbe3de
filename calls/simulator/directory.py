"""Who can be rung: the users of the domain and the telephones registered for them."""

from collections.abc import Mapping
from typing import Any, Protocol

from calls.simulator.telephones import PhoneBook, Telephone, telephone_for

REGISTERED_ONLY = "{presence_id=${dialed_user}@${dialed_domain}}${sofia_contact(${dialed_user}@${dialed_domain})}"
"""As FreeSWITCH's own directory has it for a whole domain."""


class Directory(Protocol):
    """What the switch asks about a number."""

    def knows(self, number: str) -> bool:
        """Whether such a user exists, registered or not."""

    def telephones(self, number: str) -> list[Telephone]:
        """Fresh telephones for one call, one for each registration; empty when nobody is registered."""

    def dial_string(self, number: str) -> str:
        """The user's param `dial-string`: REGISTERED_ONLY, or a fixed address that needs no registration."""

    def registered(self) -> list[str]:
        """The numbers with at least one registration."""


class BookDirectory:
    """The directory that a phone book describes."""

    def __init__(self, book: PhoneBook):
        self._book = book

    @classmethod
    def from_dict(cls, numbers: Mapping[str, Any], speed: float = 1.0) -> "BookDirectory":
        return cls(PhoneBook.from_dict(numbers, speed=speed))

    def knows(self, number: str) -> bool:
        return number in self._book.entries

    def telephones(self, number: str) -> list[Telephone]:
        return telephone_for(number, self._book) or []

    def dial_string(self, number: str) -> str:
        return REGISTERED_ONLY

    def registered(self) -> list[str]:
        return [number for number in self._book.entries if self.telephones(number)]
