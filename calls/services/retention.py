"""Forgetting: what was said is kept for RETENTION_DAYS; that a transfer took place, and how it ended, stays."""

from datetime import datetime

from calls.models import AudioSession, Utterance, WebhookDelivery


def erase_transcripts(before: datetime) -> int:
    """Erase what was said before then: utterances, the announcers' briefs, copies in webhook deliveries.

    Returns the number of utterances. May run at any time and any number of times.
    """
    AudioSession.objects.filter(created_at__lt=before).exclude(brief={}).update(brief={})
    WebhookDelivery.objects.filter(created_at__lt=before).delete()
    erased, _ = Utterance.objects.filter(at__lt=before).delete()
    return erased
