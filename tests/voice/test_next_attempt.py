"""Nobody answered: the session that was opened for him serves the next agent."""

import pytest

from calls import bus
from calls.transfer.events import AnnouncementStarted, DecisionMade
from calls.voice import announcer
from calls.voice import effects as fx
from calls.voice import protocol as p
from tests.voice.line import BRIEF, Line
from tests.voice.world import until

OTHER = BRIEF | {"agent_name": "Ana", "announcement_text": "Olá, Ana. Maria quer falar com você. Pode atender agora?"}


# ---------------------------------------------------------------- the conversation
def test_the_same_words_are_not_made_again():
    line = Line().prepared(5)
    assert line.dialogue.next_attempt("mark2", BRIEF) == {"total_tokens": 10}
    assert line.types(line.dialogue.take_effects()) == ["session.update"]
    assert line.of(fx.Play, line.connected())
    assert line.told(line.started()) == [AnnouncementStarted("mark2")]


def test_other_words_are_made_anew_and_the_model_forgets_the_former():
    line = Line().prepared(5)
    line.dialogue.next_attempt("mark2", OTHER)
    update, delete, create = line.messages(line.dialogue.take_effects())
    assert "Ana" in update["session"]["instructions"]
    assert (delete["type"], delete["item_id"]) == ("conversation.item.delete", "item_1")
    assert OTHER["announcement_text"] in create["response"]["instructions"]
    assert not line.of(fx.Play, line.connected())
    assert line.of(fx.Play, line.responds(2, seconds=3))


def test_words_that_are_still_being_made_are_cancelled_first():
    line = Line()
    line.model_up()
    line.model(p.ResponseCreated("resp_1"))
    line.dialogue.next_attempt("mark2", OTHER)
    assert line.types(line.dialogue.take_effects()) == ["session.update", "response.cancel"]
    (create,) = line.messages(line.model(p.ResponseDone("resp_1", "cancelled")))
    assert OTHER["announcement_text"] in create["response"]["instructions"]


def test_a_session_that_is_still_opening_begins_with_the_new_agent():
    line = Line()
    line.dialogue.next_attempt("mark2", OTHER)
    assert line.dialogue.take_effects() == []
    _, create = line.messages(line.model_up())
    assert OTHER["announcement_text"] in create["response"]["instructions"]


# ---------------------------------------------------------------- through every socket
@pytest.fixture
async def unanswered(web, realtime):
    """The telephone of session 1 rang in vain, and its announcement had been made."""
    await web.claimed(1, transfer="t", agent_name="João")
    await until(lambda: realtime.sessions and realtime.sessions[-1].sent["response.done"], what="the announcement")


async def close(web, number):
    note = {"type": "announcer.note", "session": number, "note": "close"}
    await bus.asend(bus.process_group(web.hub.process_id), note)


async def test_the_next_agent_is_spoken_to_by_the_same_session_and_what_was_in_vain_is_counted(
    web, line, realtime, door, unanswered
):
    await close(web, 1)
    url = await web.claimed(2, transfer="t", agent_name="Ana", announcement_text=OTHER["announcement_text"])
    await until(lambda: door.closed, what="the end of the first")
    assert list(door.closed) == [1] and door.closed[1]["total_tokens"] > 0
    (session,) = realtime.sessions
    await until(lambda: session.sent["response.done"] == 2, what="the second announcement")
    line.connect(url)
    await line.hears_out()
    await line.agent.say("pode_repetir")
    await line.hears_out()
    assert session.said[1:] == [OTHER["announcement_text"]] * 2
    await line.agent.say("sim_pode_passar")
    await until(lambda: door.of(DecisionMade), what="the decision")
    assert session.errors == [] and len(realtime.sessions) == 1
    await close(web, 2)
    await until(lambda: 2 in door.closed and not web.hub.legs, what="the end")


async def test_without_a_next_agent_the_session_is_closed_after_a_moment(web, door, realtime, monkeypatch, unanswered):
    monkeypatch.setattr(announcer, "KEPT_SECONDS", 0.1)
    await close(web, 1)
    await until(lambda: 1 in door.closed and not web.hub.legs, what="the end")
    await until(lambda: realtime.sessions[-1].close_code == 1000, what="the end of the model's session")


async def test_another_transfer_gets_a_session_of_its_own(web, realtime, unanswered):
    await web.claimed(2, transfer="another")
    await until(lambda: len(realtime.sessions) == 2, what="the other session")
    assert len(web.hub.legs) == 2
