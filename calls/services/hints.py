"""A supervisor tells the announcer something in writing. The words stay in the audit; the bus carries a number."""

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from calls import bus, dispatch
from calls.models import AudioSession, SupervisorAction, Transfer
from calls.services.people import Acted, record
from calls.transfer.states import State

TELL = "tell"  # the audit's word


def tell_announcer(user: User, transfer_id: Any, words: str) -> Acted:
    """Have the announcer say it to the agent next, in its own words. Whether the person may is asked before.

    Recorded either way. Raises Transfer.DoesNotExist.
    """
    words = " ".join(words.split())
    with transaction.atomic():
        transfer = Transfer.objects.select_for_update(of=("self",)).get(pk=transfer_id)
        live = transfer.audio_sessions.filter(
            leg=AudioSession.Leg.AGENT,
            state=AudioSession.State.LIVE,
            attempt__mark=transfer.memory.get("attempt", ""),
            process__isnull=False,
        )
        session = live.order_by("-id").first()
        refusal = ""
        if not words:
            refusal = _("Write what the announcer is to say.")
        elif transfer.state != State.ANNOUNCING or session is None:
            refusal = _("No announcer is speaking now.")
        action = record(user, TELL, transfer, refusal=refusal, reason=words)
        if session is not None and not refusal:
            plan = dispatch.Plan()
            message = {"type": "announcer.tell", "session": session.pk, "action": action.pk}
            plan.tell(bus.process_group(session.process_id), message)
            transaction.on_commit(lambda: dispatch.deliver(plan))
    return Acted(transfer, refusal)


def told_words(action: int) -> str:
    """What the person wrote, "" where there is nothing to be told."""
    rows = SupervisorAction.objects.filter(pk=action, action=TELL, done=True)
    return rows.values_list("reason", flat=True).first() or ""
