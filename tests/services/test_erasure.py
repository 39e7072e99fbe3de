"""Erasing a telephone number: nothing of it is left in any table, the figures stay, and the deed is on record."""

import io
import json

import pytest
from django.apps import apps
from django.core import serializers
from django.core.management import CommandError, call_command
from django.utils import timezone

from calls import services
from calls.models import Erasure, Transfer, Utterance
from calls.services import erasure
from calls.transfer import events as e
from calls.transfer.states import Outcome, Source
from tests.services import world

NUMBER = "+55 11 98765-4321"
STORED = "5511987654321"
pytestmark = pytest.mark.django_db


@pytest.fixture
def company(settings):
    settings.WEBHOOK_HOSTS = ["crm.example.com"]
    world.connected_switch()
    return world.department("vendas", "2001", "2002", "2003", ticket_on=["rejected"], max_attempts=1)


def lived(number=STORED, name="Joana Dark", **fields):
    """A transfer with everything that is ever kept of one, to its end."""
    texts = {"summary": "Joana quer falar", "context": "mora em Ouro Preto", "metadata": {"phone": number}}
    texts |= {"callback_url": "http://crm.example.com/joana"} | fields
    transfer = world.announcing("vendas", caller_number=number, caller_name=name, **texts)
    session = transfer.audio_sessions.get(leg="agent")
    services.add_utterance(session.pk, "agent", "A Joana eu ligo depois")
    decision = e.DecisionMade("", e.Choice.REJECT, Source.VOICE, reason="Joana ligue depois")
    return world.tell(transfer, decision, e.PromptFailed("no_audio"), e.CallerLeft())


def everything() -> str:
    """All rows of all our tables."""
    rows = [row for model in apps.get_app_config("calls").get_models() for row in model._base_manager.all()]
    return serializers.serialize("json", rows, ensure_ascii=False)


def test_nothing_that_names_the_number_or_was_said_is_left_in_any_table(company):
    transfer = lived()
    assert transfer.state == "ended", transfer.state
    assert all(word in everything() for word in (STORED, "Joana", "Ouro Preto", "joana"))
    erased = services.erase_number(NUMBER, by="alice")
    assert (erased.transfers, erased.protocols) == (1, [transfer.ticket.protocol])
    left = everything()
    for word in (STORED, STORED[-8:], "Joana", "Ouro Preto", "joana", transfer.request_hash):
        assert word not in left
    transfer.refresh_from_db()
    assert transfer.outcome == Outcome.REJECTED and transfer.attempts.count() == 1  # the figures stay


def test_others_keep_theirs_but_for_texts_in_which_the_number_stands(company):
    other = lived("5511900000000", "Bento", summary="Bento pede: ligue para (55 11) 98765-4321", metadata={})
    untouched = lived("5511911111111", "Clara", summary="Clara quer um orçamento", metadata={})
    services.erase_number(NUMBER, by="alice")
    other.refresh_from_db(), untouched.refresh_from_db()
    assert (other.caller_number, other.caller_name, other.summary) == ("5511900000000", "Bento", "")
    assert untouched.summary == "Clara quer um orçamento"
    assert Utterance.objects.filter(transfer=untouched).exists()


def test_a_number_that_was_said_to_the_announcer_goes_from_the_transcript(company):
    other = lived("5511900000000", "Bento")
    session = other.audio_sessions.get(leg="agent")
    services.add_utterance(session.pk, "agent", "o número dela é 55 11 98765 4321")
    services.erase_number(NUMBER, by="alice")
    assert "98765" not in everything()


def test_a_transfer_under_way_is_not_touched_and_neither_is_anything_else(company):
    lived()
    world.announcing("vendas", caller_number=STORED)
    with pytest.raises(CommandError, match="under way"):
        call_command("erase_number", NUMBER)
    assert Transfer.objects.filter(caller_number=STORED).count() == 2
    assert not Erasure.objects.exists()


def test_the_record_says_who_when_and_how_many_and_never_the_number(company):
    lived()
    out = io.StringIO()
    call_command("erase_number", NUMBER, by="alice", stdout=out)
    (row,) = Erasure.objects.all()
    assert (row.by, row.transfers) == ("alice", 1) and row.at <= timezone.now()
    assert row.number_hash == erasure.number_hash(STORED) and "98765" not in out.getvalue()
    assert "1 transfer(s)" in out.getvalue()


def test_the_records_hash_cannot_be_made_without_our_key(company, settings):
    ours = erasure.number_hash(STORED)
    settings.SECRET_KEY = "another"
    assert erasure.number_hash(STORED) != ours


def test_a_record_is_never_changed_or_deleted(company):
    services.erase_number(NUMBER, by="alice")
    row = Erasure.objects.get()
    for change in (row.save, lambda: Erasure.objects.update(by="x"), lambda: Erasure.objects.all().delete()):
        with pytest.raises(TypeError):
            change()


@pytest.mark.parametrize("number", ["", "abc", "12", "%"])
def test_what_is_no_number_erases_nothing(company, number):
    lived()
    with pytest.raises(CommandError):
        call_command("erase_number", number)
    assert Transfer.objects.get().caller_number == STORED


def test_it_may_run_again(company):
    lived()
    services.erase_number(NUMBER, by="alice")
    assert services.erase_number(NUMBER, by="alice").transfers == 0


def test_retention_takes_the_numbers_copies_too(company):
    transfer = lived(metadata={})
    assert STORED in json.dumps(transfer.memory) and transfer.commands.exists()
    services.erase_speech(timezone.now())
    transfer.refresh_from_db()
    assert STORED not in json.dumps(transfer.memory) and not transfer.commands.exists()
    assert transfer.caller_number == STORED  # who called stays
