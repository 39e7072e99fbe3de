"""A beep after speech is an answering machine; a beep that comes first, a key or a hum is not."""

import numpy as np
import pytest

from calls.transfer.events import Choice, DecisionMade
from calls.voice.beep import BEEP_MS
from calls.voice.synthesis import synthesise
from tests.voice.line import Line

SHORT_GREETINGS = [
    "Deixe seu recado após o sinal.",
    "Caixa postal, grave sua mensagem.",
    "Não posso atender, deixe recado.",
    "Oi, é o Pedro, deixa um recado.",
    "Leave a message after the tone.",
]
RECOGNISED_WITHIN_MS = 5000
random = np.random.default_rng(3)


def tones(milliseconds, *hertz, rate=24_000, peak=6000, noise=0.0):
    at = np.arange(rate * milliseconds // 1000) / rate
    wave = sum(peak * np.sin(2 * np.pi * each * at) for each in hertz) + random.standard_normal(len(at)) * noise
    return wave.astype("<i2").tobytes()


def heard(*sounds, rate=24_000):
    """The dialogue's decision on what it hears after its announcement, and when it came, in ms."""
    line = Line().announced()
    size, began = rate // 25, line.dialogue.ears.now_ms
    for sound in sounds:
        for at in range(0, len(sound) - size + 1, size):
            line.frame(sound[at : at + size])
            for event in line.told():
                if isinstance(event, DecisionMade):
                    return event.choice, line.dialogue.ears.now_ms - began
    return None, 0


@pytest.mark.parametrize("rate", [8000, 16_000, 24_000])
@pytest.mark.parametrize("hertz", [425, 1000, 1400])
@pytest.mark.parametrize("greeting", SHORT_GREETINGS)
def test_a_short_greeting_and_a_beep_are_a_machine_within_five_seconds(greeting, hertz, rate):
    speech, pause = synthesise(greeting, rate=rate), bytes(rate)
    choice, after_ms = heard(speech, pause, tones(400, hertz, rate=rate, noise=30), rate=rate)
    assert choice is Choice.VOICEMAIL and after_ms <= RECOGNISED_WITHIN_MS


@pytest.mark.parametrize(
    "beep",
    [tones(BEEP_MS - 60, 1000), tones(400, 770, 1336), tones(400, 200, 400), tones(400, 3000)],
    ids=["a click", "a key", "a hum", "a hiss"],
)
def test_what_is_no_beep_decides_nothing(beep):
    assert heard(synthesise(SHORT_GREETINGS[0]), bytes(24_000), beep, bytes(24_000)) == (None, 0)


@pytest.mark.parametrize("words", ["Alô?", "Oi.", "Fala."])
def test_a_beep_as_the_first_sound_or_behind_a_hello_is_the_lines_own(words):
    beep = tones(500, 1400)
    assert heard(beep, bytes(48_000), synthesise(words), bytes(24_000), beep, bytes(24_000)) == (None, 0)
