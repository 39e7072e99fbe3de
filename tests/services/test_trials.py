"""A trial uses the department's settings and touches nothing else: no telephone, no turn, no ticket, no number."""

from datetime import timedelta

import pytest
from django.utils import timezone

from calls import jobs, metrics, selectors, services
from calls.console import board
from calls.models import (
    AudioSession,
    Department,
    Extension,
    OpeningHours,
    SupervisorAction,
    Switch,
    SwitchCommand,
    Ticket,
    Transfer,
    Trial,
)
from calls.rights import Rights
from calls.services import trials
from calls.switch.chosen import choose
from calls.transfer import events as e
from calls.transfer.states import Source, State
from tests.factories import make_user
from tests.services import world
from tests.services.world import tell

pytestmark = pytest.mark.django_db


@pytest.fixture
def vendas():
    world.connected_switch()
    return world.department("vendas", "2001", "2002")


def begin(department, host="here", **wish):
    user = make_user(f"user{Trial.objects.count()}-{timezone.now():%f}")
    wish = {"temperament": "accepts", "then": "accepts", "voice": "simulated", "caller_name": "Maria",
            "summary": "quer um orçamento"} | wish  # fmt: skip
    return services.begin_trial(user, department, host, **wish)


def called(department, **wish):
    """A trial whose simulated caller has asked for the department."""
    trial, refusal = begin(department, **wish)
    assert trial and not refusal
    trials.trial_ready(trial, 12345, "ws://127.0.0.1:1/v1/realtime" if trial.voice == "simulated" else "", "accepted")
    return trials.trial_called(trial, f"call-{trial.pk}")


def announced(department, **wish):
    transfer = tell(called(department, **wish), e.CallerParked(1))
    mark = world.attempt(transfer).mark
    return tell(transfer, e.AgentJoined(mark, f"b-{mark}", 2))


def test_the_agents_telephones_stay_free_for_real_callers(vendas):
    trial = announced(vendas)
    assert world.rung(trial) == [["2001"]]
    assert not Extension.objects.exclude(claimed_by=None).exists()
    assert world.rung(world.dialling("vendas")) == [["2001"]]


def test_agents_who_talk_with_real_callers_are_tried_all_the_same(vendas):
    world.announcing("vendas")
    trial = announced(vendas)
    assert world.rung(trial) == [["2001"]]
    assert Extension.objects.get(number="2001").claimed_by is not None


def test_a_trial_takes_nobodys_turn(vendas):
    Department.objects.update(strategy=Department.Strategy.ROUND_ROBIN)
    vendas.refresh_from_db()
    announced(vendas)
    assert world.rung(world.dialling("vendas")) == [["2001"]]


def test_agents_of_any_switch_are_tried(vendas):
    Extension.objects.update(switch=world.connected_switch("other"))
    assert world.rung(announced(vendas)) == [["2001"]]


def test_its_ticket_stays_here_and_its_changes_call_nobody(vendas, settings, monkeypatch):
    settings.OMNIPLAY_URL = "http://omniplay.example"
    asked = []
    monkeypatch.setattr("calls.dispatch.enqueue", lambda plan: asked.extend(plan.jobs))
    transfer = announced(vendas)
    for _agent in range(2):
        mark = world.attempt(transfer).mark
        transfer = tell(transfer, e.DecisionMade(mark, e.Choice.REJECT, Source.KEY))
        if transfer.state == State.DIALLING:
            mark = world.attempt(transfer).mark
            transfer = tell(transfer, e.AgentJoined(mark, f"b-{mark}", 3))
    assert transfer.state == State.INFORMING
    ticket = Ticket.objects.get()
    assert ticket.state == Ticket.State.LOCAL and asked == []
    assert not services.ticket_again(ticket.protocol)
    jobs.deliver_ticket(ticket.protocol)
    assert Ticket.objects.get().state == Ticket.State.LOCAL


def test_it_is_counted_nowhere(vendas):
    before = metrics.render()
    transfer = announced(vendas)
    today = board.company_today()
    numbers = board.numbers_of(today, Rights(sees=True))
    assert (numbers.waiting, numbers.talking, numbers.ended) == (0, 0, 0)
    assert metrics.render() == before
    assert not selectors.transfers().exists()
    assert transfer in board.live(board.Filters(today), Rights(sees=True))


def test_its_switch_is_in_no_list_and_is_never_chosen(vendas):
    transfer = called(vendas)
    assert transfer.switch.is_trial
    Switch.everything.update(connected=True, lease_until=timezone.now() + timedelta(hours=1))
    assert [switch.slug for switch in Switch.objects.all()] == ["main"]
    assert [switch.slug for switch in selectors.connected_switches()] == ["main"]
    assert choose().slug == "main"
    assert world.ask("vendas").switch.slug == "main"


