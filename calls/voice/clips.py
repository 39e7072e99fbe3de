"""Speech on its way down, in clips. Pure.

The open edition of mod_audio_stream plays whole files, and between two queued ones lies a silence of 20 to 40 ms. So:
the first clip of an answer short, that it begins at once; the later ones long; every cut where it is quiet anyway.
"""

import pybase64

from calls.voice.audio import FRAME_MS, level
from calls.voice.protocol import BYTES_PER_MS, RATE
from calls.voice.synthesis import wav

STAGES_MS = ((300, 500), (800, 1600), (2000, 4000), (4000, 8000))
"""Shortest and longest length of the first clip, the second … the last pair holds for all that follow."""
QUIET = 250.0
"""RMS below which synthetic speech is silent."""

_WINDOW = FRAME_MS * BYTES_PER_MS
_STAGES = [(shortest // FRAME_MS, longest // FRAME_MS) for shortest, longest in STAGES_MS]
_HEAD = '{"type":"streamAudio","data":{"audioDataType":"wav","sampleRate":24000,"audioData":"'
_TAIL = '"}}'


def duration_ms(pcm: bytes) -> int:
    """Of L16 mono at 24 kHz."""
    return len(pcm) // BYTES_PER_MS


def stream_audio(pcm: bytes) -> str:
    """The message that makes FreeSWITCH write a file and fire mod_audio_stream::play. Always a WAV: raw audio at 24000
    plays 1.5 times too fast and too high."""
    return _HEAD + pybase64.b64encode_as_string(wav(pcm, RATE)) + _TAIL


class ClipCutter:
    """Streamed audio in, clips out, one answer after the other. `bytes` are L16 mono at 24 kHz everywhere."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._levels: list[float] = []  # of 20 ms windows, from the last one before which no clip may end
        self._cuts = 0

    def push(self, pcm: bytes) -> list[bytes]:
        """The clips that became ready."""
        self._buffer += pcm
        clips = []
        while windows := self._place_to_cut():
            clips.append(self._cut(windows))
        return clips

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

    def _place_to_cut(self) -> int:
        """Number of windows of the next clip; 0: not yet. Only where a clip may end it is listened for a pause."""
        shortest, longest = _STAGES[min(self._cuts, len(_STAGES) - 1)]
        whole, levels = len(self._buffer) // _WINDOW, self._levels
        for at in range(shortest - 1 + len(levels), min(whole, longest)):
            levels.append(level(self._buffer[at * _WINDOW : (at + 1) * _WINDOW]))
            if len(levels) > 1 and levels[-1] < QUIET and levels[-2] < QUIET:
                return at
        if whole < longest:
            return 0
        return shortest + min(range(longest - shortest), key=lambda at: levels[at] + levels[at + 1])

    def _cut(self, windows: int) -> bytes:
        clip = bytes(self._buffer[: windows * _WINDOW])
        del self._buffer[: windows * _WINDOW]
        self._levels.clear()
        self._cuts += 1
        return clip
