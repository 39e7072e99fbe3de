"""Sound as the recogniser compares it: frames of cepstra, stretches of speech, and their alignment (numpy only)."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

SHORTEST_FRAMES = 8
WORD_FRAMES = 9

_HOP, _WINDOW = 0.020, 0.032  # seconds
_BANDS, _COEFFICIENTS = 22, 13
_LOW, _HIGH = 250.0, 3500.0  # Hz, the telephone band with its edges
_SPEECH_DB = 25.0  # a frame this far below the loud ones is silence
_FLOOR_DB = 45.0  # and what lies this far below is noise
_QUIET = 60.0  # RMS of a 16-bit sample under which nobody spoke
_PAUSE_FRAMES = 9


@dataclass(frozen=True)
class Frames:
    """One entry per 20 ms: `decibels` of shape (frames, bands), the others (frames,)."""

    decibels: np.ndarray
    loud: np.ndarray  # somebody speaks
    tone: np.ndarray  # a beep, not speech

    def pieces(self) -> list[tuple[int, int]]:
        """Stretches of speech between pauses, beeps and clicks left out: [first, end) in frames."""
        found: list[list[int]] = []
        for at in map(int, np.flatnonzero(self.loud)):
            if found and at - found[-1][1] < _PAUSE_FRAMES:
                found[-1][1] = at + 1
            else:
                found.append([at, at + 1])
        return [
            (first, end)
            for first, end in found
            if self.loud[first:end].sum() >= SHORTEST_FRAMES and self.tone[first:end].mean() < 0.8
        ]

    def cepstra(self, first: int, end: int) -> np.ndarray:
        """Frames [first, end) freed of the line's level and colour; float32 (frames, coefficients)."""
        decibels = self.decibels[first:end]
        cepstra = np.maximum(decibels, decibels.max() - _FLOOR_DB) @ _cosines().T
        cepstra -= cepstra[self.loud[first:end]].mean(axis=0)
        cepstra[:, 0] *= 0.5
        return cepstra.astype(np.float32)


def frames_of(pcm: bytes, rate: int) -> Frames:
    """L16 mono at 8000, 16000 or 24000 samples per second, cut into frames."""
    samples = np.frombuffer(pcm, "<i2").astype(np.float32)
    window = int(rate * _WINDOW)
    samples = np.pad(samples, (0, max(0, window - len(samples))))
    cut = np.lib.stride_tricks.sliding_window_view(samples, window)[:: int(rate * _HOP)]
    power = np.abs(np.fft.rfft(cut * np.hanning(window).astype(np.float32), axis=1)) ** 2 / window**2
    bands = power @ _mel_bank(rate).T
    total = bands.sum(axis=1) + 1e-3
    level = 10 * np.log10(total)
    # The window passes about an eighth of the power; telling silence from speech needs no better.
    loud = (level > np.percentile(level, 95) - _SPEECH_DB) & (total > _QUIET**2 / 8)
    strongest = np.partition(power, -6, axis=1)[:, -6:].sum(axis=1)
    return Frames(10 * np.log10(bands + 1e-3), loud, strongest > 0.97 * (power.sum(axis=1) + 1e-9))


@lru_cache(maxsize=4)
def _mel_bank(rate: int) -> np.ndarray:
    low, high = (2595 * np.log10(1 + edge / 700) for edge in (_LOW, _HIGH))
    edges = 700 * (10 ** (np.linspace(low, high, _BANDS + 2) / 2595) - 1)
    frequencies = np.fft.rfftfreq(int(rate * _WINDOW), 1 / rate)
    left, centre, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    return np.maximum(0, np.minimum((frequencies - left) / (centre - left), (right - frequencies) / (right - centre)))


@lru_cache(maxsize=1)
def _cosines() -> np.ndarray:
    bands = np.arange(_BANDS) + 0.5
    return np.cos(np.pi / _BANDS * bands[None] * np.arange(_COEFFICIENTS)[:, None]) * np.sqrt(2 / _BANDS)


def align(spoken: np.ndarray, templates: list[np.ndarray]) -> np.ndarray:
    """Mean distance per spoken frame of the best alignment with each template; float32 (templates,)."""
    lengths = np.array([len(template) for template in templates])
    packed = np.zeros((len(templates), lengths.max(), spoken.shape[1]), np.float32)
    for row, template in enumerate(templates):
        packed[row, : len(template)] = template
    flat = packed.reshape(-1, spoken.shape[1])
    squares = (spoken**2).sum(axis=1)[:, None] + (flat**2).sum(axis=1) - 2 * (spoken @ flat.T)
    distances = np.sqrt(np.maximum(0, squares)).reshape(len(spoken), len(templates), -1)
    # Two columns of infinity on the left stand for "before the template's first frame". A path may stay on a template's
    # frame once, not twice running, and skip one at most: between double and half the template's pace.
    moved = np.full((len(templates), lengths.max() + 2), np.inf, np.float32)
    stayed = moved.copy()
    for at, distance in enumerate(distances):
        if at == 0:
            moved[:, 2:4] = distance[:, :2]
            continue
        either = np.minimum(moved, stayed)
        stayed[:, 2:] = distance + moved[:, 2:]
        moved[:, 2:] = distance + np.minimum(either[:, 1:-1], either[:, :-2])
    rows = np.arange(len(templates))
    cost = np.minimum(moved, stayed)
    return np.minimum(cost[rows, lengths + 1], cost[rows, lengths]) / len(spoken)


def worst_word(spoken: np.ndarray, template: np.ndarray) -> float:
    """The worst mean distance over `WORD_FRAMES` neighbouring frames on the best path of `align`."""
    along = _path(spoken, template)
    width = min(WORD_FRAMES, len(along))
    return float(np.convolve(along, np.ones(width) / width, "valid").max())


def _path(spoken: np.ndarray, template: np.ndarray) -> np.ndarray:
    """Distance at each spoken frame along the best alignment; the recurrence of `align` with its way back."""
    distance = np.sqrt(((spoken[:, None] - template[None]) ** 2).sum(axis=2))
    moved = np.full((len(spoken), len(template) + 2), np.inf)
    stayed = moved.copy()
    moved[0, 2:4] = distance[0, :2]
    for at in range(1, len(spoken)):
        either = np.minimum(moved[at - 1], stayed[at - 1])
        stayed[at, 2:] = distance[at] + moved[at - 1, 2:]
        moved[at, 2:] = distance[at] + np.minimum(either[1:-1], either[:-2])
    either = np.minimum(moved, stayed)
    column = len(template) + (1 if either[-1, -1] <= either[-1, -2] else 0)
    along = []
    staying = stayed[-1, column] < moved[-1, column]
    for at in range(len(spoken) - 1, -1, -1):
        along.append(distance[at, column - 2])
        if at == 0:
            break
        if staying:
            staying = False
        else:
            column -= 1 if either[at - 1, column - 1] <= either[at - 1, column - 2] else 2
            staying = stayed[at - 1, column] < moved[at - 1, column]
    return np.array(along)