def test_it_takes_no_callers_place(vendas, settings):
    settings.MAX_TRANSFERS = settings.MAX_REALTIME_SESSIONS = 1
    announced(vendas)
    assert world.ask("vendas").state == State.PARKING


def test_opening_hours_and_being_in_use_do_not_matter(vendas):
    tomorrow = (timezone.localtime().weekday() + 2) % 7
    OpeningHours.objects.create(department=vendas, weekday=tomorrow, opens="09:00", closes="09:01")
    Department.objects.update(enabled=False)
    assert announced(vendas).state == State.ANNOUNCING


def test_a_department_without_agents_is_refused_in_words(vendas):
    Extension.objects.update(enabled=False)
    trial, refusal = begin(vendas)
    assert trial is None and "não tem atendente" in refusal
    assert not SupervisorAction.objects.get(action="try").done


def test_the_real_voice_needs_a_real_api(vendas, settings):
    settings.OPENAI_API_KEY = ""
    assert begin(vendas, voice="real")[1] == "Nenhuma API Realtime está configurada."
    settings.OPENAI_API_KEY = "sk-x"
    assert trials.realtime_of(called(vendas, voice="real")) is None


def test_there_are_two_at_once_and_one_more_when_one_is_over(vendas):
    first, _ = begin(vendas)
    begin(vendas)
    refused, words = begin(vendas)
    assert refused is None and words == "Já há 2 ensaios em andamento: espere um deles terminar."
    services.end_trial(first.pk)
    third, words = begin(vendas)
    assert third.switch == first.switch and not words
    assert [(each.action, each.done) for each in SupervisorAction.objects.order_by("id")] == [
        ("try", True), ("try", True), ("try", False), ("try", True),
    ]  # fmt: skip


@pytest.mark.parametrize("reached", ["parking", "announcing", "connecting", "connected"])
def test_a_trial_whose_process_died_is_ended_wherever_it_was(vendas, reached):
    transfer = called(vendas) if reached == "parking" else announced(vendas)
    mark = transfer.memory.get("attempt", "")
    if reached in ("connecting", "connected"):
        tell(transfer, e.DecisionMade(mark, e.Choice.ACCEPT, Source.KEY))
    if reached == "connected":
        tell(transfer, e.PutThroughDone(mark))
    assert services.end_silent_trials() == 0
    Trial.objects.update(seen_at=timezone.now() - timedelta(minutes=2))
    assert services.end_silent_trials() == 1
    transfer.refresh_from_db()
    assert transfer.state == State.ENDED
    assert not SwitchCommand.objects.filter(switch=transfer.switch, state="waiting").exists()
    assert Trial.objects.get().ended_at and Trial.objects.get().problem


def test_its_audio_is_carried_where_its_realtime_api_can_be_heard(vendas):
    services.heartbeat("here:1:a", "ws://here", 0)
    services.heartbeat("there:2:b", "ws://there", 0)
    announced(vendas)
    assert services.claim_audio("there:2:b") == []
    [claimed] = services.claim_audio("here:1:a")
    url, key = claimed.realtime
    assert url == "ws://127.0.0.1:1/v1/realtime" and key == trials.key_of(Trial.objects.get())
    world.announcing("vendas")
    [claimed] = services.claim_audio("there:2:b")
    assert claimed.realtime is None


def test_no_telephone_of_a_supervisor_is_rung(vendas):
    transfer = announced(vendas)
    tell(transfer, *(e.DecisionMade(transfer.memory["attempt"], e.Choice.ACCEPT, Source.KEY),),
         e.PutThroughDone(transfer.memory["attempt"]))  # fmt: skip
    rita = make_user("rita", "calls.view_transfer", "calls.listen")
    assert "nenhum telefone toca" in services.supervise(rita, transfer.pk, "listen").refusal


def test_a_supervisor_sends_it_to_any_extension_of_the_company(vendas):
    transfer = announced(vendas)
    Extension.objects.create(number="2009", name="Rita", switch=world.connected_switch("other"))
    tell(transfer, e.RedirectRequested("2009", Source.CONSOLE, transfer.memory["attempt"], "dora"))
    assert world.rung(transfer) == [["2001"], ["2009"]]


def test_integrators_never_meet_one(vendas):
    transfer = called(vendas)
    assert Transfer.objects.filter(pk=transfer.pk).exists()
    assert not selectors.transfers().filter(pk=transfer.pk).exists()
    assert AudioSession.objects.filter(transfer__is_trial=False).count() == 0


def test_what_its_caller_was_made_to_want_is_forgotten_in_time(vendas):
    services.end_trial(called(vendas).trial.pk)
    services.erase_speech(timezone.now() + timedelta(seconds=1))
    assert Trial.objects.filter(summary="", caller_name="").exists()
    assert Transfer.objects.get(is_trial=True).summary == ""
