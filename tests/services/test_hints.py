"""What a supervisor tells the announcer: who gets it, and what is kept."""

import pytest
from django.utils import timezone

from calls import services
from calls.models import AudioSession, SupervisorAction, WebProcess
from calls.transfer import events as e
from calls.transfer.states import Source
from tests.factories import make_user
from tests.services import world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sent(monkeypatch):
    messages = []
    monkeypatch.setattr("calls.bus.send", lambda group, message: messages.append((group, message)) or True)
    return messages


@pytest.fixture
def transfer(settings, sent):
    settings.LANGUAGE_CODE = "en"
    world.connected_switch()
    world.department("vendas", "2001")
    transfer = world.announcing("vendas")
    now = timezone.now()
    process = WebProcess.objects.create(id="web-1", audio_base_url="ws://x", heartbeat_at=now, started_at=now)
    AudioSession.objects.filter(transfer=transfer).update(state=AudioSession.State.LIVE, process=process)
    return transfer


def told(messages):
    return [(group, message) for group, message in messages if message["type"] == "announcer.tell"]


def test_the_process_of_the_announcer_is_told_where_the_words_are_and_not_the_words(transfer, sent):
    assert services.tell_announcer(make_user("rita"), transfer.pk, " diga que\né urgente ").done
    ((group, message),) = told(sent)
    assert group == "audio.web-1" and "urgente" not in str(message)
    assert services.told_words(message["action"]) == "diga que é urgente"
    row = SupervisorAction.objects.get(action="tell")
    assert (row.username, row.reason, row.transfer) == ("rita", "diga que é urgente", transfer)


def test_without_words_or_an_announcer_it_is_refused_and_recorded(transfer, sent):
    rita = make_user("rita")
    assert services.tell_announcer(rita, transfer.pk, "  ").refusal == "Write what the announcer is to say."
    mark = world.attempt(transfer).mark
    world.tell(transfer, e.DecisionMade(mark, e.Choice.ACCEPT, Source.KEY))
    assert services.tell_announcer(rita, transfer.pk, "oi").refusal == "No announcer is speaking now."
    assert not told(sent)
    assert [row.done for row in SupervisorAction.objects.filter(action="tell")] == [False, False]


def test_only_what_was_told_is_read_back(transfer):
    refused = services.record(make_user("rita"), "tell", transfer, refusal="no", reason="secret")
    other = services.record(make_user("paula"), "reject", transfer, reason="secret")
    assert services.told_words(refused.pk) == services.told_words(other.pk) == services.told_words(0) == ""
