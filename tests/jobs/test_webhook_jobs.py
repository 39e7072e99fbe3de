"""Changes told to a callback_url: in order, signed, again after a failure, once."""

import hashlib
import hmac
import json
import time
from datetime import timedelta

from django.utils import timezone

from calls import jobs, services
from calls.models import WebhookDelivery
from calls.transfer import events
from tests.jobs.tools import three_changes, work


def test_a_change_of_state_is_told_and_signed(transfer, receiver, settings):
    services.apply_event(transfer.pk, events.CallerLeft())
    work_delivery = WebhookDelivery.objects.get()
    jobs.deliver_webhook(work_delivery.pk)
    ((headers, body),) = receiver.got
    told = json.loads(body)
    assert (told["id"], told["state"], told["outcome"]) == (str(transfer.pk), "ended", "caller_left")
    assert told["metadata"] == {"a": "ã"}
    assert headers["X-TransferHub-Delivery"] == str(work_delivery.pk)
    # as docs/api.md tells the receiver to verify it
    at, _, signature = headers["X-TransferHub-Signature"].removeprefix("t=").partition(",v1=")
    expected = hmac.new(settings.WEBHOOK_SECRET.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(signature, expected)
    assert abs(time.time() - int(at)) < 60
    work_delivery.refresh_from_db()
    assert work_delivery.delivered_at is not None


def told_versions(receiver) -> list[int]:
    return [body["version"] for body in receiver.bodies()]


def test_changes_are_told_in_order_whichever_job_comes_first(transfer, receiver):
    first, second, third = three_changes(transfer)
    jobs.deliver_webhook(third)
    jobs.deliver_webhook(first)
    jobs.deliver_webhook(second)
    versions = told_versions(receiver)
    assert versions == sorted(versions)
    assert len(versions) == 3


def test_a_delivery_another_worker_is_at_is_left_alone(transfer, receiver):
    first, *_ = three_changes(transfer)
    WebhookDelivery.objects.filter(pk=first).update(not_before=timezone.now() + jobs.SENDING)
    assert jobs.deliver_webhook(first) is None
    assert receiver.got == []


def test_a_failed_delivery_is_told_again_before_the_later_ones(transfer, receiver, queue, monkeypatch):
    monkeypatch.setattr(jobs, "wait_after", lambda tries: 1)
    receiver.status = 500
    deliveries = three_changes(transfer)
    work()
    first = WebhookDelivery.objects.get(pk=deliveries[0])
    assert first.last_error == "HTTP 500"
    assert set(told_versions(receiver)) == {first.version}, "nothing overtakes it"
    receiver.status, receiver.got = 204, []
    work(until=lambda: not WebhookDelivery.objects.filter(delivered_at=None).exists())
    versions = told_versions(receiver)
    assert versions == sorted(set(versions))


def test_after_some_hours_a_delivery_is_given_up_and_the_next_goes(transfer, receiver):
    first, second, third = three_changes(transfer)
    WebhookDelivery.objects.filter(pk=first).update(created_at=timezone.now() - timedelta(hours=6))
    jobs.deliver_webhook(second)
    versions = dict(WebhookDelivery.objects.values_list("pk", "version"))
    assert told_versions(receiver) == [versions[second], versions[third]]


def test_a_redirect_is_a_failure_and_not_followed(transfer, receiver):
    receiver.status, receiver.location = 302, receiver.url
    first, *_ = three_changes(transfer)
    assert jobs.deliver_webhook(first) is not None
    assert len(receiver.got) == 1
    assert WebhookDelivery.objects.get(pk=first).last_error == "HTTP 302"
