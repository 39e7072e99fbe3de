"""The agent's voice on its way up: one rate, and whether somebody is speaking. Pure; frames of 20 ms of L16 mono."""

from collections import deque
from functools import lru_cache
from math import inf, sqrt

import numpy as np

from calls.transfer.decision import PAUSE_MS, Span

FRAME_MS = 20
RATE_OF_FRAME = {320: 8000, 640: 16_000, 960: 24_000}
"""Bytes of one 20 ms frame -> samples per second, as mod_audio_stream sends them."""

_L16 = np.dtype("<i2")

TAPS = 32
"""Input samples per output sample: 2 ms of delay at 8 kHz, 1 ms at 16 kHz; 77 dB and better below 3400 Hz."""


class Upsampler:
    """8 or 16 kHz to 24 kHz, frame by frame, with the filter's memory in between. It holds nothing back: 20 ms in,
    20 ms out (a stream resampler such as soxr's would hold back 20 to 80 ms)."""

    def __init__(self, rate: int):
        """Raises ValueError for a rate other than 8000 and 16000."""
        if rate not in (8000, 16_000):
            raise ValueError(f"no resampling from {rate} to 24000 samples per second")
        self._filter = _upsampling(rate)
        self._tail = np.zeros(TAPS - 1, np.float32)

    def __call__(self, frame: bytes) -> bytes:
        """Any number of bytes that is a multiple of 32: sixteen samples."""
        history = np.concatenate((self._tail, np.frombuffer(frame, _L16)))
        count = len(history) - TAPS + 1
        self._tail = history[count:]
        return _filtered(history, count // _IN_BLOCK, _IN_BLOCK, self._filter)


_IN_BLOCK = 16


@lru_cache(maxsize=2)
def _upsampling(rate: int) -> np.ndarray:
    """To 24 kHz: from each block of 16 samples, and the TAPS - 1 before it, to the 48 or 24 that it becomes.

    The taps are those of a Kaiser-windowed low-pass at 0.46 of the input rate, a column a phase.
    """
    at = np.arange(TAPS * 3) - (TAPS * 3 - 1) / 2
    taps = np.sinc(at * 0.92 / 3) * np.kaiser(TAPS * 3, 7.0)
    phases = (taps * (3 / taps.sum())).reshape(TAPS, 3)[::-1]
    step = rate // 8000  # 16 kHz: to 48 kHz, and every other one of those
    return np.ascontiguousarray(_banded(phases, _IN_BLOCK, 1)[:, ::step])


def _banded(taps: np.ndarray, times: int, advance: int) -> np.ndarray:
    """A filter's columns `times` over, each time `advance` samples later: blocks of a signal times this matrix are one
    product, which takes a fifth of the time of a product for every few samples."""
    length, made = taps.shape
    whole = np.zeros((length + (times - 1) * advance, times * made), np.float32)
    for each in range(times):
        whole[each * advance : each * advance + length, each * made : (each + 1) * made] = taps
    return whole


def _filtered(signal: np.ndarray, blocks: int, advance: int, matrix: np.ndarray) -> bytes:
    """L16 of `blocks` overlapping blocks of a float32 signal, each `advance` samples after the last."""
    windows = np.ndarray((blocks, len(matrix)), np.float32, signal, 0, (4 * advance, 4))
    made = windows @ matrix
    return np.clip(np.rint(made, made), -32768, 32767, made).astype(_L16).tobytes()


DOWN_TAPS = 24
"""At 24 kHz: flat to 5 kHz, 1 dB down at 5.9 kHz, and what would fold back below that is 56 dB and more down."""
_THREES = 8  # of samples in a block: 24 in, 16 out


def downsampled(pcm: bytes) -> bytes:
    """A whole clip of L16 from 24 to 16 kHz; its end is padded to a multiple of 3 samples. (For one pair of rates,
    twenty times as fast as synthesis.resample.)"""
    samples = np.frombuffer(pcm, _L16)
    threes = -(-len(samples) // 3)
    blocks = -(-threes // _THREES)
    padded = np.zeros(3 * _THREES * blocks + DOWN_TAPS, np.float32)
    padded[DOWN_TAPS // 2 - 1 :][: len(samples)] = samples
    return _filtered(padded, blocks, 3 * _THREES, _downsampling())[: 4 * threes]


@lru_cache(maxsize=1)
def _downsampling() -> np.ndarray:
    """Taps of a Kaiser-windowed low-pass at 6.9 kHz: of every three samples in, one out at the first of them and one
    halfway between the second and the third."""
    distance = np.arange(DOWN_TAPS)[:, None] - (DOWN_TAPS / 2 - 1) - np.array([0.0, 1.5])
    inside = np.clip(1 - (distance / (DOWN_TAPS / 2)) ** 2, 0, 1)
    taps = np.sinc(distance * 2 * 6900 / 24_000) * np.i0(7 * np.sqrt(inside))
    return _banded(taps / taps.sum(axis=0), _THREES, 3)


_WINDOW = 24 * 2 * FRAME_MS  # bytes of 20 ms at 24 kHz


def level(pcm: bytes | bytearray) -> float:
    """RMS of L16, 0 to 32768."""
    return _rms(np.frombuffer(pcm, _L16).astype(np.float32))


def level_in_telephone(pcm: bytes | bytearray) -> float:
    """As level(), of L16 at 24 kHz without most of what lies above 4 kHz: a hiss that an agent's telephone does not
    give. A multiple of 3 samples."""
    return _rms(np.frombuffer(pcm, _L16).reshape(-1, 3).mean(axis=1, dtype=np.float32))


def _rms(samples: np.ndarray) -> float:
    return sqrt(samples.dot(samples) / len(samples)) if len(samples) else 0.0


def levels(pcm: bytes) -> list[float]:
    """Of each 20 ms of L16 at 24 kHz; the last may be shorter."""
    whole, size = len(pcm) // _WINDOW, _WINDOW // 2
    samples = np.frombuffer(pcm, _L16, whole * size).reshape(whole, size).astype(np.float32)
    samples *= samples
    found = np.sqrt(samples @ _same(size)).tolist()
    return [*found, level(pcm[whole * _WINDOW :])] if len(pcm) % _WINDOW else found


@lru_cache(maxsize=1)
def _same(count: int) -> np.ndarray:
    """The weights of a mean."""
    return np.full(count, 1 / count, np.float32)


class SpeechDetector:
    """Our own ears: stretches of the agent's speech by their energy, without any model.

    Time is counted in audio, so that neither a slow process nor a leg on hold (which sends no frames) distorts it.
    """

    QUIETEST_SPEECH = 230.0  # RMS, -43 dBFS: above a line's white noise of -45 dBFS, below any voice that is understood
    LOUDEST_NOISE = 700.0  # a noisier line is not followed, or it would make us deaf
    ABOVE_NOISE = 3.0
    ABOVE_ECHO = 0.2  # of what we say: an echo 20 dB down is half as loud as that
    ECHO_FRAMES = 40  # 0.8 s: as late as an echo comes, and as early as we may be heard before we are told
    NOISE_FRAMES = 100  # the quietest of the last two seconds is the line's noise
    ONSET, WATCHED = 3, 5  # loud frames of the last so many: a click is no speech
    GAP_FRAMES = 10  # 200 ms of quiet end a stretch: longer than any stop consonant
    KEPT = 200

    def __init__(self) -> None:
        self.now_ms = 0
        self._levels: deque[float] = deque(maxlen=self.NOISE_FRAMES)
        self._quietest = inf  # of those
        self._ours: deque[float] = deque([0.0], maxlen=self.ECHO_FRAMES)
        self._our_loudest = 0.0  # of those
        self._recent: deque[bool] = deque([False] * self.WATCHED, maxlen=self.WATCHED)
        self._spans: deque[Span] = deque(maxlen=self.KEPT)
        self._open: Span | None = None
        self._speech_began = 0  # of the open stretch and those before it that only a breath separates from it
        self._quiet = 0

    def hear(self, frame: bytes, ours: float = 0.0) -> None:
        """The next 20 ms, at any rate. `ours`: level of what is played to him meanwhile, whose echo is no speech."""
        loud = self._is_loud(level(frame), ours)
        self.now_ms += FRAME_MS
        recent = self._recent
        recent.append(loud)
        if self._open is None:
            if loud and sum(recent) >= self.ONSET:
                start = self.now_ms - (self.WATCHED - recent.index(True)) * FRAME_MS
                if not self._spans or start - self._spans[-1].end_ms >= PAUSE_MS:
                    self._speech_began = start
                self._open = Span(start, self.now_ms)
                self._quiet = 0
        elif loud:
            self._open, self._quiet = Span(self._open.start_ms, self.now_ms), 0
        else:
            self._quiet += 1
            if self._quiet >= self.GAP_FRAMES:
                self._spans.append(self._open)
                self._open = None
                recent.extend([False] * self.WATCHED)

    @property
    def speaking(self) -> bool:
        """Speech within the last 200 ms."""
        return self._open is not None

    @property
    def open_span(self) -> Span | None:
        """The stretch that has not ended yet."""
        return self._open

    @property
    def uninterrupted_ms(self) -> int:
        """Length of the speech that goes on, with the pauses that do not interrupt it; 0 while he is silent."""
        return self._open.end_ms - self._speech_began if self._open else 0

    def spoke_since(self, ms: int) -> bool:
        """Whether spans(ms) are any."""
        last = self._open or (self._spans[-1] if self._spans else None)
        return last is not None and last.end_ms > ms

    def spans(self, since_ms: int = 0) -> tuple[Span, ...]:
        """What was spoken after `since_ms`, the stretch that goes on included."""
        spoken = (*self._spans, self._open) if self._open else tuple(self._spans)
        return tuple(span for span in spoken if span.end_ms > since_ms)

    @property
    def loud(self) -> bool:
        """The last frame was no silence, noise or echo."""
        return self._recent[-1]

    def _is_loud(self, loudness: float, ours: float) -> bool:
        levels = self._levels
        full = len(levels) == self.NOISE_FRAMES
        gone = levels[0] if full else 0.0
        levels.append(loudness)
        if loudness <= self._quietest:
            self._quietest = loudness
        elif gone <= self._quietest:
            self._quietest = min(levels)
        gone = self._ours[0]
        self._ours.append(ours)
        if ours >= self._our_loudest:
            self._our_loudest = ours
        elif gone >= self._our_loudest:
            self._our_loudest = max(self._ours)
        limit = max(self.QUIETEST_SPEECH, self.ABOVE_ECHO * self._our_loudest)
        if len(levels) == self.NOISE_FRAMES:
            limit = max(limit, self.ABOVE_NOISE * min(self._quietest, self.LOUDEST_NOISE))
        return loudness > limit
