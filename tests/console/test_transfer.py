"""The page of one transfer: what happened, what was said, who was tried, what became of it."""

import re
import uuid

import pytest
from django.test import Client
from django.urls import reverse

from calls.models import ApiClient, Ticket, TransferEvent
from calls.transfer.states import Outcome, State
from tests.factories import make_talk, make_transfer


def page_of(browser, transfer):
    return browser.get(reverse("console:transfer", args=[transfer.pk]))


def text(response) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", response.content.decode()).split())


@pytest.fixture
def accepted(vendas):
    transfer = make_transfer(client=ApiClient.objects.create(name="secretária", key_hash="x"))
    make_talk(transfer)
    return transfer


def test_strangers_see_nothing(accepted, charlie):
    for name in ("transfer", "transfer-fragment"):
        address = reverse(f"console:{name}", args=[accepted.pk])
        assert Client().get(address).status_code == 302
        assert charlie.get(address).status_code == 403


def test_a_transfer_that_does_not_exist_is_said_so(alice):
    response = alice.get(reverse("console:transfer", args=[uuid.uuid4()]))
    assert response.status_code == 404 and "não existe" in text(response)


def test_the_timeline_tells_the_story_in_words(alice, accepted):
    read = text(page_of(alice, accepted))
    story = [
        "A secretária pede a transferência",
        "O cliente espera na conferência",
        "O telefone de Ana toca",
        "O anúncio começa",
        "Ana aceita (por voz)",
        "Cliente e Ana conversam",
    ]
    assert sorted(story, key=read.index) == story


def test_late_events_are_for_technicians_only(alice, accepted):
    TransferEvent.objects.create(
        transfer=accepted,
        at=accepted.requested_at,
        event="CallerLeft",
        from_state="ended",
        to_state="ended",
        verdict="late",
        detail={"cause": "NORMAL_CLEARING"},
    )
    timeline, technical = text(page_of(alice, accepted)).split("Todos os eventos")
    assert "O cliente desligou" not in timeline
    assert "CallerLeft" in technical and "late" in technical and "cause=NORMAL_CLEARING" in technical


def test_what_a_supervisor_did_carries_his_name(alice, accepted):
    TransferEvent.objects.create(
        transfer=accepted,
        at=accepted.requested_at,
        event="CancelRequested",
        source="console",
        from_state="dialling",
        to_state="returning",
        verdict="moved",
        by="bob",
    )
    assert "O cliente é retomado (pela supervisão: bob)" in text(page_of(alice, accepted))


def test_the_transcript_says_who_said_what(alice, accepted):
    read = text(page_of(alice, accepted))
    assert "Maria Souza está na linha" in read and "Posso sim, pode passar." in read
    assert read.index("anunciadora") < read.index("está na linha") < read.index("Posso sim")


def test_each_attempt_has_its_agent_and_its_reason(alice, vendas):
    transfer = make_transfer(outcome=Outcome.REJECTED, attempts=[("2001", "busy"), ("2002", "rejected")])
    read = text(page_of(alice, transfer))
    assert "1 Ana ocupado ocupado" in read
    assert "2 Bruno recusada “em reunião”" in read


def test_the_ticket_says_whether_it_arrived_and_was_told(alice, vendas):
    transfer = make_transfer(outcome=Outcome.BUSY)
    Ticket.objects.update(state=Ticket.State.SENT, omniplay_id="OP-77", told=True)
    read = text(page_of(alice, transfer))
    assert transfer.ticket.protocol in read and "OP-77" in read and "enviado" in read
    assert "Dito ao cliente sim" in read


def test_details_say_who_asked_and_how_long_it_took(alice, accepted):
    read = text(page_of(alice, accepted))
    assert "Pedida por secretária" in read and "Do pedido à conversa 14,0 s" in read


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("sees", [True, False])
def test_every_state_has_a_page_and_numbers_are_masked_by_permission(alice, bob, vendas, state, sees):
    transfer = make_transfer(state, Outcome.ACCEPTED if state in (State.CONNECTED, State.CONNECTING) else "")
    read = text(page_of(bob if sees else alice, transfer))
    assert (transfer.caller_number in read) is sees


def test_the_head_of_the_page_is_the_row_of_the_list(alice, accepted):
    row = re.search(r"<tr data-key=\"t-.*?</tr>", alice.get("/").content.decode(), re.S).group()
    assert row in page_of(alice, accepted).content.decode()


def test_longer_stories_need_no_more_queries(alice, vendas, django_assert_num_queries):
    short = make_transfer(outcome="busy", attempts=[("2001", "busy")])
    long = make_transfer(outcome="busy", attempts=[("2001", "busy"), ("2002", "busy"), ("2001", "no_answer")])
    for transfer in (short, long, long):
        make_talk(transfer)
    page_of(alice, short)
    for transfer in (short, long):
        # session, user, permissions (2), scopes, transfer, attempts, supervisors, events, utterances, audio, people,
        # last said
        with django_assert_num_queries(12):
            page_of(alice, transfer)


def test_the_fragment_is_sent_again_when_somebody_speaks(alice, accepted):
    address = reverse("console:transfer-fragment", args=[accepted.pk])
    first = alice.get(address)
    assert alice.get(address, headers={"If-None-Match": first["ETag"]}).status_code == 304
    make_talk(accepted)
    assert alice.get(address, headers={"If-None-Match": first["ETag"]}).status_code == 200
