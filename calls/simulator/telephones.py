"""Telephones of the simulated switch: what one is, whose number rings which, and the person on the caller's side.

A telephone decides only from what it hears and a clock. How each temperament behaves stands in temperaments.py.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from calls.simulator.media import Leg


class IncomingCall(Protocol):
    """One call as its telephone sees it; implemented by the signalling half."""

    leg: Leg
    variables: dict[str, str]
    ended: asyncio.Event
    ended_cause: str

    async def ring(self) -> None:
        """180: the far end hears it ring."""

    async def answer(self) -> None:
        """200: audio flows from here."""

    def reject(self, cause: str) -> None:
        """Refuse before the answer: USER_BUSY, CALL_REJECTED…"""

    def hangup(self, cause: str = "NORMAL_CLEARING") -> None: ...

    def dtmf(self, digit: str) -> None: ...

    def hold(self) -> None:
        """Re-INVITE sendonly: CHANNEL_HOLD, and `leg.on_hold`."""

    def unhold(self) -> None: ...


class Telephone(Protocol):
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

    @classmethod
    def from_dict(cls, numbers: Mapping[str, Any], speed: float = 1.0) -> "PhoneBook":
        """`{"2001": "accepts", "2004": {"temperament": "no_answer", "ring_seconds": 3}}`.

        Raises ValueError for an unknown temperament or option.
        """
        raise NotImplementedError


def telephone_for(number: str, book: PhoneBook) -> list[Telephone] | None:
    """The telephones registered for a number, forked when several; None: nobody is registered."""
    raise NotImplementedError
