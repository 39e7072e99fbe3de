"""Understands the simulated people by sound alone: which phrases of phrases.py, in which voice, does this audio match?

Every phrase in every voice is a template of cepstra, 50 frames a second, from the telephone band only and freed of
level and of the line's colour. An utterance is aligned with the templates (dynamic time warping between half and double
the pace); the mean distance per frame and the worst stretch of a word's length decide. Measured through an 8 kHz line:
the right phrase 7 to 17, another phrase above 24, sentences that are not in the table mostly above 19.

An utterance of several phrases is understood only if every stretch of it between pauses is: half an utterance is none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from calls.simulator.phrases import PHRASES, VOICES, Meaning, Phrase
from calls.simulator.recogniser_sound import Frames, align, frames_of, worst_word
from calls.voice.synthesis import synthesise

MAX_DISTANCE = 18.0
"""Mean per frame, in the recogniser's own unit."""

MAX_WORD_DISTANCE = 42.0
"""Mean over the worst 0.18 s. The right words: below 28 (41 with a loud echo); a word changed or put in: above 43."""

_MAX_PIECES = 8  # an utterance of more stretches than this is somebody talking, not answering
_SECONDS_AT_MOST = 20
_STRETCH = 1.6  # how much faster or slower than the template somebody may speak


@dataclass(frozen=True)
class Heard:
    """What was understood: the phrases in order, none if `meaning` is UNCLEAR; `distance` of the worst of them."""

    meaning: Meaning
    phrases: tuple[Phrase, ...] = ()
    distance: float = float("inf")

    @property
    def reason(self) -> str | None:
        return next((phrase.reason for phrase in reversed(self.phrases) if phrase.reason), None)

    @property
    def extension(self) -> str | None:
        return next((phrase.extension for phrase in reversed(self.phrases) if phrase.extension), None)

    @property
    def text(self) -> str:
        return " ".join(phrase.text for phrase in self.phrases)


UNCLEAR = Heard(Meaning.UNCLEAR)

# Of several phrases in one breath the weightiest counts, of equals the last: "Alô? Sim, pode passar." is a yes.
WEIGHT = {
    Meaning.VOICEMAIL: 3,
    Meaning.ACCEPT: 2,
    Meaning.REJECT: 2,
    Meaning.EXTENSION: 2,
    Meaning.WHO: 1,
    Meaning.REPEAT: 1,
    Meaning.WAIT: 1,
}


class Recogniser:
    """Knows `phrases` in `voices`. Building takes some tenths of a second, `hear` some milliseconds."""

    def __init__(self, phrases: Sequence[Phrase] | None = None, voices: Sequence[str] = VOICES):
        self._phrases = list(PHRASES.values()) if phrases is None else list(phrases)
        self._templates = []
        for index, phrase in enumerate(self._phrases):
            for voice in voices:
                frames = frames_of(synthesise(phrase.text, voice=voice, rate=8000), 8000)
                pieces = frames.pieces()
                self._templates.append((index, frames.cepstra(pieces[0][0], pieces[-1][1])))

    def hear(self, pcm: bytes, rate: int) -> Heard:
        """L16 mono at 8000, 16000 or 24000 samples per second."""
        pcm = pcm[: _SECONDS_AT_MOST * rate * 2]
        frames = frames_of(pcm, rate)
        pieces = frames.pieces()
        if not pieces or len(pieces) > _MAX_PIECES:
            return UNCLEAR
        parsed = self._parse(frames, pieces)
        if parsed is None:
            return UNCLEAR
        phrases = tuple(self._phrases[index] for index, _ in parsed)
        _, at = max((WEIGHT.get(phrase.meaning, 0), at) for at, phrase in enumerate(phrases))
        return Heard(phrases[at].meaning, phrases, max(distance for _, distance in parsed))

    def _parse(self, frames: Frames, pieces: list[tuple[int, int]]) -> list[tuple[int, float]] | None:
        """The fewest phrases that cover all the pieces, each phrase a run of neighbouring pieces."""
        best: list[list[tuple[int, float]] | None] = [[]] + [None] * len(pieces)
        for end in range(1, len(pieces) + 1):
            for start in range(end):
                before = best[start]
                known = best[end]
                if before is None or (known is not None and len(known) <= len(before) + 1):
                    continue
                found = self._match(frames.cepstra(pieces[start][0], pieces[end - 1][1]))
                if found:
                    best[end] = [*before, found]
        return best[-1]

    def _match(self, spoken: np.ndarray) -> tuple[int, float] | None:
        near = [
            (index, template)
            for index, template in self._templates
            if 1 / _STRETCH < len(template) / len(spoken) < _STRETCH
        ]
        if not near:
            return None
        distances = align(spoken, [template for _, template in near])
        at = int(np.argmin(distances))
        index, template = near[at]
        if distances[at] > MAX_DISTANCE or worst_word(spoken, template) > MAX_WORD_DISTANCE:
            return None
        return index, float(distances[at])


@lru_cache(maxsize=1)
def known_people() -> Recogniser:
    """The recogniser of everything in phrases.py, built once per process."""
    return Recogniser()
