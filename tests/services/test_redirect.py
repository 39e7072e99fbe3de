"""Call this extension instead: who may be rung, and what is kept of it."""

import pytest

from calls import services
from calls.models import AudioSession, Extension, WebProcess
from calls.transfer import events as e
from calls.transfer.states import Source, State, Verdict
from tests.services import world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def switch():
    return world.connected_switch()


def extension(number, **fields):
    return Extension.objects.create(number=number, name=f"Agent {number}", **fields)


def redirect(transfer, number, source=Source.CONSOLE, **fields):
    return services.apply_event(transfer.pk, e.RedirectRequested(number, source, **fields))


def test_an_extension_of_no_department_is_rung_next_and_the_one_before_is_free():
    world.department("vendas", "2001", "2002")
    extension("2003")
    transfer = world.dialling("vendas")
    applied = redirect(transfer, "2003", by="rita")
    assert (applied.verdict, applied.transfer.state) == (Verdict.MOVED, State.DIALLING)
    assert world.rung(transfer) == [["2001"], ["2003"]]
    assert Extension.objects.get(number="2001").claimed_by is None
    assert Extension.objects.get(number="2003").claimed_by == transfer
    logged = transfer.events.get(event="RedirectRequested")
    assert (logged.by, logged.source, logged.detail) == ("rita", "console", {})


def test_after_it_the_departments_order_goes_on():
    world.department("vendas", "2001", "2002")
    extension("2003")
    transfer = world.dialling("vendas")
    redirect(transfer, "2003")
    world.tell(transfer, e.DialFailed(world.attempt(transfer).mark, "USER_BUSY"))
    assert world.rung(transfer) == [["2001"], ["2003"], ["2002"]]


def test_an_agent_who_was_tried_already_may_be_asked_for_again():
    world.department("vendas", "2001", "2002")
    transfer = world.dialling("vendas")
    world.tell(transfer, e.SkipRequested())
    redirect(transfer, "2001")
    assert world.rung(transfer) == [["2001"], ["2002"], ["2001"]]


@pytest.mark.parametrize(
    ("number", "reason"),
    [("9999", "No extension"), ("2004", "No extension"), ("2001", "being called now"), ("2002", "another transfer")],
)
def test_whom_nobody_can_ring_is_refused_with_words_and_the_agent_stays(number, reason, settings):
    settings.LANGUAGE_CODE = "en"
    world.department("vendas", "2001")
    world.department("suporte", "2002")
    extension("2004", enabled=False)
    transfer = world.announcing("vendas")
    world.dialling("suporte")
    applied = redirect(transfer, number)
    assert applied.verdict is Verdict.ILLEGAL
    assert reason in applied.reason
    transfer.refresh_from_db()
    assert transfer.state == State.ANNOUNCING
    assert "LetGo" not in world.commands(transfer)


def test_an_extension_of_another_switch_cannot_be_rung():
    world.department("vendas", "2001")
    extension("2003", switch=world.connected_switch("other"))
    transfer = world.dialling("vendas", switch="main")
    assert redirect(transfer, "2003").verdict is Verdict.ILLEGAL


def test_the_announcer_is_told_of_a_refusal_only_where_a_key_asked(bus_messages):
    world.department("vendas", "2001")
    transfer = world.announcing("vendas")
    mark = world.attempt(transfer).mark
    process = WebProcess.objects.create(
        id="web-1", audio_base_url="ws://x", heartbeat_at=transfer.requested_at, started_at=transfer.requested_at
    )
    session = AudioSession.objects.get(transfer=transfer)
    AudioSession.objects.filter(pk=session.pk).update(state=AudioSession.State.LIVE, process=process)
    redirect(transfer, "9999", Source.VOICE, attempt=mark)
    assert not notes(bus_messages)
    redirect(transfer, "9999", Source.KEY, attempt=mark)
    assert notes(bus_messages) == [{"type": "announcer.note", "session": session.pk, "note": "redirect_refused"}]


def notes(messages):
    return [message for _, message in messages if message.get("type") == "announcer.note"]


@pytest.fixture
def bus_messages(monkeypatch):
    sent = []
    monkeypatch.setattr("calls.bus.send", lambda group, message: sent.append((group, message)) or True)
    return sent
