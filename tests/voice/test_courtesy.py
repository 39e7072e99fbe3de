"""When the announcer speaks, and when it asks a silent agent once more."""

from calls.transfer.events import AnnouncementEnded, AnnouncementStarted
from calls.voice import effects as fx
from calls.voice import protocol as p
from tests.voice.line import SECOND, Line

HELLO = {"waits_for_hello": True}


def prepared(**brief):
    line = Line(brief=brief).prepared(5)
    assert line.connected() == []
    return line


# ---------------------------------------------------------------- the agent's hello
def test_where_it_is_wanted_the_agents_hello_comes_first_and_the_announcement_right_after_it():
    line = prepared(**HELLO)
    assert not line.of(fx.Play, line.waits(300) + line.says(500))
    assert line.of(fx.Play, line.waits(220))


def test_an_agent_who_says_nothing_is_spoken_to_after_one_second_and_a_fifth():
    line = prepared(**HELLO)
    assert not line.of(fx.Play, line.waits(1180))
    assert line.of(fx.Play, line.waits(20))


def test_a_hello_that_does_not_end_is_not_waited_for():
    line = prepared(**HELLO)
    assert not line.of(fx.Play, line.waits(200) + line.says(2780))
    assert line.of(fx.Play, line.says(20, noticed=False))


def test_a_click_is_no_hello():
    line = prepared(**HELLO)
    assert not line.of(fx.Play, line.waits(100) + line.says(60, noticed=False) + line.waits(1020))


def test_the_announcement_is_the_answer_to_a_hello_however_late_the_model_tells_of_its_end():
    line = prepared(**HELLO)
    line.waits(100)
    line.says(900)
    line.waits(220)
    new = line.started() + line.waits(280) + line.model(p.SpeechStopped("turn", 0), p.Committed("turn"))
    new += line.waits(3000)
    assert not line.messages(new) and not line.of(fx.Silence, new)


def test_a_hello_before_the_words_are_made_is_not_answered_by_others():
    line = Line(brief=HELLO)
    line.model_up()
    line.connected()
    new = line.says(500) + line.falls_silent()
    assert not line.messages(new)
    line.model(p.ResponseCreated("resp_1"))
    assert line.of(fx.Play, line.model(p.AudioDelta("resp_1", "item_1", SECOND)))


def test_words_that_come_while_the_hello_is_awaited_wait_too():
    line = Line(brief=HELLO)
    line.model_up()
    line.connected()
    line.waits(100)
    assert not line.of(fx.Play, line.responds(1, seconds=3))
    assert len(line.of(fx.Play, line.waits(1100))) == 1  # by now in one clip


def test_a_synthesised_announcement_waits_for_the_hello_as_well():
    line = Line(brief=HELLO)
    line.model_lost("refused")
    line.connected()
    assert not line.of(fx.Play, line.synthesised("fallback", SECOND))
    assert line.of(fx.Play, line.waits(1200))


def test_a_telephone_that_sends_nothing_while_nobody_speaks_is_spoken_to_all_the_same():
    line = prepared(**HELLO)
    assert line.of(fx.Play, line.patience_over())


# ---------------------------------------------------------------- making it in advance
def test_where_it_is_not_wanted_nothing_is_made_before_the_agent_answers():
    line = Line(brief={"prepare": False})
    line.model_up()
    assert line.types() == ["session.update"]
    assert line.types(line.connected()) == ["response.create"]
    line.model(p.ResponseCreated("resp_1"))
    assert line.of(fx.Play, line.model(p.AudioDelta("resp_1", "item_1", SECOND)))


def test_an_agent_who_answers_before_the_session_exists_is_spoken_to_as_soon_as_it_does():
    line = Line(brief={"prepare": False})
    assert line.connected() == []
    assert line.types(line.model_up()) == ["session.update", "response.create"]


# ---------------------------------------------------------------- a silent agent
def test_a_silent_agent_is_asked_once_more_in_the_middle_of_his_time_which_runs_on():
    line = Line(brief={"decision_seconds": 15}).announced()
    assert not line.messages(line.waits(7480))
    new = line.waits(40)
    (create,) = line.messages(new)
    assert "Posso passar a ligação?" in create["response"]["instructions"]
    assert create["response"]["tool_choice"] == "none"
    new = line.responds(2, seconds=1) + line.started() + line.waits(1000) + line.played() + line.waits(20_000)
    assert line.of(fx.Play, new) and line.told(new) == [] and not line.messages(new)


def test_an_agent_who_answers_the_second_question_is_heard_and_answered_as_ever():
    line = Line().announced()
    line.waits(7520)
    line.responds(2, seconds=2)
    line.started()
    line.waits(500)
    new = line.says(600)
    assert line.of(fx.Silence, new)
    assert line.types(line.falls_silent()) == ["response.create"]
    line.responds(3, seconds=1)
    assert line.told(line.waits(5000)) == [AnnouncementStarted("mark"), AnnouncementEnded("mark")]


def test_an_agent_who_has_spoken_is_not_asked_again():
    line = Line().announced()
    line.waits(3000)
    line.says(600)
    line.falls_silent()
    line.responds(2)
    assert not line.messages(line.waits(20_000))


def test_an_agent_who_holds_us_is_asked_when_he_has_been_back_for_as_long():
    line = Line().announced()
    line.waits(7000)
    line.hold(True)
    line.hold(False)
    assert not line.messages(line.waits(480)) and line.messages(line.waits(40))


def test_without_a_model_the_second_question_is_synthesised_and_names_the_keys():
    line = Line()
    line.model_lost("refused")
    line.synthesised("fallback", SECOND)
    line.connected()
    line.started()
    line.waits(1000)
    line.played()
    (asked,) = line.of(fx.Synthesise, line.waits(7520))
    assert "Posso passar a ligação?" in asked.text and "Tecle um" in asked.text
    new = line.synthesised("nudge", SECOND) + line.started() + line.waits(1000) + line.played() + line.waits(100)
    assert line.of(fx.Play, new) and line.told(new) == []
