"""What became of a ticket at OmniPlay."""

from django.db.models import F
from django.utils import timezone

from calls.models import Ticket
from calls.services.transfers import apply_event
from calls.transfer import events as e


def ticket_sent(protocol: str, omniplay_id: str) -> None:
    """OmniPlay has it. If the caller has not been told yet he hears this number instead of our protocol."""
    changed = Ticket.objects.filter(protocol=protocol).exclude(state=Ticket.State.SENT)
    if changed.update(
        state=Ticket.State.SENT, omniplay_id=omniplay_id, last_error="", sent_at=timezone.now(), tries=F("tries") + 1
    ):
        ticket = Ticket.objects.get(protocol=protocol)
        apply_event(ticket.transfer_id, e.TicketNumbered(omniplay_id))


def ticket_failed(protocol: str, error: str, final: bool) -> None:
    """One try failed; `final`: nobody tries again until somebody presses "send again"."""
    values = {"tries": F("tries") + 1, "last_error": error[:200]}
    if final:
        values["state"] = Ticket.State.FAILED
    Ticket.objects.filter(protocol=protocol).exclude(state=Ticket.State.SENT).update(**values)


def ticket_again(protocol: str) -> bool:
    """A person wants it sent once more. False when OmniPlay has it already, and for a trial's, which it never gets."""
    again = Ticket.objects.filter(protocol=protocol, transfer__is_trial=False).exclude(state=Ticket.State.SENT)
    return bool(again.update(state=Ticket.State.PENDING, last_error=""))
