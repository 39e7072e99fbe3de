"""What an agent heard, as samples, and what can be measured in it; also in the recordings of a real switch."""

import numpy as np

from calls.simulator.media import Leg

WINDOW_MS = 5
GAP_MS = 60
"""A silence longer than this is heard as one."""
QUIET = 100.0
"""RMS below which there is silence (-50 dBFS): below every part of our speech but its pauses."""
BEFORE_MS = 250
"""So much of what was heard before a silence finds its place in the source."""


class Recorder:
    """Stands in front of a leg's ear: every frame, and whether a clip was in it."""

    def __init__(self, leg: Leg):
        self.frames: list[np.ndarray] = []
        self.clips: list[bool] = []
        self._ear, leg.ear = leg.ear, self

    def hear(self, frame: np.ndarray, talkers: frozenset[str]) -> None:
        self.frames.append(frame)
        self.clips.append(any(talker.startswith("clip:") for talker in talkers))
        if self._ear is not None:
            self._ear.hear(frame, talkers)

    @property
    def samples(self) -> np.ndarray:
        return np.concatenate(self.frames) if self.frames else np.zeros(0, np.int16)

    def audible_ms(self, since: int = 0) -> int:
        """From frame `since` on: until a clip was last heard."""
        return 20 * max((at + 1 for at, clip in enumerate(self.clips[since:]) if clip), default=0)


def loudness(samples: np.ndarray, rate: int) -> np.ndarray:
    """RMS of every window of WINDOW_MS."""
    size = rate * WINDOW_MS // 1000
    whole = samples[: len(samples) // size * size].astype(np.float64).reshape(-1, size)
    return np.sqrt((whole**2).mean(axis=1))


def speech_ms(samples: np.ndarray, rate: int) -> int:
    """How much of it is no silence."""
    return int((loudness(samples, rate) > QUIET).sum()) * WINDOW_MS


def silences(samples: np.ndarray, rate: int, quiet: float = QUIET) -> list[tuple[int, int]]:
    """Stretches of silence between sounds, longer than GAP_MS: [begin, end) in ms."""
    loud = np.flatnonzero(loudness(samples, rate) > quiet)
    return [
        ((int(before) + 1) * WINDOW_MS, int(after) * WINDOW_MS)
        for before, after in zip(loud, loud[1:], strict=False)
        if (after - before - 1) * WINDOW_MS > GAP_MS
    ]


def gaps(heard: np.ndarray, source: np.ndarray, rate: int, quiet: float = QUIET) -> list[tuple[int, int]]:
    """Silences in what was heard at places where the source has none. Both at one rate; [begin, end) in ms."""
    pauses = silences(source, rate, quiet)
    found = []
    for begin, end in silences(heard, rate, quiet):
        place = _place(heard[max(0, begin - BEFORE_MS) * rate // 1000 : begin * rate // 1000], source, rate)
        if not any(start - GAP_MS <= place <= stop + GAP_MS for start, stop in pauses):
            found.append((begin, end))
    return found


def _place(piece: np.ndarray, source: np.ndarray, rate: int) -> float:
    """Where in the source this piece of it ends, in ms."""
    size = 1 << (len(piece) + len(source)).bit_length()
    product = np.fft.irfft(np.fft.rfft(source, size) * np.conj(np.fft.rfft(piece, size)), size)
    power = np.convolve(source.astype(np.float64) ** 2, np.ones(len(piece)), "full")[len(piece) - 1 :]
    likeness = product[: len(source)] / np.sqrt(power[: len(source)] + 1e6)
    return (int(likeness.argmax()) + len(piece)) * 1000 / rate


def pitch(samples: np.ndarray, rate: int) -> float:
    """The strongest frequency in Hz, between the bins of the spectrum."""
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    at = int(power.argmax())
    left, middle, right = np.log(power[at - 1 : at + 2] + 1e-9)
    return (at + (left - right) / (2 * (left - 2 * middle + right))) * rate / len(samples)


def pitches(samples: np.ndarray, rate: int, piece_ms: int = 100) -> list[float]:
    """The tones heard one after another, each once, by pieces of `piece_ms`; a piece with a change in it is skipped."""
    size, found = rate * piece_ms // 1000, []
    for at in range(0, len(samples) - size + 1, size):
        piece = samples[at : at + size]
        if loudness(piece, rate).min() < QUIET:
            continue
        one, other = pitch(piece[: size // 2], rate), pitch(piece[size // 2 :], rate)
        if abs(one - other) > 0.02 * one:
            continue
        hertz = pitch(piece, rate)
        if not found or abs(hertz - found[-1]) > 0.05 * hertz:
            found.append(hertz)
    return found
