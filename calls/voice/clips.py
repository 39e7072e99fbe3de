"""Speech on its way down, in clips. Pure.

The open edition of mod_audio_stream plays whole files, and between two queued ones lies a silence of 40 ms. So: the
first clip of an answer short, that it begins at once; the later ones long; every cut in a pause, so that a next clip
which comes late, from a model slower than speech, is no more than a longer pause.
"""

from itertools import takewhile

import pybase64

from calls.voice.audio import FRAME_MS, downsampled, level, level_in_telephone
from calls.voice.protocol import BYTES_PER_MS
from calls.voice.synthesis import wav

STAGES_MS = ((300, 1500), (800, 3000), (2000, 6000), (4000, 8000))
"""Shortest and longest length of the first clip, the second … the last pair holds for all that follow. Speech without a
pause is cut at the longest, where it is quietest."""
SILENT = 100.0
"""RMS below which there is silence between two words (-50 dBFS)."""
QUIET = 250.0
"""RMS below which there may be silence within a word."""
PAUSE_MS = 80
"""So long it is silent where a clip may end: that is heard as a pause (over 60 ms) also without the 40 ms between two
files, which would make one of the 50 ms in which a "t" is being made. Of 80 announcements cut there, 60 had a gap."""

_WINDOW = FRAME_MS * BYTES_PER_MS
_STEP = 5 * BYTES_PER_MS
_BESIDE = 15 * BYTES_PER_MS
"""Of silence beside the 40 ms between two files: more, and all of it is heard as a gap (over 60 ms)."""
_SHORTEST = STAGES_MS[0][0] * BYTES_PER_MS
_PAUSE = PAUSE_MS // FRAME_MS
_STAGES = [(shortest // FRAME_MS, longest // FRAME_MS) for shortest, longest in STAGES_MS]
CLIP_RATE = 16_000
"""A conference reads a file 160 samples at a time and converts each piece by itself: at 8, 16, 32 and 48 kHz a piece of
16 kHz comes out whole. Of 24 kHz in a conference of 8 kHz a third of a sample is lost 150 times a second: 0.7 % too
fast, and rough (22 dB of signal to noise at 1 kHz, where 16 kHz has 55 dB; measured)."""

_HEAD = f'{{"type":"streamAudio","data":{{"audioDataType":"wav","sampleRate":{CLIP_RATE},"audioData":"'
_TAIL = '"}}'


def duration_ms(pcm: bytes) -> int:
    """Of L16 mono at 24 kHz."""
    return len(pcm) // BYTES_PER_MS


def stream_audio(pcm: bytes) -> str:
    """The message that makes FreeSWITCH write a file and fire mod_audio_stream::play; `pcm` is L16 at 24 kHz. Always a
    WAV: raw audio at 24000 plays 1.5 times too fast and too high."""
    return _HEAD + pybase64.b64encode_as_string(wav(downsampled(pcm), CLIP_RATE)) + _TAIL


class ClipCutter:
    """Streamed audio in, clips out, one answer after the other. `bytes` are L16 mono at 24 kHz everywhere."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._levels: list[float] = []  # of 20 ms windows, from the last one before which no clip may end
        self._shortest = 0  # windows, as those were listened to
        self._cuts = 0

    def push(self, pcm: bytes, *, hungry: bool = False) -> list[bytes]:
        """The clips that became ready. `hungry`: there is hardly anything left to hear, so a short one will do."""
        self._buffer += pcm
        clips = []
        while windows := self._place_to_cut(hungry and not clips):
            clips.append(self._cut(windows))
        return clips

    def grows(self, pcm: bytes) -> bool:
        """As push() while no clip can end yet; false, and nothing done, when one may."""
        if len(self._buffer) + len(pcm) >= _SHORTEST:
            return False
        self._buffer += pcm
        return True

    def flush(self) -> list[bytes]:
        """The rest of the answer; the next one begins with a short clip again."""
        rest = bytes(self._buffer)
        self.discard()
        return [rest] if rest else []

    def discard(self) -> None:
        """Forget the rest: the answer was interrupted."""
        self._buffer.clear()
        self._levels.clear()
        self._cuts = 0

    def _place_to_cut(self, hungry: bool) -> int:
        """Number of windows of the next clip; 0: not yet. Only where a clip may end it is listened for a pause."""
        shortest, longest = _STAGES[min(self._cuts, len(_STAGES) - 1)]
        if hungry:
            shortest = _STAGES[0][0]
        if shortest < self._shortest or not self._levels:
            self._levels.clear()
            self._shortest = shortest
        shortest = self._shortest
        whole, levels = len(self._buffer) // _WINDOW, self._levels
        for at in range(shortest - 1 + len(levels), min(whole, longest)):
            levels.append(level(self._buffer[at * _WINDOW : (at + 1) * _WINDOW]))
            if len(levels) >= _PAUSE and max(levels[-_PAUSE:]) < SILENT:
                return at + 1 - _PAUSE // 2
        if whole < longest:
            return 0
        places = sorted(range(longest - shortest - 1), key=lambda at: levels[at] + levels[at + 1])
        best = (at for at in places if not self._lengthens(shortest + at))
        return shortest + next(best, places[0])

    def _lengthens(self, windows: int) -> bool:
        """Whether a cut there makes a gap of the short silence within a word ("t", "p", "k")."""
        place, far = windows * _WINDOW, _BESIDE + 2 * _STEP
        before = self._silent(range(place - _STEP, place - far - 1, -_STEP))
        return before + self._silent(range(place, place + far, _STEP)) > _BESIDE

    def _silent(self, places: range) -> int:
        """Bytes of silence from the first place on; a sound of one step before it is lost beside a file's end."""
        quiet = [level_in_telephone(self._buffer[at : at + _STEP]) < QUIET for at in places]
        return _STEP * max(sum(takewhile(bool, quiet)), sum(takewhile(bool, quiet[1:])))

    def _cut(self, windows: int) -> bytes:
        clip = bytes(self._buffer[: windows * _WINDOW])
        del self._buffer[: windows * _WINDOW]
        self._levels.clear()
        self._cuts += 1
        return clip
