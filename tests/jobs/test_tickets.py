"""Tickets to OmniPlay: opened once, tried for a day, refused for good."""

from datetime import timedelta

import pytest
from django.utils import timezone

from calls import jobs, services
from calls import omniplay as omniplay_client
from calls.models import Ticket
from tests.jobs.tools import work


def test_a_ticket_is_opened_at_omniplay_and_its_number_kept(ticket, omniplay):
    jobs.deliver_ticket(ticket.protocol)
    ticket.refresh_from_db()
    assert (ticket.state, ticket.omniplay_id) == ("sent", "OMNI-10001")
    (opened,) = omniplay.tickets.values()
    assert opened == {
        "id": "OMNI-10001",
        "caller_id": "+5511999",
        "context": "Vendas\npedido 4711\nquer comprar",
        "reason": "unavailable",
        "uuid": "call-2",
        "timestamp": opened["timestamp"],
        "protocol": ticket.protocol,
    }


def test_a_ticket_is_tried_again_until_omniplay_is_back(ticket, omniplay, queue, monkeypatch):
    monkeypatch.setattr(jobs, "wait_after", lambda tries: 1)
    omniplay.mood.status = 503
    work()
    ticket.refresh_from_db()
    assert (ticket.state, ticket.tries, ticket.last_error) == ("pending", 1, "HTTP 503")
    omniplay.mood.status = None
    work(until=lambda: Ticket.objects.get().state == "sent")
    assert Ticket.objects.get().tries == 2


def test_an_answer_that_was_lost_opens_no_second_ticket(ticket, omniplay, queue, monkeypatch):
    monkeypatch.setattr(jobs, "wait_after", lambda tries: 1)
    omniplay.mood.lose_answers = 1
    work(until=lambda: Ticket.objects.get().state == "sent")
    assert len(omniplay.requests) == 2
    assert len(omniplay.tickets) == 1


def test_a_refusal_is_final_and_says_why(ticket, omniplay):
    omniplay.token = "another"
    assert jobs.deliver_ticket(ticket.protocol) is None
    ticket.refresh_from_db()
    assert (ticket.state, ticket.last_error) == ("failed", "HTTP 401")


@pytest.mark.parametrize("status", [408, 429, 500, 302])
def test_what_may_pass_is_tried_again(ticket, omniplay, status):
    omniplay.mood.status = status
    assert jobs.deliver_ticket(ticket.protocol) is not None
    assert Ticket.objects.get().state == "pending"


def test_a_failed_ticket_can_be_sent_again(ticket, omniplay):
    omniplay.mood.status = 404
    jobs.deliver_ticket(ticket.protocol)
    omniplay.mood.status = None
    jobs.deliver_ticket(ticket.protocol)
    assert Ticket.objects.get().state == "failed", "only a person sends it again"
    services.ticket_again(ticket.protocol)
    jobs.deliver_ticket(ticket.protocol)
    assert Ticket.objects.get().state == "sent"


def test_after_a_day_it_is_given_up(ticket, omniplay):
    omniplay.mood.status = 503
    Ticket.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert jobs.deliver_ticket(ticket.protocol) is None
    assert Ticket.objects.get().state == "failed"


def test_an_answer_without_a_usable_number_is_a_failure(ticket, omniplay):
    omniplay.mood.wrong_answer = True
    assert jobs.deliver_ticket(ticket.protocol) is not None
    ticket.refresh_from_db()
    assert (ticket.state, ticket.omniplay_id, ticket.last_error) == ("pending", "", "HTTP 201 without an id")


def test_a_dead_omniplay_costs_a_try_and_nothing_else(ticket, settings):
    settings.OMNIPLAY_URL = "http://127.0.0.1:1"
    assert jobs.deliver_ticket(ticket.protocol) is not None
    assert Ticket.objects.get().last_error == "ConnectError"


def test_a_slow_omniplay_is_left_and_asked_again_and_opens_one_ticket(ticket, omniplay, monkeypatch):
    monkeypatch.setattr(omniplay_client, "TIMEOUT_SECONDS", 0.1)
    omniplay.mood.delay = 0.5
    assert jobs.deliver_ticket(ticket.protocol) is not None
    assert (Ticket.objects.get().state, Ticket.objects.get().last_error) == ("pending", "ReadTimeout")
    omniplay.mood.delay = 0.0
    jobs.deliver_ticket(ticket.protocol)
    assert Ticket.objects.get().state == "sent" and len(omniplay.tickets) == 1


def test_jobs_of_rows_that_are_gone_end_quietly(db, omniplay):
    assert jobs.deliver_ticket("no such protocol") is None
    assert jobs.deliver_webhook(4711) is None
    assert omniplay.requests == []


def test_the_pauses_grow_to_an_hour():
    assert [jobs.wait_after(tries) for tries in (1, 2, 3, 9, 10, 500)] == [10, 20, 40, 2560, 3600, 3600]
