"""Forgetting: what was said is kept for RETENTION_DAYS; who called, how it ended and the ticket stay."""

from datetime import datetime

from calls.models import Attempt, AudioSession, Transfer, Utterance, WebhookDelivery


def erase_speech(before: datetime) -> int:
    """Erase what was said before then: transcripts, the secretary's summary and context, the agents' reasons, and the
    copies of these in announcers' briefs and webhook deliveries.

    Returns the number of utterances. May run at any time and any number of times.
    """
    AudioSession.objects.filter(created_at__lt=before).exclude(brief={}).update(brief={})
    WebhookDelivery.objects.filter(created_at__lt=before).delete()
    Attempt.objects.filter(ended_at__lt=before).exclude(reason="").update(reason="")
    for transfer in Transfer.objects.filter(ended_at__lt=before).exclude(summary="", context="", reason="").iterator():
        transfer.summary = transfer.context = transfer.reason = ""
        transfer.memory["reason"] = ""
        transfer.save(update_fields=["summary", "context", "reason", "memory"])
    erased, _ = Utterance.objects.filter(at__lt=before).delete()
    return erased
