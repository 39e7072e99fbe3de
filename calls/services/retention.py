"""Forgetting: what was said is kept for RETENTION_DAYS; who called, how it ended and the ticket stay."""

from datetime import datetime

from calls.models import Attempt, AudioSession, SwitchCommand, Transfer, Trial, Utterance, WebhookDelivery
from calls.services.erasure import forget_in_memory
from calls.transfer.states import State


def erase_speech(before: datetime) -> int:
    """Erase what was said before then: transcripts, the secretary's summary and context, the agents' reasons, what a
    trial's caller was made to want, and the copies of these in announcers' briefs and webhook deliveries; and copies of
    callers' numbers outside of their row.

    Returns the number of utterances. May run at any time and any number of times.
    """
    AudioSession.objects.filter(created_at__lt=before).exclude(brief={}).update(brief={})
    WebhookDelivery.objects.filter(created_at__lt=before).delete()
    Attempt.objects.filter(ended_at__lt=before).exclude(reason="").update(reason="")
    SwitchCommand.objects.filter(created_at__lt=before, transfer__state=State.ENDED.value).delete()
    Trial.objects.filter(ended_at__lt=before).exclude(summary="", caller_name="").update(summary="", caller_name="")
    kept = Transfer.objects.filter(ended_at__lt=before)
    for transfer in kept.exclude(summary="", context="", reason="", memory__policy__caller_number="").iterator():
        transfer.summary = transfer.context = transfer.reason = ""
        forget_in_memory(transfer)
        transfer.save(update_fields=["summary", "context", "reason", "memory"])
    erased, _ = Utterance.objects.filter(at__lt=before).delete()
    return erased
