"""Where the two people of a transfer are and what they hear, as far as the machine knows it.

Who speaks this very moment is not here: the page learns that from `leg.state` messages and forgets it again.
"""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from calls.models import Transfer
from calls.transfer.snapshot import Caller
from calls.transfer.states import State

CALLER_PLACES = {
    Caller.OUTSIDE: _("with the secretary"),
    Caller.INSIDE: _("in the conference"),
    Caller.HOME: _("in the menu"),
    Caller.GONE: _("gone"),
}


@dataclass(frozen=True)
class Leg:
    """`name` is "caller" or "agent", as in the bus's messages."""

    name: str
    who: Promise
    place: Promise
    muted: bool = False
    held: bool = False


def legs(transfer: Transfer) -> list[Leg]:
    """The caller's, then the agent's; none of a transfer that has ended."""
    if transfer.state == State.ENDED:
        return []
    return [_caller(transfer), _agent(transfer)]


def _caller(transfer: Transfer) -> Leg:
    memory = transfer.memory
    place = memory.get("caller", Caller.OUTSIDE)
    waiting = place == Caller.INSIDE and transfer.state != State.CONNECTED
    held = waiting and bool(memory.get("policy", {}).get("caller_hears_music"))
    who = pgettext_lazy("leg", "Caller")
    return Leg("caller", who, CALLER_PLACES.get(place, CALLER_PLACES[Caller.OUTSIDE]), waiting, held)


def _agent(transfer: Transfer) -> Leg:
    memory = transfer.memory
    if memory.get("agent_member") and not memory.get("agent_left"):
        place = _("in the conference")
    elif memory.get("agent_uuid"):
        place = _("answering")
    elif memory.get("attempt"):
        place = _("being rung")
    else:
        place = _("nobody")
    return Leg("agent", pgettext_lazy("leg", "Agent"), place, held=bool(memory.get("agent_held")))
