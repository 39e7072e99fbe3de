"""What processes hand to one another through the database is given out once, and taken back when its holder dies."""

from datetime import timedelta

import pytest
from django.utils import timezone

from calls import services
from calls.models import AudioSession, Switch, SwitchCommand, Ticket, WebProcess
from calls.transfer import events as e
from calls.transfer.states import State
from tests.services import world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def switch():
    return world.connected_switch()


def test_a_command_is_given_out_once_and_in_order(switch):
    world.department("vendas", "2001")
    transfer = world.dialling("vendas")
    claimed = services.claim_commands(switch.pk, 1)
    assert [command.kind for command in claimed] == world.commands(transfer) == ["Park", "ArmNet", "Dial"]
    assert services.claim_commands(switch.pk, 1) == []
    services.finish_command(claimed[0].pk, True, "+OK")
    assert SwitchCommand.objects.get(pk=claimed[0].pk).state == SwitchCommand.State.DONE


def test_a_command_of_which_nothing_was_sent_is_given_out_again(switch):
    world.department("vendas", "2001")
    world.ask("vendas")
    [park] = services.claim_commands(switch.pk, 1)
    services.give_back_command(park.pk)
    assert services.claim_commands(switch.pk, 1) == [park]
    services.finish_command(park.pk, True, "+OK")
    services.give_back_command(park.pk)
    assert services.claim_commands(switch.pk, 1) == []


def test_a_process_with_an_old_fence_gets_no_command(switch):
    world.department("vendas", "2001")
    world.ask("vendas")
    assert services.claim_commands(switch.pk, 0) == []


def test_one_process_holds_the_lease_and_the_next_gets_a_higher_fence(switch):
    Switch.objects.update(lease_until=None, lease_holder="")
    first = services.renew_lease(switch, "one")
    assert services.renew_lease(switch, "two") is None
    assert services.renew_lease(switch, "one") == first
    services.release_lease(switch, "one")
    assert services.renew_lease(switch, "two") == first + 1


def test_a_lease_that_ran_out_passes_on(switch):
    Switch.objects.update(lease_until=None, lease_holder="")
    first = services.renew_lease(switch, "one")
    Switch.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert services.renew_lease(switch, "two") == first + 1
    assert services.renew_lease(switch, "one") is None


def test_an_announcer_is_claimed_by_one_process_and_its_token_opens_once():
    world.department("vendas", "2001")
    world.dialling("vendas")
    services.heartbeat("web-1", "ws://one", 0)
    services.heartbeat("web-2", "ws://two", 0)
    [mine] = services.claim_audio("web-1")
    assert services.claim_audio("web-2") == []
    assert services.audio_connected("web-2", mine.token) is None
    assert services.audio_connected("web-1", "x" + mine.token) is None
    live = services.audio_connected("web-1", mine.token)
    assert live.session_id == mine.session_id
    assert services.audio_connected("web-1", mine.token) is None


def test_the_next_attempt_is_left_to_the_process_whose_announcer_nobody_answered_and_to_all_after_a_moment():
    world.department("vendas", "2001", "2002")
    transfer = world.dialling("vendas")
    for process in ("web-1", "web-2"):
        services.heartbeat(process, f"ws://{process}", 0)
    [first] = services.claim_audio("web-1")
    world.tell(transfer, e.DialFailed(first.attempt_mark, "NO_ANSWER"))
    assert services.claim_audio("web-2") == []
    [second] = services.claim_audio("web-1")
    assert second.attempt_mark == world.attempt(transfer).mark != first.attempt_mark
    AudioSession.objects.filter(pk=second.session_id).update(
        state=AudioSession.State.OPEN, process=None, created_at=timezone.now() - timedelta(seconds=1)
    )
    assert len(services.claim_audio("web-2")) == 1


