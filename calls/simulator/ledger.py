"""What every leg could hear, as the mixer knows it: the truth that stories assert."""

from collections import deque
from dataclasses import dataclass

import numpy as np

from calls.simulator.sound import SILENCE, TICK

REMEMBERED = 2000
"""Legs that are gone and whose spans are still kept."""
PAUSE = 0.3
"""Seconds of silence inside one span: the pauses between words do not end it."""


@dataclass(slots=True)
class Span:
    """Between `start` and `end` (seconds of media time) these talkers were audible together."""

    start: float
    end: float
    talkers: frozenset[str]


class Ledger:
    """Spans by leg, and on request the heard audio itself."""

    def __init__(self) -> None:
        self._spans: dict[str, list[Span]] = {}
        self._audio: dict[str, list[np.ndarray]] = {}
        self._gone: deque[str] = deque()

    def note(self, at: float, uuid: str, frame: np.ndarray, talkers: frozenset[str]) -> None:
        """One frame heard by leg `uuid` at media time `at`."""
        recording = self._audio.get(uuid)
        if recording is not None:
            recording.append(frame)
        if not talkers:
            return
        spans = self._spans.get(uuid)
        if spans is None:
            spans = self._spans[uuid] = []
        if spans and spans[-1].talkers == talkers and at - spans[-1].end <= PAUSE:
            spans[-1].end = at + TICK
        else:
            spans.append(Span(at, at + TICK, talkers))

    def record(self, uuid: str) -> None:
        """Keep from now on what this leg hears, for `audio`."""
        self._audio.setdefault(uuid, [])

    def heard(self, uuid: str) -> list[Span]:
        """Everything leg `uuid` heard, in order."""
        return list(self._spans.get(uuid, ()))

    def seconds_heard(self, uuid: str, talker: str) -> float:
        """How long leg `uuid` heard `talker`: a leg's uuid, "moh", or the beginning of one ("clip:", "broadcast:")."""
        return sum(
            span.end - span.start
            for span in self._spans.get(uuid, ())
            if any(name.startswith(talker) for name in span.talkers)
        )

    def heard_each_other(self, a: str, b: str) -> bool:
        """Whether each of the two legs has heard the other."""
        return self.seconds_heard(a, b) > 0 and self.seconds_heard(b, a) > 0

    def audio(self, uuid: str) -> np.ndarray:
        """What a recorded leg heard since `record`, int16 at 8 kHz, silence included."""
        return np.concatenate(self._audio.get(uuid) or [SILENCE[:0]])

    def gone(self, uuid: str) -> None:
        """The leg hears nothing more; its spans stay until REMEMBERED others have gone (a demo runs for days)."""
        self._gone.append(uuid)
        if len(self._gone) > REMEMBERED:
            oldest = self._gone.popleft()
            self._spans.pop(oldest, None)
            self._audio.pop(oldest, None)
