"""The agent names another extension, and the announcer says so when nobody has it."""

import pytest

from calls.transfer.decision import ToolCall
from calls.transfer.events import Choice, RedirectRequested
from calls.transfer.states import Source
from calls.voice import effects as fx
from tests.voice.line import Line

CALL = ToolCall("c", "transfer_to_extension", '{"number": "2003"}')
REFUSED = "Esse ramal não está disponível. Você pode atender agora?"


@pytest.fixture
def line():
    return Line().announced()


def answers(line, number, *calls):
    return line.says(600) + line.falls_silent() + line.responds(number, calls=calls)


def test_the_transfer_is_told_the_extension_and_the_model_nothing_yet(line):
    new = answers(line, 2, CALL)
    assert line.told(new) == [RedirectRequested("2003", Source.VOICE, "mark")]
    assert line.types(new) == ["response.create"]  # of his turn


def test_of_an_extension_that_nobody_has_he_is_told_in_our_words_and_asked_again(line):
    answers(line, 2, CALL)
    output, again = line.messages(line.redirect_refused())
    assert output["item"]["call_id"] == "c" and '"done":false' in output["item"]["output"]
    assert REFUSED in again["response"]["instructions"] and again["response"]["tool_choice"] == "none"


def test_after_the_refusal_his_next_answer_decides(line):
    answers(line, 2, CALL)
    line.redirect_refused()
    line.responds(3, seconds=2)
    (decision,) = line.told(answers(line, 4, ToolCall("d", "accept_transfer")))[-1:]
    assert decision.choice is Choice.ACCEPT


def test_the_same_tool_call_is_not_taken_twice(line):
    answers(line, 2, CALL)
    line.redirect_refused()
    line.responds(3, seconds=2)
    assert not [event for event in line.told(answers(line, 4, CALL)) if isinstance(event, RedirectRequested)]


def test_without_a_model_a_refused_key_is_answered_by_the_synthesised_voice(line):
    line.model_lost("dropped")
    (said,) = line.of(fx.Synthesise, line.redirect_refused())
    assert said.text.startswith(REFUSED) and "tecle três" in said.text


def test_nothing_is_said_to_an_agent_whose_decision_stands(line):
    answers(line, 2, ToolCall("c", "accept_transfer"))
    assert line.redirect_refused() == []
