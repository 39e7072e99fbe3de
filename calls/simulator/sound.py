"""Sounds cut into the frames of a conference, and playheads over them."""

import numpy as np

from calls.simulator.tones import RATE, silence_stream, tone_stream
from calls.simulator.wav import read_sound

FRAME = 160
"""Samples of one frame: 20 ms at 8 kHz."""
TICK = FRAME / RATE
"""Seconds of one frame."""
AUDIBLE = 60
"""Mean absolute sample above which a frame counts as heard (-55 dBFS): below speech, above noise and filter tails."""
SILENCE = np.zeros(FRAME, np.int16)
SILENCE.flags.writeable = False


def energy(frame: np.ndarray) -> int:
    """Mean absolute sample, as mod_conference computes Current-Energy."""
    return int(np.add.reduce(np.abs(frame), dtype=np.int64)) // FRAME


class Sound:
    """Samples in frames of 20 ms, with the energy of each; played `rounds` times (-1: for ever). Never changes."""

    def __init__(self, samples: np.ndarray, name: str = "", rounds: int = 1):
        count = -(-len(samples) // FRAME)
        padded = np.zeros(count * FRAME, np.int16)
        padded[: len(samples)] = samples
        self.name = name
        self.rounds = rounds if count else 1
        self.frames = padded.reshape(count, FRAME)
        self.energies = (np.abs(self.frames.astype(np.int32)).sum(axis=1) // FRAME).tolist()

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def seconds(self) -> float:
        """Of one round."""
        return len(self.frames) * TICK


def load(path: str, *, by_conference: bool = False) -> Sound:
    """What FreeSWITCH plays for `path`: tone_stream://…, silence_stream://… or a sound file.

    Raises FileNotFoundError, UnreadableSound, ValueError.
    """
    if path.startswith("tone_stream://"):
        samples, rounds = tone_stream(path.removeprefix("tone_stream://"))
    elif path.startswith("silence_stream://"):
        samples, rounds = silence_stream(path.removeprefix("silence_stream://"))
    else:
        samples, rounds = read_sound(path, by_conference=by_conference), 1
    return Sound(samples, path, rounds)


class Playhead:
    """A place in a sound that is being played."""

    def __init__(self, sound: Sound):
        self.sound = sound
        self._at = 0
        self._left = sound.rounds

    def step(self) -> tuple[np.ndarray, int] | None:
        """The next frame and its energy; None when the sound has ended."""
        if self._at == len(self.sound):
            if self._left > 0:
                self._left -= 1
            if self._left == 0 or not len(self.sound):
                return None
            self._at = 0
        at, self._at = self._at, self._at + 1
        return self.sound.frames[at], self.sound.energies[at]
