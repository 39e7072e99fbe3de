"""Who speaks by which tone, and the scripted Realtime model that speaks and understands nothing else.

All frequencies are multiples of 50 Hz, so that in a frame of 20 ms none leaks into another.
"""

import numpy as np

from calls.simulator.phrases import Meaning, Phrase
from calls.simulator.realtime_manner import Manner
from calls.simulator.recogniser import UNCLEAR, Heard

CALLER = 300
ANNOUNCER = 500
PROMPT = 600  # what the caller is told when nobody took the call
AGENT = 700
YES = 900
NO = 1300
ALL = (CALLER, ANNOUNCER, PROMPT, AGENT, YES, NO)

ANSWER_MS = 1000
"""An agent's yes or no."""
ENOUGH_MS = 400
"""So much of it is understood; less is no answer."""
LEVEL = 10_000
"""Peak of a 16-bit sample."""
PRESENT = 1500
"""Peak above which a tone counts as heard …"""
SHARE = 0.15
"""… if it also makes so much of the frame's power: music and the edges of other tones have a little of everything."""

ANNOUNCEMENT_TEXT, PROMPT_TEXT = "Teste: anúncio.", "Teste: aviso."
SECONDS = {ANNOUNCEMENT_TEXT: 2.0, PROMPT_TEXT: 1.5}
OTHERWISE = 0.6
REASON = "em reunião"


def levels(frames: np.ndarray, rate: int) -> np.ndarray:
    """Peak amplitude of every tone in every frame: (n, samples) -> (n, len(ALL)). Frames of 20 ms, any sample type."""
    count = frames.shape[1]
    wave = np.exp(-2j * np.pi * np.outer(np.arange(count), ALL) / rate)
    return 2 * np.abs(frames.astype(float) @ wave) / count


def present(frames: np.ndarray, rate: int) -> np.ndarray:
    """Which tones are heard in which frame: booleans of shape (n, len(ALL))."""
    found = levels(frames, rate)
    power = np.mean(frames.astype(float) ** 2, axis=1, keepdims=True)
    return (found > PRESENT) & (found**2 / 2 > SHARE * power)


def tone(hertz: float, seconds: float, rate: int) -> bytes:
    """L16 with edges of 5 ms, so that it neither clicks nor smears."""
    at = np.arange(int(seconds * rate))
    edge = np.minimum(1, np.minimum(at, at[::-1]) / (0.005 * rate))
    return np.rint(LEVEL * edge * np.sin(2 * np.pi * hertz * at / rate)).astype("<i2").tobytes()


async def speak(text: str, voice: str, rate: int, words_per_minute: int) -> bytes:
    return tone(PROMPT if text == PROMPT_TEXT else ANNOUNCER, SECONDS.get(text, OTHERWISE), rate)


def understand(pcm: bytes, rate: int) -> Heard:
    """Yes or no, if one of them was there for long enough and the other was not."""
    size = rate // 50
    samples = np.frombuffer(pcm, "<i2")
    frames = samples[: len(samples) // size * size].reshape(-1, size)
    milliseconds = present(frames, rate).sum(axis=0) * 20
    yes, no = (milliseconds[ALL.index(hertz)] >= ENOUGH_MS for hertz in (YES, NO))
    if yes == no:
        return UNCLEAR
    phrase = Phrase("sim", Meaning.ACCEPT) if yes else Phrase(f"não, {REASON}", Meaning.REJECT, REASON)
    return Heard(phrase.meaning, (phrase,), 0.0)


async def _nothing() -> None:
    pass


TONES = Manner(understand, speak, _nothing)
