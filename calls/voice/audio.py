"""The agent's voice on its way up: one rate, and whether somebody is speaking. Pure; frames of 20 ms of L16 mono."""

from collections import deque
from functools import lru_cache
from math import inf, sqrt

import numpy as np

from calls.transfer.decision import Span

FRAME_MS = 20
RATE_OF_FRAME = {320: 8000, 640: 16_000, 960: 24_000}
"""Bytes of one 20 ms frame -> samples per second, as mod_audio_stream sends them."""

TAPS = 32
"""Input samples per output sample: 2 ms of delay at 8 kHz, 1 ms at 16 kHz; 77 dB and better below 3400 Hz."""


class Upsampler:
    """8 or 16 kHz to 24 kHz, frame by frame, with the filter's memory in between. It holds nothing back: 20 ms in,
    20 ms out (a stream resampler such as soxr's would hold back 20 to 80 ms)."""

    def __init__(self, rate: int):
        """Raises ValueError for a rate other than 8000 and 16000."""
        if rate not in (8000, 16_000):
            raise ValueError(f"no resampling from {rate} to 24000 samples per second")
        self._step = rate // 8000  # of the three phases of 24 kHz per 8 kHz sample (16 kHz: 48 kHz, every other one)
        self._phases = _phases()
        self._tail = np.zeros(TAPS - 1, np.float32)

    def __call__(self, frame: bytes) -> bytes:
        """Any number of bytes that is a multiple of 4 (16 kHz takes samples in pairs)."""
        history = np.concatenate((self._tail, np.frombuffer(frame, "<i2")))
        count = len(history) - TAPS + 1
        self._tail = history[count:]
        windows = np.lib.stride_tricks.as_strided(history, (count, TAPS), (4, 4), writeable=False)
        made = (windows @ self._phases).reshape(-1)[:: self._step]
        return np.clip(np.rint(made), -32768, 32767).astype("<i2").tobytes()


@lru_cache(maxsize=1)
def _phases() -> np.ndarray:
    """Taps of a Kaiser-windowed low-pass at 0.46 of the input rate, float32 of shape (TAPS, 3): a column a phase."""
    at = np.arange(TAPS * 3) - (TAPS * 3 - 1) / 2
    taps = np.sinc(at * 0.92 / 3) * np.kaiser(TAPS * 3, 7.0)
    return np.ascontiguousarray((taps * (3 / taps.sum())).reshape(TAPS, 3)[::-1], dtype=np.float32)


_L16 = np.dtype("<i2")


def level(pcm: bytes | bytearray) -> float:
    """RMS of L16, 0 to 32768."""
    samples = np.frombuffer(pcm, _L16).astype(np.float32)
    return sqrt(samples.dot(samples) / len(samples)) if len(samples) else 0.0


class SpeechDetector:
    """Our own ears: stretches of the agent's speech by their energy, without any model.

    Time is counted in audio, so that neither a slow process nor a leg on hold (which sends no frames) distorts it.
    """

    QUIETEST_SPEECH = 150.0  # RMS, -47 dBFS: below what the Realtime API's own detection takes for speech
    LOUDEST_NOISE = 700.0  # a noisier line is not followed, or it would make us deaf
    ABOVE_NOISE = 3.0
    ABOVE_ECHO = 3.0  # a telephone's echo is weaker than the person at it
    NOISE_FRAMES = 100  # the quietest of the last two seconds is the line's noise
    ONSET, WATCHED = 3, 5  # loud frames of the last so many: a click is no speech
    GAP_FRAMES = 10  # 200 ms of quiet end a stretch: longer than any stop consonant
    KEPT = 200

    def __init__(self) -> None:
        self.now_ms = 0
        self._levels: deque[float] = deque(maxlen=self.NOISE_FRAMES)
        self._quietest = inf  # of those
        self._recent: deque[bool] = deque([False] * self.WATCHED, maxlen=self.WATCHED)
        self._spans: deque[Span] = deque(maxlen=self.KEPT)
        self._open: Span | None = None
        self._quiet = 0

    def hear(self, frame: bytes, *, deafened: bool = False) -> None:
        """The next 20 ms, at any rate. `deafened`: an echo of our own voice is to be expected."""
        loud = self._is_loud(level(frame), self.ABOVE_ECHO if deafened else 1.0)
        self.now_ms += FRAME_MS
        self._recent.append(loud)
        if self._open is None:
            if sum(self._recent) >= self.ONSET:
                first = self._recent.index(True)
                self._open = Span(self.now_ms - (self.WATCHED - first) * FRAME_MS, self.now_ms)
                self._quiet = 0
            return
        if loud:
            self._open, self._quiet = Span(self._open.start_ms, self.now_ms), 0
            return
        self._quiet += 1
        if self._quiet >= self.GAP_FRAMES:
            self._spans.append(self._open)
            self._open = None
            self._recent.extend([False] * self.WATCHED)

    @property
    def speaking(self) -> bool:
        """Speech within the last 200 ms."""
        return self._open is not None

    @property
    def open_span(self) -> Span | None:
        """The stretch that has not ended yet."""
        return self._open

    def spans(self, since_ms: int = 0) -> tuple[Span, ...]:
        """What was spoken after `since_ms`, the stretch that goes on included."""
        spoken = (*self._spans, self._open) if self._open else tuple(self._spans)
        return tuple(span for span in spoken if span.end_ms > since_ms)

    def _is_loud(self, loudness: float, factor: float) -> bool:
        gone = self._levels[0] if len(self._levels) == self.NOISE_FRAMES else 0.0
        self._levels.append(loudness)
        if loudness < self._quietest:
            self._quietest = loudness
        elif gone <= self._quietest:
            self._quietest = min(self._levels)
        noise = min(self._quietest, self.LOUDEST_NOISE) if len(self._levels) == self.NOISE_FRAMES else 0.0
        return loudness > max(self.QUIETEST_SPEECH * factor, self.ABOVE_NOISE * noise)
