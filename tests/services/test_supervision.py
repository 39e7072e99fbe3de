"""Who may hear or talk in which call, and what is kept of it."""

import pytest
from django.contrib.auth.models import Permission
from django.core import signing
from django.utils import timezone

from calls import services
from calls.models import (
    AudioSession,
    DepartmentScope,
    Extension,
    Supervision,
    SupervisorAction,
    SupervisorTelephone,
    WebProcess,
)
from calls.services import listening
from calls.services.supervision import supervisors_lost
from calls.transfer import events as e
from calls.transfer.states import Source, State
from tests.factories import make_user
from tests.services import world

pytestmark = pytest.mark.django_db(transaction=True)

ALL = ("calls.view_transfer", "calls.listen", "calls.whisper", "calls.join")


@pytest.fixture(autouse=True)
def company(settings):
    settings.LANGUAGE_CODE = "en"
    world.connected_switch()
    world.department("vendas", "2001")


def supervisor(name="rita", *permissions, number="2009"):
    user = make_user(name, *(permissions or ALL))
    if number:
        extension, _ = Extension.objects.get_or_create(number=number, defaults={"name": name})
        SupervisorTelephone.objects.create(user=user, extension=extension)
    return user


def talking():
    transfer = world.announcing("vendas")
    mark = world.attempt(transfer).mark
    accept = e.DecisionMade(mark, e.Choice.ACCEPT, Source.KEY)
    return world.tell(transfer, accept, e.PutThroughDone(mark))


def joined(transfer, user, mode="join"):
    assert services.supervise(user, transfer.pk, mode).done
    row = Supervision.objects.get(transfer=transfer, user=user)
    services.supervision_happened(row.mark, "joined", uuid="s-leg", member=9)
    row.refresh_from_db()
    return row


def modes(transfer):
    return [row.arguments["mode"] for row in transfer.commands.filter(kind="SetSupervision")]


def test_his_own_telephone_is_rung_into_this_conference_and_it_is_written_down():
    transfer, rita = talking(), supervisor()
    version = transfer.version
    row = joined(transfer, rita, "whisper")
    (dial,) = transfer.commands.filter(kind="DialSupervisor")
    assert (dial.arguments["number"], dial.arguments["conference"]) == ("2009", transfer.conference)
    assert modes(transfer) == ["whisper"]
    assert (row.state, row.uuid, row.member, row.username) == ("inside", "s-leg", 9, "rita")
    assert row.asked_at <= row.began_at
    transfer.refresh_from_db()
    assert transfer.version == version + 2 and transfer.state == State.CONNECTED
    assert SupervisorAction.objects.get(action="whisper").done


def test_who_is_inside_changes_how_he_takes_part_without_being_rung_again():
    transfer, rita = talking(), supervisor()
    joined(transfer, rita, "listen")
    services.supervise(rita, transfer.pk, "join")
    assert modes(transfer) == ["listen", "join"]
    assert transfer.commands.filter(kind="DialSupervisor").count() == 1


def test_who_changes_his_mind_while_it_rings_takes_part_as_he_wanted_last():
    transfer, rita = talking(), supervisor()
    services.supervise(rita, transfer.pk, "join")
    joined(transfer, rita, "listen")
    assert modes(transfer) == ["listen"]


@pytest.mark.parametrize("mode", ["listen", "whisper", "join"])
def test_each_way_has_a_right_of_its_own(mode):
    transfer = talking()
    others = [name for name in ALL if name != f"calls.{mode}"]
    refused = services.supervise(supervisor("rita", *others), transfer.pk, mode)
    assert refused.refusal == "You may not do this."
    assert not transfer.commands.filter(kind="DialSupervisor").exists()
    assert not SupervisorAction.objects.get(action=mode).done
    allowed = supervisor("paula", "calls.view_transfer", f"calls.{mode}", number="2010")
    assert services.supervise(allowed, transfer.pk, mode).done


def test_a_department_that_is_not_his_is_out_of_reach():
    transfer, rita = talking(), supervisor()
    DepartmentScope.objects.create(user=rita, department=world.department("suporte", "2002"))
    assert services.supervise(rita, transfer.pk, "join").refusal == "You may not do this."


