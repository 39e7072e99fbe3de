"""What one ear has heard: tones with their times, pitch and gaps. Pure but for the times it is given."""

from dataclasses import dataclass

import numpy as np

from calls.certify import tones

RATE = 8000
FRAME_SECONDS = 0.02
FRAME_BYTES = int(RATE * FRAME_SECONDS) * 2
SURE_FRAMES = 3
"""A tone of fewer frames in a row is a click, or a bit of music."""
LOUD = 200
"""Mean absolute sample of a frame that is not silence."""


@dataclass(frozen=True)
class Span:
    """Seconds of the monotonic clock."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.start


class Ear:
    """Fed with L16 at 8 kHz as it arrives. `clock`: how the frames' own time lies on the monotonic clock.

    A late frame says only that the machine was slow, so time is that of the frame that came quickest.
    """

    def __init__(self) -> None:
        self.pcm = bytearray()
        self._begun: float | None = None
        self._present: list[np.ndarray] = []
        self._loud: list[bool] = []

    def feed(self, pcm: bytes, now: float) -> None:
        self.pcm += pcm
        done = len(self._present)
        count = len(self.pcm) // FRAME_BYTES - done
        if count <= 0:
            return
        frames = np.frombuffer(self.pcm, "<i2", count * FRAME_BYTES // 2, done * FRAME_BYTES).reshape(count, -1)
        self._present.extend(tones.present(frames, RATE))
        self._loud.extend(np.abs(frames.astype(np.int32)).mean(axis=1) > LOUD)
        begun = now - len(self._present) * FRAME_SECONDS
        self._begun = begun if self._begun is None else min(self._begun, begun)

    @property
    def listening(self) -> bool:
        return self._begun is not None

    def spans(self, hertz: int, since: float = 0.0) -> list[Span]:
        """When this tone was heard, each time for at least SURE_FRAMES."""
        if self._begun is None:
            return []
        column = tones.ALL.index(hertz)
        marks = np.array([False, *(frame[column] for frame in self._present), False])
        edges = np.flatnonzero(marks[1:] != marks[:-1])
        found = [
            Span(self._begun + start * FRAME_SECONDS, self._begun + end * FRAME_SECONDS)
            for start, end in edges.reshape(-1, 2)
            if end - start >= SURE_FRAMES
        ]
        return [span for span in found if span.end > since]

    def seconds(self, hertz: int, since: float = 0.0, until: float = float("inf")) -> float:
        """How long this tone was heard."""
        parts = (min(span.end, until) - max(span.start, since) for span in self.spans(hertz, since))
        return sum(max(0.0, part) for part in parts)

    def loud_seconds(self, since: float = 0.0) -> float:
        """How long anything was heard."""
        if self._begun is None:
            return 0.0
        first = max(0, int((since - self._begun) / FRAME_SECONDS))
        return sum(self._loud[first:]) * FRAME_SECONDS

    def gaps(self, hertz: int) -> list[float]:
        """Milliseconds of silence inside what was said by this tone, if shorter than a pause between sentences."""
        spans = self.spans(hertz)
        pauses = (after.start - before.end for before, after in zip(spans, spans[1:], strict=False))
        return [round(pause * 1000) for pause in pauses if pause < 0.3]

    def pitch(self, hertz: int) -> float:
        """Hz of the longest stretch of this tone, to a tenth or so; 0.0 when there is none."""
        spans = self.spans(hertz)
        if not spans or self._begun is None:
            return 0.0
        longest = max(spans, key=lambda span: span.seconds)
        first, last = (round((at - self._begun) / FRAME_SECONDS) * FRAME_BYTES for at in (longest.start, longest.end))
        samples = np.frombuffer(bytes(self.pcm[first:last]), "<i2").astype(float)
        spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 8 * len(samples)))
        return float(np.argmax(spectrum) * RATE / (8 * len(samples)))
