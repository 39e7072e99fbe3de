import pytest

from calls.simulator.realtime_faults import Fault
from calls.voice import prompts
from calls.voice.clips import duration_ms
from calls.voice.prompts import offline_voice, speech
from calls.voice.synthesis import SynthesisError, synthesise

TEXT = "Seu protocolo é: um, dois, três."


@pytest.fixture(autouse=True)
def var(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    return tmp_path / "prompts"


@pytest.mark.parametrize(
    ("setting", "language", "voice"),
    [
        ("pt-br", "pt-BR", "pt-br"),
        ("pt-br+f2", "pt-BR", "pt-br+f2"),
        ("pt-br+f2", "en-US", "en-us"),
        ("realtime", "pt-BR", "pt-br"),
        ("/voices/x.onnx", "en-US", "/voices/x.onnx"),
        ("", "pt-BR", "pt-br"),
    ],
)
def test_a_language_is_spoken_by_a_voice_that_can(settings, setting, language, voice):
    settings.PROMPT_VOICE = setting
    assert offline_voice(language) == voice


async def test_a_prompt_is_made_once_and_then_read_from_disk(var, monkeypatch):
    first = await speech(TEXT, "pt-BR")
    assert first == synthesise(TEXT)
    assert len(list(var.iterdir())) == 1

    async def never(*args, **kwargs):
        raise SynthesisError("made a second time")

    monkeypatch.setattr(prompts, "asynthesise", never)
    assert await speech(TEXT, "pt-BR") == first


async def test_another_text_or_voice_is_another_prompt(var, settings):
    await speech(TEXT, "pt-BR")
    await speech(TEXT + " Obrigada.", "pt-BR")
    settings.PROMPT_VOICE = "pt-br+f2"
    await speech(TEXT, "pt-BR")
    assert len(list(var.iterdir())) == 3


async def test_only_the_newest_prompts_are_kept(var, monkeypatch):
    monkeypatch.setattr(prompts, "KEPT_FILES", 3)
    for number in range(6):
        await speech(f"Protocolo {number}.", "pt-BR")
    assert len(list(var.iterdir())) == 3


async def test_a_realtime_session_speaks_a_prompt_outside_any_conversation(settings, realtime, var):
    settings.PROMPT_VOICE = "realtime"
    pcm = await speech(TEXT, "pt-BR")
    assert realtime.sessions[0].said == [TEXT] and realtime.sessions[0].errors == []
    assert duration_ms(pcm) > 1000
    assert await speech(TEXT, "pt-BR") == pcm and len(realtime.sessions) == 1


@pytest.mark.parametrize("kind", ["refuse", "fail", "hang_up"])
async def test_without_the_realtime_api_a_prompt_is_spoken_offline_and_not_kept(settings, realtime, var, kind):
    settings.PROMPT_VOICE = "realtime"
    realtime.faults = [Fault(kind)]
    assert await speech(TEXT, "pt-BR") == synthesise(TEXT)
    assert not var.exists()


async def test_a_disk_that_cannot_be_written_is_no_reason_to_be_silent(settings, tmp_path):
    (tmp_path / "prompts").write_text("a file where the folder should be")
    assert await speech(TEXT, "pt-BR") == synthesise(TEXT)
