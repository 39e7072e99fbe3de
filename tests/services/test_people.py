"""What people do at the console: one event, recorded with who, when and why; never on a stage they did not see."""

import pytest
from django.contrib.auth.models import Group

from calls.groups import GROUPS, make_groups
from calls.models import SupervisorAction, TransferEvent
from calls.services.people import Action, act, stage_of, why_not
from calls.transfer import events as e
from calls.transfer.states import Outcome, State
from tests.factories import make_user
from tests.services import world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def bob(db):
    world.connected_switch()
    world.department("vendas", "2001", "2002")
    return make_user("bob")


def press(user, transfer, action, **more):
    return act(user, transfer.pk, action, seen_stage=stage_of(transfer), seen_version=transfer.version, **more)


def test_a_supervisor_puts_the_two_through(bob):
    transfer = world.announcing("vendas")
    acted = press(bob, transfer, Action.ACCEPT)
    assert acted.done and acted.transfer.state == State.CONNECTING
    assert acted.transfer.decided_by == "console"
    assert TransferEvent.objects.get(event="DecisionMade").by == "bob"


def test_a_rejection_keeps_its_reason_and_rings_the_next_agent(bob):
    transfer = world.announcing("vendas")
    assert press(bob, transfer, Action.REJECT, reason="  não é da Ana ").done
    assert world.rung(transfer) == [["2001"], ["2002"]]
    assert transfer.attempts.get(number=1).reason == "não é da Ana"
    assert SupervisorAction.objects.get().reason == "não é da Ana"


def test_the_next_agent_is_rung_and_the_caller_taken_back(bob):
    transfer = world.dialling("vendas")
    assert press(bob, transfer, Action.SKIP).done
    transfer.refresh_from_db()
    assert world.rung(transfer) == [["2001"], ["2002"]]
    assert press(bob, transfer, Action.TAKE_BACK).transfer.outcome == Outcome.CANCELLED


def test_ending_the_conversation_lets_the_agent_go(bob):
    transfer = world.announcing("vendas")
    press(bob, transfer, Action.ACCEPT)
    world.tell(transfer, e.PutThroughDone(world.attempt(transfer).mark))
    assert press(bob, transfer, Action.END).done
    assert "LetGo" in world.commands(transfer)


def test_a_stage_that_was_not_seen_is_not_acted_on(bob):
    transfer = world.announcing("vendas")
    seen = stage_of(transfer)
    press(bob, transfer, Action.SKIP)
    world.tell(transfer, e.AgentJoined(world.attempt(transfer).mark, "b2", 3))
    acted = act(bob, transfer.pk, Action.ACCEPT, seen_stage=seen)
    assert not acted.done and "seguiu adiante" in acted.refusal
    assert acted.transfer.state == State.ANNOUNCING


def test_a_version_that_moved_within_its_stage_is_acted_on(bob):
    transfer = world.announcing("vendas")
    seen = stage_of(transfer)
    world.tell(transfer, e.AnnouncementStarted(world.attempt(transfer).mark))
    assert act(bob, transfer.pk, Action.ACCEPT, seen_stage=seen).done


def test_a_refusal_is_recorded_with_its_words(bob):
    transfer = world.dialling("vendas")
    acted = press(bob, transfer, Action.ACCEPT)
    line = SupervisorAction.objects.get()
    assert not acted.done and not line.done
    assert line.note == acted.refusal == "Nenhum atendente atendeu ainda."
    assert (line.username, line.action, line.state) == ("bob", "accept", "dialling")


def test_a_second_press_of_the_same_button_is_refused(bob):
    transfer = world.announcing("vendas")
    assert press(bob, transfer, Action.ACCEPT).done
    assert not press(bob, transfer, Action.ACCEPT).done
    assert TransferEvent.objects.filter(event="DecisionMade").count() == 1


def test_the_audit_is_never_changed(bob):
    press(bob, world.dialling("vendas"), Action.ACCEPT)
    line = SupervisorAction.objects.get()
    for change in (line.save, line.delete, SupervisorAction.objects.all().delete):
        with pytest.raises(TypeError):
            change()
    with pytest.raises(TypeError):
        SupervisorAction.objects.update(username="charlie")


def test_the_audit_outlives_the_person(bob):
    press(bob, world.dialling("vendas"), Action.ACCEPT)
    bob.delete()
    assert SupervisorAction.objects.get().username == "bob"


@pytest.mark.parametrize("action", list(Action))
@pytest.mark.parametrize("state", list(State))
def test_every_action_has_an_answer_in_every_state(db, action, state):
    assert isinstance(why_not(state.value, action), str)
    if state is State.ENDED:
        assert why_not(state.value, action)


def test_three_groups_stand_ready_and_what_is_changed_in_them_stays(db):
    assert {group.name for group in Group.objects.all()} == set(GROUPS)
    names = {name: set(Group.objects.get(name=name).permissions.values_list("codename", flat=True)) for name in GROUPS}
    assert names["Atendimento"] == {"view_transfer"}
    assert {"act_on_transfers", "listen"} <= names["Supervisor"] and "change_department" not in names["Supervisor"]
    assert {"change_department", "add_user"} <= names["Administrador"]
    assert "act_on_transfers" not in names["Administrador"]
    group = Group.objects.get(name="Atendimento")
    group.permissions.clear()
    make_groups()
    assert not group.permissions.exists()
