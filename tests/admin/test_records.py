"""What happened is kept as it was; a ticket can be sent again."""

import django_rq
import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from calls.models import Attempt, Ticket, Transfer, TransferEvent
from calls.transfer.states import Outcome, State
from tests.factories import make_transfer, make_user


@pytest.mark.parametrize("model", ["transfer", "ticket"])
def test_a_superuser_cannot_write_history(root, model):
    transfer = make_transfer(outcome=Outcome.BUSY)
    pk = transfer.pk if model == "transfer" else transfer.ticket.pk
    assert root.get(reverse(f"admin:calls_{model}_add")).status_code == 403
    assert root.post(reverse(f"admin:calls_{model}_change", args=[pk]), {"outcome": "accepted"}).status_code == 403
    assert root.post(reverse(f"admin:calls_{model}_delete", args=[pk]), {"post": "yes"}).status_code == 403
    assert Transfer.objects.get().outcome == Outcome.BUSY
    assert Ticket.objects.exists()


def test_the_bulk_action_delete_is_not_there(root):
    make_transfer()
    address = reverse("admin:calls_transfer_changelist")
    data = {"action": "delete_selected", "_selected_action": [str(Transfer.objects.get().pk)], "post": "yes"}
    root.post(address, data)
    assert Transfer.objects.exists()


def test_attempts_and_events_have_no_field_to_write_into(root):
    transfer = make_transfer()
    page = root.get(reverse("admin:calls_transfer_change", args=[transfer.pk])).content.decode()
    assert Attempt.objects.exists() and TransferEvent.objects.exists()
    assert 'name="attempts-0-outcome"' not in page and 'name="events-0-verdict"' not in page
    assert "AgentJoined" in page and "aceita" in page


def test_numbers_are_masked_for_who_may_not_see_them(client, vendas):
    transfer = make_transfer(caller_number="5511987654321")
    address = reverse("admin:calls_transfer_change", args=[transfer.pk])
    client.force_login(make_user("alice", "calls.view_transfer", is_staff=True))
    assert "5511987654321" not in client.get(address).content.decode()
    client.force_login(make_user("bob", "calls.view_transfer", "calls.see_numbers", is_staff=True))
    assert "5511987654321" in client.get(address).content.decode()


@pytest.mark.django_db(transaction=True)
def test_a_ticket_that_was_given_up_is_sent_again_and_one_that_arrived_is_not(client):
    failed, sent = (make_transfer(State.ENDED, Outcome.BUSY).ticket for _ in range(2))
    Ticket.objects.filter(pk=failed.pk).update(state=Ticket.State.FAILED, last_error="503")
    Ticket.objects.filter(pk=sent.pk).update(state=Ticket.State.SENT, omniplay_id="77")
    queue = django_rq.get_queue()
    queue.empty()
    client.force_login(make_user("root", is_staff=True, is_superuser=True))
    data = {"action": "send_again", "_selected_action": [failed.pk, sent.pk]}
    response = client.post(reverse("admin:calls_ticket_changelist"), data)
    failed.refresh_from_db(), sent.refresh_from_db()
    assert (failed.state, failed.last_error, sent.state) == (Ticket.State.PENDING, "", Ticket.State.SENT)
    assert [job.args for job in queue.jobs] == [(failed.protocol,)]
    assert queue.jobs[0].func_name == "calls.jobs.deliver_ticket"
    messages = [str(message) for message in get_messages(response.wsgi_request)]
    assert messages == ["1 chamado está sendo enviado.", "1 chamado já estava lá."]
    queue.empty()


def test_who_may_only_look_cannot_send_again(client, vendas):
    ticket = make_transfer(outcome=Outcome.BUSY).ticket
    Ticket.objects.update(state=Ticket.State.FAILED)
    client.force_login(make_user("alice", "calls.view_ticket", is_staff=True))
    client.post(reverse("admin:calls_ticket_changelist"), {"action": "send_again", "_selected_action": [ticket.pk]})
    assert Ticket.objects.get().state == Ticket.State.FAILED