def test_without_a_conversation_or_a_telephone_he_is_told_why_not():
    transfer = world.announcing("vendas")
    rita, nobody = supervisor(), supervisor("nobody", *ALL, number="")
    assert "not talking" in services.supervise(rita, transfer.pk, "join").refusal
    transfer = world.tell(
        transfer,
        e.DecisionMade(world.attempt(transfer).mark, e.Choice.ACCEPT, Source.KEY),
        e.PutThroughDone(world.attempt(transfer).mark),
    )
    assert "No telephone" in services.supervise(nobody, transfer.pk, "join").refusal
    agent = supervisor("ana", *ALL, number="2001")
    transfer.agent = Extension.objects.get(number="2001")
    transfer.save(update_fields=["agent"])
    assert "in this conversation" in services.supervise(agent, transfer.pk, "join").refusal
    assert "not in this conversation" in services.leave_call(rita, transfer.pk).refusal


def test_the_end_of_the_conversation_lets_every_supervisor_go():
    transfer = talking()
    inside = joined(transfer, supervisor())
    services.supervise(supervisor("paula", number="2010"), transfer.pk, "listen")
    world.tell(transfer, e.AgentLeft(world.attempt(transfer).mark, transfer.agent_uuid))
    assert transfer.state != State.CONNECTED
    out = transfer.commands.filter(kind="LetSupervisorGo")
    assert sorted(row.arguments["supervisor"] for row in out) == ["", "s-leg"]
    assert not Supervision.objects.exclude(state="over").exists()
    inside.refresh_from_db()
    assert inside.ended_at


def test_who_answers_when_all_is_over_is_let_go_at_once():
    transfer, rita = talking(), supervisor()
    services.supervise(rita, transfer.pk, "join")
    services.leave_call(rita, transfer.pk)
    row = Supervision.objects.get(transfer=transfer)
    services.supervision_happened(row.mark, "joined", uuid="late", member=9)
    assert transfer.commands.filter(kind="LetSupervisorGo").last().arguments["supervisor"] == "late"
    assert modes(transfer) == []


def test_after_a_reconnect_whoever_is_gone_is_over_and_whoever_is_there_stays():
    transfer = talking()
    stays = joined(transfer, supervisor())
    services.supervise(supervisor("paula", number="2010"), transfer.pk, "join")
    supervisors_lost(transfer.switch_id, {"s-leg"})
    stays.refresh_from_db()
    assert stays.state == "inside"
    assert Supervision.objects.get(username="paula").note == "LOST"


# ---------------------------------------------------------------- in the browser
def announced(transfer):
    now = timezone.now()
    process = WebProcess.objects.create(id="web-1", audio_base_url="ws://here:1", heartbeat_at=now, started_at=now)
    AudioSession.objects.filter(transfer=transfer).update(state=AudioSession.State.LIVE, process=process)


def token_of(url):
    assert url.startswith("ws://here:1/listen/")
    return url.removeprefix("ws://here:1/listen/")


def test_he_hears_at_the_process_that_holds_the_announcer_and_it_is_written_down():
    transfer, rita = world.announcing("vendas"), supervisor()
    assert services.listen_url(rita, transfer) == ""  # nobody holds it yet
    announced(transfer)
    token = token_of(services.listen_url(rita, transfer))
    session_id, row_id = services.open_listening("web-1", token)
    assert AudioSession.objects.get(pk=session_id).transfer == transfer
    assert services.may_listen_on(row_id)
    services.close_listening(row_id)
    row = Supervision.objects.get(pk=row_id)
    assert (row.mode, row.state, row.username) == ("hear", "over", "rita") and row.ended_at
    assert not services.may_listen_on(row_id)


def test_a_token_is_refused_elsewhere_forged_old_or_of_one_who_may_not(monkeypatch):
    transfer, rita = world.announcing("vendas"), supervisor()
    announced(transfer)
    token = token_of(services.listen_url(rita, transfer))
    assert services.open_listening("web-2", token) is None
    assert services.open_listening("web-1", token[:-1] + "x") is None
    assert services.open_listening("web-1", signing.dumps([rita.pk, 1], salt="another")) is None
    stranger = make_user("stranger", "calls.view_transfer")
    assert services.open_listening("web-1", token_of(services.listen_url(stranger, transfer))) is None
    monkeypatch.setattr(listening, "GOOD_FOR_SECONDS", -1)
    assert services.open_listening("web-1", token) is None
    assert not Supervision.objects.exists()


def test_a_right_taken_away_ends_listening():
    transfer, rita = world.announcing("vendas"), supervisor()
    announced(transfer)
    _, row_id = services.open_listening("web-1", token_of(services.listen_url(rita, transfer)))
    rita.user_permissions.remove(Permission.objects.get(codename="listen"))
    assert not services.may_listen_on(row_id)
