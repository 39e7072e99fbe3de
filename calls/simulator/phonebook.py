"""The telephones of the demo: six agents, and spare telephones of every temperament for whoever asks for one."""

from typing import Any

from calls.simulator.predictions import TEMPERAMENTS

AGENTS: dict[str, Any] = {
    "2001": {"temperament": "accepts", "talk_seconds": 8},
    "2002": {"temperament": "presses_1", "talk_seconds": 8},
    "2003": {"temperament": "hesitates", "ring_seconds": 2, "talk_seconds": 8},
    "2004": {"temperament": "rejects", "reason": "em reunião"},
    "2005": "no_answer",
    "2006": {"temperament": "voicemail", "ring_seconds": 2},
}
"""The extensions of company.yaml."""

SPARES_EACH = 20


def spares(temperament: str) -> list[str]:
    """The spare numbers of a temperament: 7, its two-digit place in TEMPERAMENTS, and a two-digit counter.

    Raises ValueError, in words, for an unknown temperament.
    """
    if temperament not in TEMPERAMENTS:
        raise ValueError(f'No agent is called "{temperament}". There are: {", ".join(TEMPERAMENTS)}.')
    place = TEMPERAMENTS.index(temperament)
    return [f"7{place:02d}{counter:02d}" for counter in range(SPARES_EACH)]


def phonebook() -> dict[str, Any]:
    """Every number of the demo, in the form that telephones.PhoneBook.from_dict takes."""
    return AGENTS | {number: temperament for temperament in TEMPERAMENTS for number in spares(temperament)}
