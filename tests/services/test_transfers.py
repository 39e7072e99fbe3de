"""Requests and events through the one door, on a real database."""

import pytest
from django.db import transaction

from calls import errors, services
from calls.models import AudioSession, Extension, Ticket, Transfer
from calls.transfer import events as e
from calls.transfer.states import Outcome, Source, State, Verdict
from tests.services import world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def switch():
    return world.connected_switch()


def test_a_request_parks_the_caller_at_once():
    world.department("vendas", "2001")
    transfer = world.ask("vendas")
    assert transfer.state == State.PARKING
    assert world.commands(transfer) == ["Park"]
    assert transfer.deadline is not None


def test_a_request_may_let_the_secretary_finish_her_sentence():
    world.department("vendas", "2001")
    transfer = world.ask("vendas", start_after_ms=5000)
    assert transfer.state == State.REQUESTED
    assert world.commands(transfer) == []
    services.run_due()
    transfer.refresh_from_db()
    assert transfer.state == State.REQUESTED


def test_without_a_connected_switch_nothing_is_taken(switch):
    world.department("vendas", "2001")
    services.set_connected(switch.pk, False)
    with pytest.raises(errors.NoSwitchConnected):
        world.ask("vendas")
    assert not Transfer.objects.exists()


def test_an_unknown_department_is_refused():
    with pytest.raises(errors.UnknownDepartment):
        world.ask("nowhere")


def test_a_call_is_in_one_transfer_at_a_time():
    world.department("vendas", "2001")
    services.create_transfer(services.NewTransfer(call_uuid="a", department="vendas"))
    with pytest.raises(errors.AlreadyInTransfer) as refused:
        services.create_transfer(services.NewTransfer(call_uuid="a", department="vendas"))
    assert refused.value.transfer.caller_uuid == "a"


def test_a_repeated_key_gives_the_same_transfer_and_a_reused_one_is_refused():
    world.department("vendas", "2001")
    client, _ = services.create_api_client("secretary")
    new = services.NewTransfer(call_uuid="a", department="vendas", idempotency_key="k")
    first, created = services.create_transfer(new, client=client)
    again, created_again = services.create_transfer(new, client=client)
    assert (created, created_again, first.pk) == (True, False, again.pk)
    other = services.NewTransfer(call_uuid="b", department="vendas", idempotency_key="k")
    with pytest.raises(errors.IdempotencyMismatch):
        services.create_transfer(other, client=client)


def test_a_department_without_agents_ends_at_once_with_a_ticket():
    world.department("vendas")
    transfer = world.ask("vendas")
    assert (transfer.state, transfer.outcome, transfer.decision) == (State.ENDED, Outcome.UNAVAILABLE, "")
    assert Ticket.objects.get(transfer=transfer).protocol.isdigit()
    assert world.commands(transfer) == []


def test_a_destination_takes_the_limits_of_the_default_department():
    world.department("vendas", "2001")
    world.department("suporte", "2002", is_default=True, ring_seconds=33)
    transfer = world.tell(world.ask(destination="2001"), e.CallerParked(1))
    assert transfer.department.slug == "suporte"
    assert world.rung(transfer) == [["2001"]]
    assert transfer.memory["policy"]["ring_seconds"] == 33


def test_a_change_of_the_department_acts_on_the_next_transfer_only():
    department = world.department("vendas", "2001", "2002", ring_seconds=20)
    running = world.dialling("vendas")
    department.ring_seconds = 40
    department.save()
    world.tell(running, e.DialFailed(world.attempt(running).mark, "NO_ANSWER"))
    assert running.memory["policy"]["ring_seconds"] == 20
    assert world.ask("vendas").memory["policy"]["ring_seconds"] == 40


def test_the_log_holds_what_happened_and_no_word_that_was_said():
    world.department("vendas", "2001")
    transfer = world.announcing("vendas", caller_number="5511999990000")
    mark = world.attempt(transfer).mark
    world.tell(transfer, e.DecisionMade(mark, e.Choice.REJECT, Source.VOICE, "em reunião com o diretor"))
    rows = [str(row.detail) for row in transfer.events.all()]
    assert not any("reunião" in row or "5511999990000" in row for row in rows)
    assert transfer.reason == "em reunião com o diretor"


def test_a_step_that_fails_leaves_nothing_behind():
    world.department("vendas", "2001")
    transfer = world.ask("vendas")
    with pytest.raises(RuntimeError), transaction.atomic():
        services.apply_event(transfer.pk, e.CallerParked(1))
        raise RuntimeError("the process dies here")
    transfer.refresh_from_db()
    assert transfer.state == State.PARKING
    assert not Extension.objects.exclude(claimed_by=None).exists()


def test_an_accepted_transfer_keeps_who_answered_and_when():
    world.department("vendas", "2001")
    transfer = world.announcing("vendas")
    mark = world.attempt(transfer).mark
    world.tell(
        transfer,
        e.AnnouncementStarted(mark),
        e.AnnouncementEnded(mark),
        e.DecisionMade(mark, e.Choice.ACCEPT, Source.KEY),
        e.PutThroughDone(mark),
    )
    assert transfer.state == State.CONNECTED
    assert transfer.agent.number == "2001"
    assert (transfer.outcome, transfer.decision, transfer.decided_by) == ("accepted", "accepted", "key")
    assert transfer.answered_at <= transfer.announced_at <= transfer.decided_at <= transfer.connected_at
    assert world.attempt(transfer).outcome == "accepted"
    assert Extension.objects.get(number="2001").claimed_by == transfer
    world.tell(transfer, e.AgentLeft(mark, transfer.agent_uuid), e.CallerWentHome())
    assert transfer.state == State.ENDED
    assert Extension.objects.get(number="2001").claimed_by is None


def test_a_persons_impossible_wish_is_refused_in_words():
    world.department("vendas", "2001")
    transfer = world.dialling("vendas")
    applied = services.apply_event(transfer.pk, e.DecisionMade("", e.Choice.ACCEPT, Source.CONSOLE))
    assert applied.verdict is Verdict.ILLEGAL
    assert applied.reason and "_" not in applied.reason


def test_deadlines_are_rows_that_any_process_may_find():
    world.department("vendas", "2001")
    transfer = world.ask("vendas")
    Transfer.objects.filter(pk=transfer.pk).update(deadline=transfer.requested_at)
    assert services.run_due() == 1
    transfer.refresh_from_db()
    assert (transfer.state, transfer.error) == (State.RETURNING, "park_timeout")


def test_the_announcer_is_offered_while_the_telephone_rings():
    world.department("vendas", "2001", instructions="Oi {agent}, é {caller}.")
    transfer = world.dialling("vendas", caller_name="Maria")
    session = AudioSession.objects.get(transfer=transfer)
    assert session.state == AudioSession.State.OPEN
    assert session.brief["announcement_text"] == "Oi Agent 2001, é Maria."


def test_a_broken_announcement_template_never_stops_a_transfer():
    world.department("vendas", "2001", instructions="Oi {nobody}")
    transfer = world.dialling("vendas", caller_name="Maria")
    assert "Maria" in AudioSession.objects.get(transfer=transfer).brief["announcement_text"]