def test_the_announcer_of_a_dead_process_is_offered_again():
    world.department("vendas", "2001")
    transfer = world.dialling("vendas")
    services.heartbeat("web-1", "ws://one", 0)
    services.heartbeat("web-2", "ws://two", 0)
    [mine] = services.claim_audio("web-1")
    services.announce_ready(mine.session_id, "ws://one/audio/t")
    WebProcess.objects.filter(pk="web-1").update(heartbeat_at=timezone.now() - timedelta(seconds=6))
    assert services.reopen_dead_audio() == 1
    [other] = services.claim_audio("web-2")
    assert other.attempt_mark == mine.attempt_mark
    services.announce_ready(other.session_id, "ws://two/audio/t")
    transfer.refresh_from_db()
    assert transfer.memory["announcer_url"] == "ws://two/audio/t"


def test_a_lost_announcer_is_lost_once_though_switch_and_heartbeat_both_say_so():
    world.department("vendas", "2001")
    transfer = world.dialling("vendas")
    services.heartbeat("web-1", "ws://one", 0)
    services.claim_audio("web-1")
    services.apply_event(transfer.pk, e.AnnouncerLost(world.attempt(transfer).mark, "audio_disconnect_1006"))
    WebProcess.objects.update(heartbeat_at=timezone.now() - timedelta(minutes=1))
    assert services.reopen_dead_audio() == 0
    assert AudioSession.objects.exclude(state=AudioSession.State.CLOSED).count() == 1  # the new offer


def test_an_offer_that_nobody_took_is_closed_with_its_transfer():
    world.department("vendas", "2001")
    transfer = world.dialling("vendas")
    world.tell(transfer, e.CallerLeft())
    assert AudioSession.objects.get(transfer=transfer).state == AudioSession.State.CLOSED
    assert services.claim_audio("web-1") == []


def test_omniplays_number_reaches_the_prompt_when_it_comes_in_time(settings):
    settings.OMNIPLAY_URL = "http://omniplay.example"
    world.department("vendas", "2001", max_attempts=1)
    transfer = world.dialling("vendas")
    world.tell(transfer, e.DialFailed(world.attempt(transfer).mark, "NO_ANSWER"))
    ticket = Ticket.objects.get(transfer=transfer)
    assert (transfer.state, ticket.state) == (State.INFORMING, Ticket.State.PENDING)
    services.ticket_sent(ticket.protocol, "OMNI-77")
    [prompt] = AudioSession.objects.filter(transfer=transfer, leg="caller")
    assert prompt.brief["number"] == "OMNI-77"
    assert "sete, sete" in prompt.brief["text"]


def test_a_ticket_that_failed_for_good_can_be_sent_again_and_a_sent_one_cannot():
    world.department("vendas")
    ticket = Ticket.objects.get(transfer=world.ask("vendas"))
    services.ticket_failed(ticket.protocol, "HTTP 422", final=True)
    ticket.refresh_from_db()
    assert (ticket.state, ticket.tries, ticket.last_error) == (Ticket.State.FAILED, 1, "HTTP 422")
    assert services.ticket_again(ticket.protocol)
    services.ticket_sent(ticket.protocol, "1")
    assert not services.ticket_again(ticket.protocol)


def test_an_api_key_is_kept_as_a_hash_and_dies_when_rotated():
    client, key = services.create_api_client("secretary")
    assert key not in str(vars(client))
    assert services.authenticate(key) == client
    new = services.rotate_api_key(client)
    assert services.authenticate(key) is None
    assert services.authenticate(new) == client
    client.enabled = False
    client.save()
    assert services.authenticate(new) is None


def test_a_process_that_stops_takes_only_what_others_have_left(switch):
    world.department("vendas", "2001")
    transfer = world.dialling("vendas")
    services.heartbeat("web-1", "ws://web-1", 0)
    assert services.claim_audio("web-1", waited=1.5) == []
    AudioSession.objects.filter(transfer=transfer).update(created_at=timezone.now() - timedelta(seconds=2))
    assert len(services.claim_audio("web-1", waited=1.5)) == 1
