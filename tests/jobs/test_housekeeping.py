"""What the worker does by itself: finds what Redis lost, forgets in time, plans the next try."""

import os
import subprocess
import sys
from datetime import timedelta

import django_rq
from django.utils import timezone
from rq.registry import ScheduledJobRegistry

from calls import jobs, services, worker
from calls.models import AudioSession, Ticket, Transfer, Utterance, WebhookDelivery
from calls.transfer import events
from tests.jobs.tools import three_changes, work


def test_housekeeping_finds_what_redis_lost(transfer, ticket, omniplay, receiver, queue):
    three_changes(transfer)
    queue.empty()
    long_ago = timezone.now() - timedelta(minutes=10)
    Ticket.objects.update(created_at=long_ago)
    WebhookDelivery.objects.update(created_at=long_ago)
    queue.enqueue("calls.jobs.housekeeping")
    work()
    assert Ticket.objects.get().state == "sent"
    assert len(receiver.got) == WebhookDelivery.objects.count()


def test_housekeeping_leaves_alone_what_is_planned(ticket, omniplay, queue):
    omniplay.mood.status = 503
    queue.empty()
    Ticket.objects.update(created_at=timezone.now() - timedelta(minutes=3), tries=7)  # the eighth is at 21 minutes
    jobs.housekeeping()
    assert queue.count == 0


def test_what_was_said_is_erased_in_time_and_the_transfer_stays(transfer, settings):
    settings.RETENTION_DAYS = 30
    now = timezone.now()
    for days in (29, 31):
        at = now - timedelta(days=days)
        Utterance.objects.create(transfer=transfer, who="agent", text="pode passar", at=at)
        AudioSession.objects.create(transfer=transfer, leg="agent", brief={"summary": "x"}, created_at=at)
    jobs.housekeeping()
    assert Utterance.objects.get().at > now - timedelta(days=30)
    assert [session.brief for session in AudioSession.objects.order_by("created_at")] == [{}, {"summary": "x"}]


def test_a_transfer_forgets_what_was_said_and_keeps_who_called(transfer, settings):
    settings.RETENTION_DAYS = 30
    said = {"summary": "quer comprar", "context": "pedido 4711", "caller_number": "+5511999"}
    Transfer.objects.update(**said)
    jobs.housekeeping()
    assert Transfer.objects.filter(**said).exists(), "it has not ended"
    services.apply_event(transfer.pk, events.CallerLeft())
    Transfer.objects.update(ended_at=timezone.now() - timedelta(days=31))
    jobs.housekeeping()
    transfer.refresh_from_db()
    assert (transfer.summary, transfer.context, transfer.caller_number) == ("", "", "+5511999")
    assert transfer.outcome == "caller_left"


def test_every_worker_asks_for_housekeeping_and_one_is_enough(queue, company):
    for _ in range(2):
        one = django_rq.get_worker("default")
        assert isinstance(one, worker.Worker), "settings.RQ names it"
        one.run_maintenance_tasks()
    assert [job.func_name for job in queue.jobs] == ["calls.jobs.housekeeping"]


def test_the_worker_command_plans_the_next_try_without_any_flag(ticket, omniplay, queue, database_url):
    omniplay.mood.status = 503
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "transferhub.settings",
        "DATABASE_URL": database_url,
        "OMNIPLAY_URL": omniplay.url,
        "OMNIPLAY_TOKEN": omniplay.token,
    }
    subprocess.run([sys.executable, "manage.py", "rqworker", "--burst"], env=environment, check=True, timeout=30)
    planned = ScheduledJobRegistry(queue=queue)
    (job,) = planned.get_job_ids()
    assert timedelta(seconds=5) < planned.get_scheduled_time(job) - timezone.now() < timedelta(seconds=12)
    assert Ticket.objects.get().last_error == "HTTP 503"
