"""Whatever stands still on the other side, what waits for it is bounded, and what matters most is kept."""

from calls.services import ClaimedAudio
from calls.transfer.events import AnnouncementEnded, AnnouncerLost, Choice, DecisionMade
from calls.transfer.states import Source
from calls.voice import effects as fx
from calls.voice.announcer import EVENTS_KEPT, WRITES_KEPT, Announcer
from calls.voice.breaker import Breaker
from calls.voice.leg import OUTBOX_KEPT
from calls.voice.relay import KEPT_MESSAGES, Uplink
from tests.voice.line import BRIEF


def announcer():
    claimed = ClaimedAudio(1, "agent", "id", "short", "main", "mark", BRIEF, "token")
    return Announcer(claimed, "ws://here/audio/token", None, Breaker(5, 30))


async def test_a_socket_that_takes_nothing_costs_its_agent_what_comes_last():
    leg = announcer()
    for number in range(OUTBOX_KEPT + 10):
        leg.say(str(number))
    assert leg.outbox.qsize() == OUTBOX_KEPT
    assert leg.outbox.get_nowait() == "0"


async def test_while_the_database_is_away_a_decision_is_never_dropped():
    leg = announcer()
    for _ in range(EVENTS_KEPT + 10):
        leg._keep_event(AnnouncementEnded("mark"))
    decision = DecisionMade("mark", Choice.ACCEPT, Source.VOICE)
    leg._keep_event(decision)
    leg._keep_event(AnnouncerLost("mark", "synthesis_failed"))
    assert leg._events.qsize() == EVENTS_KEPT + 2
    assert decision in [leg._events.get_nowait() for _ in range(EVENTS_KEPT + 1)]


async def test_while_the_database_is_away_the_end_of_what_was_said_is_kept():
    leg = announcer()
    for number in range(WRITES_KEPT + 10):
        leg._keep_write(fx.Write("agent", str(number)))
    kept = [leg._writes.get_nowait().text for _ in range(WRITES_KEPT)]
    assert leg._writes.empty() and (kept[0], kept[-1]) == ("10", str(WRITES_KEPT + 9))


async def test_a_model_that_takes_nothing_has_its_first_messages_kept():
    uplink = Uplink("test")
    for number in range(KEPT_MESSAGES + 10):
        uplink.message(str(number).encode())
    assert (len(uplink._messages), uplink._messages[0], uplink.dropped) == (KEPT_MESSAGES, b"0", 10)
