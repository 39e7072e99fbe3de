"""The ear of the simulated Realtime session: audio formats of the wire, and speech found by its energy.

Time is counted in audio: a millisecond has passed when a millisecond of audio was appended, whatever the clock says.
"""

from dataclasses import dataclass

import numpy as np

FRAME_MS = 20
_SPEECH_FRAMES = 3  # of the last five: a click is no speech
_WATCHED_FRAMES = 5


def wire_rate(wire_format: dict) -> int:
    """Samples per second of a session's audio format."""
    return 24000 if wire_format["type"] == "audio/pcm" else 8000


def decode(audio: bytes, wire_format: dict) -> bytes:
    """Bytes of the wire as L16 little-endian at `wire_rate`."""
    if wire_format["type"] == "audio/pcm":
        return audio[: len(audio) // 2 * 2]
    table = _ULAW if wire_format["type"] == "audio/pcmu" else _ALAW
    return table[np.frombuffer(audio, np.uint8)].astype("<i2").tobytes()


def encode(pcm: bytes, wire_format: dict) -> bytes:
    """L16 at `wire_rate` as bytes of the wire."""
    if wire_format["type"] == "audio/pcm":
        return pcm
    table = _TO_ULAW if wire_format["type"] == "audio/pcmu" else _TO_ALAW
    return table[np.frombuffer(pcm, "<i2").astype(np.int32) + 32768].tobytes()


def _ulaw_table() -> np.ndarray:
    """ITU-T G.711, table 2a: bits inverted, sign, three bits of exponent, four of mantissa."""
    code = ~np.arange(256) & 0xFF
    size = ((((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)) - 0x84
    return np.where(code & 0x80, -size, size)


def _alaw_table() -> np.ndarray:
    """ITU-T G.711, table 1a: even bits inverted."""
    code = np.arange(256) ^ 0x55
    exponent, size = (code & 0x70) >> 4, ((code & 0x0F) << 4) + 8
    size = np.where(exponent > 0, (size + 0x100) << np.maximum(exponent - 1, 0), size)
    return np.where(code & 0x80, size, -size)


def _nearest(table: np.ndarray) -> np.ndarray:
    """For every 16-bit sample, -32768 first, the code whose value is nearest."""
    order = np.argsort(table, kind="stable")
    values = table[order]
    middles = (values[1:] + values[:-1]) / 2
    return order[np.searchsorted(middles, np.arange(-32768, 32768))].astype(np.uint8)


_ULAW, _ALAW = _ulaw_table(), _alaw_table()
_TO_ULAW, _TO_ALAW = _nearest(_ULAW), _nearest(_ALAW)


@dataclass(frozen=True)
class Started:
    at_ms: int  # with the padding before the speech


@dataclass(frozen=True)
class Stopped:
    at_ms: int  # with the silence that ended it
    pcm: bytes  # L16, from Started.at_ms to at_ms


@dataclass(frozen=True)
class TurnDetection:
    """The part of a session's turn_detection that the ear needs; semantic_vad is approximated by its patience."""

    threshold: float = 0.5
    prefix_ms: int = 300
    silence_ms: int = 500

    @classmethod
    def of(cls, settings: dict) -> "TurnDetection":
        if settings["type"] == "semantic_vad":
            patience = {"high": 400, "low": 1200}.get(settings.get("eagerness", "auto"), 700)
            return cls(silence_ms=patience)
        return cls(settings["threshold"], settings["prefix_padding_ms"], settings["silence_duration_ms"])

    @property
    def loudness(self) -> float:
        """RMS of a 16-bit sample above which a frame is speech: -40 dBFS at the usual threshold of 0.5."""
        return 32768 * 10 ** ((-55 + 30 * self.threshold) / 20)


class Ear:
    """The input audio buffer of one session, at one sample rate."""

    def __init__(self, rate: int, detection: TurnDetection | None):
        self.rate = rate
        self.detection = detection
        self.speaking = False
        self._buffer = bytearray()
        self._frame_bytes = rate * FRAME_MS // 1000 * 2
        self._dropped = 0  # bytes that were in the buffer once
        self._examined = 0  # bytes of the buffer already looked at
        self._recent = [False] * _WATCHED_FRAMES
        self._quiet_ms = 0

    @property
    def now_ms(self) -> int:
        """Audio appended since the session began."""
        return self._ms(self._dropped + len(self._buffer))

    @property
    def buffered_ms(self) -> int:
        return self._ms(len(self._buffer))

    def append(self, pcm: bytes) -> list[Started | Stopped]:
        self._buffer += pcm
        found: list[Started | Stopped] = []
        while self.detection and len(self._buffer) - self._examined >= self._frame_bytes:
            frame = np.frombuffer(self._buffer, "<i2", self._frame_bytes // 2, self._examined).astype(np.float32)
            self._examined += self._frame_bytes
            event = self._look(float(np.sqrt(np.mean(frame**2))))
            if event:
                found.append(event)
        return found

    def take(self) -> bytes:
        """Everything in the buffer, which is empty afterwards."""
        taken = bytes(self._buffer)
        self._forget(len(self._buffer))
        self.speaking = False
        self._recent = [False] * _WATCHED_FRAMES
        return taken

    def _look(self, level: float) -> Started | Stopped | None:
        loud = level > self.detection.loudness
        self._recent = [*self._recent[1:], loud]
        if not self.speaking:
            kept = self._bytes(self.detection.prefix_ms) + _WATCHED_FRAMES * self._frame_bytes
            if sum(self._recent) < _SPEECH_FRAMES:
                self._forget(self._examined - kept)
                return None
            self.speaking, self._quiet_ms = True, 0
            first = self._recent.index(True)
            begun = self._examined - (_WATCHED_FRAMES - first) * self._frame_bytes
            self._forget(begun - self._bytes(self.detection.prefix_ms))
            return Started(self._ms(self._dropped))
        self._quiet_ms = 0 if loud else self._quiet_ms + FRAME_MS
        if self._quiet_ms < self.detection.silence_ms:
            return None
        self.speaking = False
        self._recent = [False] * _WATCHED_FRAMES
        spoken = bytes(self._buffer[: self._examined])
        self._forget(self._examined)
        return Stopped(self._ms(self._dropped), spoken)

    def _forget(self, count: int) -> None:
        count = max(0, min(count, len(self._buffer)))
        del self._buffer[:count]
        self._dropped += count
        self._examined = max(0, self._examined - count)

    def _bytes(self, ms: int) -> int:
        return self.rate * ms // 1000 * 2

    def _ms(self, count: int) -> int:
        return count // 2 * 1000 // self.rate
