"""Twenty voicemail greetings are known for machines within five seconds, and twenty ways in which people answer a
telephone are neither a yes nor a machine, however sure the model is."""

import pytest

from calls.transfer.decision import ACCEPT, ToolCall
from calls.transfer.events import Choice, DecisionMade
from calls.voice import protocol as p
from calls.voice.synthesis import synthesise
from tests.voice.line import Line

VOICES = ("pt-br", "pt-br+f2", "pt-br+m3", "pt-br+f4")
FRAME = 960
RECOGNISED_WITHIN_MS = 5000

GREETINGS = [
    "Você ligou para João da Silva. No momento não posso atender, deixe seu recado após o sinal.",
    "Sua chamada está sendo encaminhada para a caixa postal e estará sujeita a cobrança após o sinal.",
    "Olá, aqui é a Ana. Não posso falar agora, deixe uma mensagem que eu retorno assim que puder.",
    "O número que você ligou não está disponível no momento, por favor tente novamente mais tarde.",
    "Oi, você ligou para o comercial, nosso horário de atendimento é das oito às dezoito horas.",
    "Caixa postal de Marcos Pereira. Grave sua mensagem depois do bipe, e em seguida desligue.",
    "Esta é a secretária eletrônica do setor financeiro, deixe seu nome e telefone para retorno.",
    "Bem-vindo ao correio de voz. O assinante do ramal dois mil e um não atende agora.",
    "Oi, tudo bem? Não estou podendo atender agora, mas deixa o recado que eu te ligo de volta.",
    "Obrigado por ligar para a nossa empresa, todos os nossos atendentes estão ocupados no momento.",
    "Você ligou para o celular de Carla Souza, estou em reunião e retorno a ligação mais tarde.",
    "Este telefone está desligado ou fora da área de cobertura, deixe sua mensagem após o sinal.",
    "Alô, aqui é do suporte técnico, estamos em atendimento, deixe seu recado com nome e número.",
    "Estou de férias até o dia vinte, em caso de urgência ligue para o ramal dois mil e três.",
    "Não posso atender. Mande uma mensagem de texto ou deixe um recado depois do sinal, obrigado.",
    "A pessoa para quem você ligou não pode atender agora, grave o seu recado após o tom.",
    "Hello, you have reached the voice mail of John Smith, please leave a message after the tone.",
    "Recepção, no momento não há ninguém para atender a sua chamada, por favor aguarde ou ligue depois.",
    "Oi, é o Pedro, se for trabalho manda e-mail, se for outra coisa deixa recado depois do bipe.",
    "Para deixar uma mensagem aguarde o sinal, para falar com a telefonista disque zero a qualquer momento.",
]
ANSWERS = [
    "Alô", "Alô?", "Fala", "Fala aí", "Oi", "Opa", "Pronto", "Pois não", "Bom dia", "Boa tarde, pois não?",
    "Quem é?", "Quem fala?", "Alô, quem é?", "Quem está falando?", "Quem gostaria?", "Sim, quem gostaria?",
    "Fala, quem é?", "Oi, diga", "Oi, quem deseja falar?", "Alô, de onde fala?",
]  # fmt: skip


def frames(text, voice):
    """As they come from the switch."""
    pcm = synthesise(text, voice=voice)
    return [pcm[at : at + FRAME] for at in range(0, len(pcm) - FRAME + 1, FRAME)]


def decisions(line):
    return [event for event in line.told() if isinstance(event, DecisionMade)]


@pytest.mark.parametrize("number", range(len(GREETINGS)))
def test_a_greeting_that_talks_on_is_a_machine_within_five_seconds(number):
    line = Line().prepared()
    line.connected()
    line.started()
    line.waits(300)
    spoken_ms = 0
    for frame in frames(GREETINGS[number], VOICES[number % len(VOICES)]):
        line.frame(frame)
        spoken_ms += 20
        if decisions(line):
            break
    assert [event.choice for event in decisions(line)] == [Choice.VOICEMAIL]
    assert spoken_ms <= RECOGNISED_WITHIN_MS


@pytest.mark.parametrize("number", range(len(GREETINGS)))
def test_a_greeting_is_no_yes_though_the_model_takes_it_for_one(number):
    line = Line(transcribe="gpt-transcribe").announced()
    for frame in frames(GREETINGS[number], VOICES[number % len(VOICES)])[:230]:
        line.frame(frame)
    line.falls_silent()
    line.model(p.Transcript("agent", "turn", GREETINGS[number]))
    line.responds(2, calls=[ToolCall("call", ACCEPT)])
    assert [event.choice for event in decisions(line)] in ([], [Choice.VOICEMAIL])


@pytest.mark.parametrize("number", range(len(ANSWERS)))
def test_how_people_answer_a_telephone_is_neither_a_yes_nor_a_machine(number):
    line = Line(transcribe="gpt-transcribe").announced()
    for frame in frames(ANSWERS[number], VOICES[number % len(VOICES)]):
        line.frame(frame)
    line.falls_silent()
    assert decisions(line) == []
    line.model(p.Transcript("agent", "turn", ANSWERS[number]))
    line.responds(2, calls=[ToolCall("call", ACCEPT)])
    assert decisions(line) == []
