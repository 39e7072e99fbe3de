"""Ears for the simulator's tests: legs that sound a tone, and what can be heard in a recording."""

import asyncio
import time

import numpy as np

from calls.simulator.media import Leg, Media
from calls.simulator.sound import TICK, Playhead, Sound
from calls.simulator.tones import RATE, sine


class ToneMouth:
    """Sounds one frequency for ever, or only in `frames` of every hundred."""

    def __init__(self, hertz: float, frames: int = 100):
        self._playhead = Playhead(Sound(sine(1000, hertz), rounds=-1))
        self._frames, self._at = frames, 0

    def frame(self):
        self._at += 1
        frame = self._playhead.step()[0]
        return frame if (self._at - 1) % 100 < self._frames else None


def tone_leg(media: Media, uuid: str, hertz: float | None) -> Leg:
    """A leg in `media` that sounds `hertz` and whose hearing is recorded."""
    leg = Leg(uuid)
    if hertz:
        leg.mouth = ToneMouth(hertz)
    media.add_leg(leg)
    media.ledger.record(uuid)
    return leg


def run(media: Media, seconds: float) -> None:
    """So much media time, at once."""
    for _ in range(round(seconds / TICK)):
        media.tick()


async def live_through(media: Media, seconds: float) -> None:
    """So much media time, with the people on the line acting between the ticks."""
    for _ in range(round(seconds / TICK)):
        media.tick()
        for _ in range(4):
            await asyncio.sleep(0)


async def until(condition, seconds: float = 5.0) -> None:
    """Wait on the wall clock until `condition` holds; AssertionError when it never does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "what was waited for did not happen"
        await asyncio.sleep(0.002)


def strength(audio: np.ndarray, hertz: float, rate: int = RATE) -> float:
    """Peak amplitude of one frequency in `audio`."""
    if not len(audio):
        return 0.0
    at = np.arange(len(audio)) * (2 * np.pi * hertz / rate)
    return 2 * abs(np.dot(audio.astype(float), np.exp(-1j * at))) / len(audio)


def pitch(audio: np.ndarray, rate: int = RATE) -> float:
    """The loudest frequency, in Hz."""
    return float(np.argmax(np.abs(np.fft.rfft(audio))) * rate / len(audio))


def tones(media: Media, uuid: str, last: float, *candidates: float) -> set[float]:
    """Which of the candidate frequencies leg `uuid` heard in the last `last` seconds."""
    audio = media.ledger.audio(uuid)[-round(last * RATE) :]
    return {hertz for hertz in candidates if strength(audio, hertz) > 1000}
