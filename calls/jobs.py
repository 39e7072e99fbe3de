"""What the worker does: everything that is slow, may fail and is tried again. Enqueued by name from `calls.dispatch`.

Each job finds its row again by its argument, does nothing when the row is gone or done, and may run twice. It tells RQ
itself when to try again (by returning Retry), so that it does not matter who enqueued it or how. What Redis lost is
found again in the database by `housekeeping`.
"""

import json
import time
from datetime import timedelta

import django_rq
import structlog
from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone
from rq import Retry

from calls import omniplay, services, webhooks
from calls.doctor.visit import visit
from calls.models import Switch, Ticket, WebhookDelivery

log = structlog.get_logger(__name__)

FIRST_WAIT_SECONDS = 10  # then twice as long after every failure
LONGEST_WAIT_SECONDS = 3600
TICKET_GIVE_UP = timedelta(hours=24)
WEBHOOK_GIVE_UP = timedelta(hours=5)  # some twelve tries
SENDING = timedelta(seconds=30)  # longer than one call to a webhook can take
OVERDUE = timedelta(minutes=2)  # so late, nobody is coming any more
NO_LIMIT = 1000  # RQ wants a number of tries; ours end by age


def wait_after(tries: int) -> int:
    """Seconds until the next try, after `tries` failures: 10, 20, 40 … 3600."""
    return min(FIRST_WAIT_SECONDS * 2 ** max(0, min(tries, 20) - 1), LONGEST_WAIT_SECONDS)


def deliver_ticket(protocol: str) -> Retry | None:
    """Open the ticket at OmniPlay; for a day again and again, unless OmniPlay refuses it for good."""
    ticket = Ticket.objects.select_related("transfer__department").filter(protocol=protocol).first()
    if ticket is None or ticket.state != Ticket.State.PENDING or not settings.OMNIPLAY_URL:
        return None
    try:
        number = omniplay.send(ticket)
    except omniplay.OmniPlayFailed as error:
        final = error.final or timezone.now() - ticket.created_at > TICKET_GIVE_UP
        services.ticket_failed(protocol, str(error), final)
        log.warning("ticket.failed", protocol=protocol, reason=str(error), final=final)
        return None if final else Retry(max=NO_LIMIT, interval=wait_after(ticket.tries + 1))
    services.ticket_sent(protocol, number)
    return None


def deliver_webhook(delivery_id: int) -> Retry | None:
    """Tell a callback_url everything of this delivery's transfer that it has not been told, the oldest first.

    The oldest holds up the later ones, so that a receiver sees the changes in order, until five hours after it was
    written.
    """
    asked = WebhookDelivery.objects.filter(pk=delivery_id).first()
    while asked and (delivery := undelivered().filter(transfer=asked.transfer_id).order_by("version").first()):
        now = timezone.now()
        free = undelivered().filter(Q(not_before=None) | Q(not_before__lte=now), pk=delivery.pk)
        if not free.update(not_before=now + SENDING):
            return None  # another worker sends it at this moment, or it is already planned
        if (wait := _post(delivery)) is not None:
            return Retry(max=NO_LIMIT, interval=wait)
    return None


def examine_switch(slug: str) -> None:
    """The examination that a page asked for; its findings are kept with the switch."""
    switch = Switch.objects.filter(slug=slug).first()
    if switch is not None:
        visit(switch)


def housekeeping() -> None:
    """Enqueue what got lost with Redis, end trials that died, and erase what is kept no longer. The worker asks for it
    every few minutes."""
    queue = django_rq.get_queue()
    for protocol in _overdue_tickets():
        queue.enqueue(deliver_ticket, protocol)
    for delivery_id in _overdue_webhooks():
        queue.enqueue(deliver_webhook, delivery_id)
    services.end_silent_trials()
    erased = services.erase_speech(timezone.now() - timedelta(days=settings.RETENTION_DAYS))
    if erased:
        log.info("retention.erased", utterances=erased)


def undelivered() -> QuerySet[WebhookDelivery]:
    """Deliveries that are still tried; older ones were given up."""
    return WebhookDelivery.objects.filter(delivered_at=None, created_at__gt=timezone.now() - WEBHOOK_GIVE_UP)


def _post(delivery: WebhookDelivery) -> int | None:
    """One call; None when it was delivered, else the seconds until the next try."""
    body = json.dumps(delivery.payload, ensure_ascii=False, separators=(",", ":")).encode()
    row = WebhookDelivery.objects.filter(pk=delivery.pk)
    tries = delivery.tries + 1
    try:
        webhooks.post(delivery.transfer.callback_url, body, delivery=str(delivery.pk), at=int(time.time()))
    except (webhooks.Undelivered, webhooks.NotAllowed) as error:
        wait = wait_after(tries)
        # RQ plans by whole seconds and may come a little early.
        planned = timezone.now() + timedelta(seconds=max(0, wait - 2))
        row.update(tries=tries, last_error=str(error)[:200], not_before=planned)
        log.warning("webhook.failed", delivery=delivery.pk, tries=tries, reason=str(error))
        return wait
    row.update(tries=tries, last_error="", delivered_at=timezone.now())
    return None


def _overdue_tickets() -> list[str]:
    """Protocols of tickets whose next try should have been long ago."""
    if not settings.OMNIPLAY_URL:
        return []
    now = timezone.now()
    pending = Ticket.objects.filter(state=Ticket.State.PENDING, created_at__lt=now - OVERDUE)
    return [
        protocol
        for protocol, tries, created_at in pending.values_list("protocol", "tries", "created_at")
        if created_at + timedelta(seconds=sum(map(wait_after, range(1, tries + 1)))) + OVERDUE < now
    ]


def _overdue_webhooks() -> list[int]:
    """One delivery of every transfer whose next call should have been long ago."""
    late = timezone.now() - OVERDUE
    overdue = undelivered().filter(Q(not_before=None, created_at__lt=late) | Q(not_before__lt=late))
    return list(dict(overdue.values_list("transfer", "pk")).values())
