"""The beep of an answering machine: one steady tone after somebody has spoken. Pure; frames of 20 ms of L16 mono."""

from functools import lru_cache

import numpy as np

from calls.voice.audio import FRAME_MS

BEEP_MS = 240
SPEECH_MS = 1000
"""So much speech comes before it. A tone that comes first is the line's own (a recorder's warning, a call on hold)."""
PURE = 0.85
"""Of a frame's power within 100 Hz of its strongest frequency: a vowel spreads over its harmonics, a key over two."""
LOWEST_HZ, HIGHEST_HZ = 380, 2600
"""A hummed note lies lower, a hiss higher."""
STEADY_HZ = 50

_RATE = 8000
_SAMPLES = _RATE * FRAME_MS // 1000
_BIN_HZ = _RATE / _SAMPLES
_AROUND = 2
_BEEP_FRAMES, _SPEECH_FRAMES = BEEP_MS // FRAME_MS, SPEECH_MS // FRAME_MS


class BeepDetector:
    """Told of every frame that is not quiet (see SpeechDetector.loud), and of the quiet between."""

    def __init__(self) -> None:
        self.found = False
        self._speech = 0  # frames
        self._tone = 0  # frames in a row
        self._hertz = 0.0

    def hear(self, frame: bytes) -> None:
        """A loud frame, at 8, 16 or 24 kHz."""
        hertz = _tone_of(frame)
        if not hertz:
            self._speech += 1
            self._tone = 0
        elif self._tone and abs(hertz - self._hertz) <= STEADY_HZ:
            self._tone += 1
        else:
            self._tone = 1
        self._hertz = hertz
        if self._tone >= _BEEP_FRAMES and self._speech >= _SPEECH_FRAMES:
            self.found = True

    def pause(self) -> None:
        self._tone = 0


def _tone_of(frame: bytes) -> float:
    """Its frequency, 0 when it is no pure tone."""
    samples = np.frombuffer(frame, "<i2")[:: len(frame) // 2 // _SAMPLES].astype(np.float32)
    samples *= _window()
    parts = _waves() @ samples
    parts *= parts
    power = parts[0] + parts[1]
    at = int(power.argmax())
    near = slice(max(0, at - _AROUND), at + _AROUND + 1)
    everything = float(samples.dot(samples)) * _SAMPLES / 2  # by Parseval, half of it below the mirror
    if not LOWEST_HZ <= at * _BIN_HZ <= HIGHEST_HZ or float(power[near].sum()) <= PURE * everything:
        return 0.0
    return at * _BIN_HZ


@lru_cache(maxsize=1)
def _window() -> np.ndarray:
    return np.hanning(_SAMPLES).astype(np.float32)


@lru_cache(maxsize=1)
def _waves() -> np.ndarray:
    """Cosines and sines of the lower bins, float32 of shape (2, bins, _SAMPLES): for so few a product is quicker than a
    whole FFT."""
    bins = np.arange(int(HIGHEST_HZ / _BIN_HZ) + 2 * _AROUND)
    angles = 2 * np.pi / _SAMPLES * np.outer(bins, np.arange(_SAMPLES))
    return np.stack((np.cos(angles), np.sin(angles))).astype(np.float32)
