import pytest

from calls.simulator.phrases import PHRASES, Meaning
from calls.simulator.realtime_model import ASK, UNASKED, WAITING, Call, Say, Turn, answer
from calls.simulator.recogniser import UNCLEAR, Heard

TOOLS = ("accept_transfer", "reject_transfer", "voicemail_detected")
ANNOUNCEMENT = "Bom dia. Maria quer falar com vendas."


def heard(key):
    return Heard(PHRASES[key].meaning, (PHRASES[key],), 7.0)


def turn(**known):
    return Turn(**{"instructions": "Anuncie.", "tools": TOOLS, "announced": ANNOUNCEMENT} | known)


@pytest.mark.parametrize("key", [key for key, phrase in PHRASES.items() if phrase.meaning == Meaning.ACCEPT])
def test_a_yes_is_an_acceptance(key):
    assert answer(turn(heard=heard(key))) == [Call("accept_transfer")]


@pytest.mark.parametrize("key", [key for key, phrase in PHRASES.items() if phrase.reason])
def test_a_no_is_a_rejection_with_its_reason(key):
    assert answer(turn(heard=heard(key))) == [Call("reject_transfer", {"reason": PHRASES[key].reason})]


@pytest.mark.parametrize("key", ["correio_de_voz", "caixa_postal"])
def test_an_answering_machine_is_reported(key):
    assert answer(turn(heard=heard(key))) == [Call("voicemail_detected")]


@pytest.mark.parametrize("heard", [heard("alo"), heard("estou_aguardando"), UNCLEAR], ids=["hello", "chat", "unclear"])
def test_what_is_no_answer_is_asked_again_and_calls_no_tool(heard):
    assert answer(turn(heard=heard)) == [Say(ASK)]
    assert answer(turn(heard=heard, cut_short=True)) == [Say(ANNOUNCEMENT)]
    assert answer(turn(heard=heard, announced=None)) == [Say(UNASKED)]


def test_a_moment_is_granted():
    assert answer(turn(heard=heard("so_um_momento"))) == [Say(WAITING)]


def test_the_announcement_is_repeated_when_asked_for():
    assert answer(turn(heard=heard("pode_repetir"))) == [Say(ANNOUNCEMENT)]


def test_who_it_is_is_told_from_the_data_of_the_brief():
    data = "Cliente: [[[ Maria Souza ]]]\nResumo do pedido: [[[ orçamento de vinte licenças ]]]"
    said = answer(turn(heard=heard("quem_gostaria"), instructions=f"Anuncie.\n{data}"))
    assert said == [Say(f"É Maria Souza. orçamento de vinte licenças. {ASK}")]


def test_who_it_is_is_the_announcement_again_when_the_brief_says_nothing():
    unknown = "Cliente: [[[ não informado ]]]"
    assert answer(turn(heard=heard("quem_gostaria"), instructions=unknown)) == [Say(ANNOUNCEMENT)]


def test_what_is_asked_for_exactly_is_said_exactly_whatever_was_heard():
    wanted = "Diga exatamente: «O cliente desligou.» Só o que está entre « e »."
    assert answer(turn(wanted=wanted, heard=heard("sim_pode_passar"))) == [Say("O cliente desligou.")]


def test_a_tool_that_is_not_offered_is_not_called():
    assert all(isinstance(step, Say) for step in answer(turn(tools=(), heard=heard("sim_pode_passar"))))


def test_a_demanded_tool_is_called():
    assert answer(turn(must_call="accept_transfer")) == [Call("accept_transfer")]


def test_a_preamble_comes_before_the_call():
    first, second = answer(turn(preamble=True, heard=heard("sim_pode_passar")))
    assert isinstance(first, Say)
    assert second == Call("accept_transfer")


def test_before_anybody_speaks_it_announces():
    assert answer(turn(announced=None, instructions="Anuncie: «Tenho uma ligação.»")) == [Say("Tenho uma ligação.")]
