"""One agent, one offer: who is rung, in which order, and who loses the race."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from calls import services
from calls.models import Department, Extension
from calls.transfer import events as e
from calls.transfer.states import Outcome, Source, State
from tests.services import world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def switch():
    return world.connected_switch()


def test_agents_are_rung_in_order_each_once():
    world.department("vendas", "2001", "2002", "2003")
    transfer = world.dialling("vendas")
    for cause in ("USER_BUSY", "NO_ANSWER"):
        world.tell(transfer, e.DialFailed(world.attempt(transfer).mark, cause))
    assert world.rung(transfer) == [["2001"], ["2002"], ["2003"]]


def test_a_disabled_agent_is_not_rung():
    world.department("vendas", "2001", "2002")
    Extension.objects.filter(number="2001").update(enabled=False)
    assert world.rung(world.dialling("vendas")) == [["2002"]]


def test_an_agent_in_another_transfer_is_skipped():
    world.department("vendas", "2001", "2002")
    assert world.rung(world.dialling("vendas")) == [["2001"]]
    assert world.rung(world.dialling("vendas")) == [["2002"]]


def test_when_all_agents_are_in_transfers_the_outcome_is_busy():
    world.department("vendas", "2001")
    world.dialling("vendas")
    second = world.dialling("vendas")
    assert (second.state, second.outcome) == (State.INFORMING, Outcome.BUSY)


def test_two_transfers_racing_for_the_last_free_agent_make_one_offer():
    world.department("vendas", "2001")
    transfers = [world.ask("vendas") for _ in range(2)]
    together = Barrier(2)

    def park(transfer):
        try:
            together.wait()
            services.apply_event(transfer.pk, e.CallerParked(1))
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(park, transfers))
    for transfer in transfers:
        transfer.refresh_from_db()
    assert sorted(transfer.state for transfer in transfers) == [State.DIALLING, State.INFORMING]
    assert sum(transfer.attempts.count() for transfer in transfers) == 1
    winner = next(transfer for transfer in transfers if transfer.state == State.DIALLING)
    assert Extension.objects.get(number="2001").claimed_by == winner


def test_an_agent_is_free_again_after_a_rejection_but_not_rung_again_for_the_same_caller():
    world.department("vendas", "2001")
    transfer = world.announcing("vendas")
    world.tell(transfer, e.DecisionMade(world.attempt(transfer).mark, e.Choice.REJECT, source=Source.VOICE))
    assert transfer.outcome == Outcome.REJECTED
    assert world.rung(world.dialling("vendas")) == [["2001"]]


def test_taking_turns_begins_after_whoever_was_first_last_time():
    world.department("vendas", "2001", "2002", "2003", strategy=Department.Strategy.ROUND_ROBIN)
    firsts = []
    for _ in range(4):
        transfer = world.dialling("vendas")
        firsts.append(world.rung(transfer)[0][0])
        world.tell(transfer, e.CallerLeft())
    assert firsts == ["2001", "2002", "2003", "2001"]


def test_ringing_all_is_one_attempt_and_frees_the_others_when_one_answers():
    world.department("vendas", "2001", "2002", "2003", strategy=Department.Strategy.RING_ALL)
    transfer = world.dialling("vendas")
    assert world.rung(transfer) == [["2001", "2002", "2003"]]
    [dial] = transfer.commands.filter(kind="Dial")
    assert dial.arguments["numbers"] == ["2001", "2002", "2003"]
    world.tell(transfer, e.AgentJoined(world.attempt(transfer).mark, "b", 2, "2002"))
    claimed = Extension.objects.filter(claimed_by=transfer).values_list("number", flat=True)
    assert list(claimed) == ["2002"]
    assert transfer.agent.number == "2002"


def test_after_a_rejection_the_rest_of_a_fork_is_rung_again():
    world.department("vendas", "2001", "2002", strategy=Department.Strategy.RING_ALL)
    transfer = world.dialling("vendas")
    mark = world.attempt(transfer).mark
    world.tell(transfer, e.AgentJoined(mark, "b", 2, "2002"), e.DecisionMade(mark, e.Choice.REJECT, source=Source.KEY))
    assert world.rung(transfer) == [["2001", "2002"], ["2001"]]


def test_an_agent_who_is_still_being_told_that_the_caller_left_is_not_rung():
    world.department("vendas", "2001")
    transfer = world.announcing("vendas")
    world.tell(transfer, e.CallerLeft())
    assert world.dialling("vendas").outcome == Outcome.BUSY
    world.tell(transfer, e.AgentLeft(world.attempt(transfer).mark, transfer.agent_uuid))
    assert world.dialling("vendas").state == State.DIALLING


def test_a_claim_whose_end_nobody_saw_is_given_up(settings):
    world.department("vendas", "2001")
    transfer = world.announcing("vendas")
    world.tell(transfer, e.CallerLeft())
    settings.FORGOTTEN_CLAIM_SECONDS = -1
    services.run_due()
    assert Extension.objects.get(number="2001").claimed_by is None


def test_an_extension_of_another_switch_is_not_rung():
    world.department("vendas", "2001", "2002")
    Extension.objects.filter(number="2001").update(switch=world.connected_switch("other"))
    services.set_connected(Extension.objects.get(number="2001").switch_id, False)
    assert world.rung(world.dialling("vendas", switch="main")) == [["2002"]]
    assert world.ask(destination="2001", switch="main").outcome == Outcome.UNAVAILABLE
