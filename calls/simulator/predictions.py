"""Temperament of the only agent → how a transfer to him ends. One table for the soak, the stories and the README."""

from calls.simulator.temperaments import NAMES

OUTCOMES: dict[str, str] = {
    "accepts": "accepted",
    "interrupts": "accepted",
    "hesitates": "accepted",
    "presses_1": "accepted",
    "presses_0": "accepted",  # hears it again, then presses 1
    "holds": "accepted",  # after a short hold of his own
    "two_phones": "accepted",  # one of the two answers
    "rejects": "rejected",
    "asks_then_rejects": "rejected",
    "redirects": "rejected",  # names an extension that nobody has; asked again, he says no
    "presses_2": "rejected",
    "declines": "rejected",  # the decline button, without answering
    "hangs_up": "rejected",  # in mid-announcement: "hung_up"
    "silent": "timeout",
    "hello_only": "timeout",  # an "alô?" is no yes
    "no_answer": "no_answer",
    "busy": "busy",
    "not_registered": "unavailable",
    "voicemail": "voicemail",
}
"""The values are those of an API client's `outcome`."""

TEMPERAMENTS = tuple(name for name in NAMES if name in OUTCOMES)

WITH_TICKET = frozenset({"rejected", "timeout", "no_answer", "busy", "unavailable", "voicemail"})
"""Outcomes of this table after which a department opens a ticket, unless it was told otherwise."""
