"""Speech from text, offline: espeak-ng by default, a Piper voice file where one is configured.

espeak-ng and Piper are GPL programs, so neither is ever loaded into our own processes: synthesis_worker.py is a
process of its own, one per process that speaks, talked to over pipes. It starts with the first sentence, is started
again if it dies, and ends by itself when its parent does.
"""

import asyncio
import atexit
import json
import os
import re
import struct
import subprocess
import sys
import threading
from collections import OrderedDict
from functools import lru_cache
from math import gcd
from pathlib import Path

import numpy as np

from calls.voice.synthesis_worker import framed, read_framed

MAX_TEXT = 4000
"""Characters. About four minutes of speech; more is a mistake of the caller."""

_VOICE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*(\+[A-Za-z0-9_-]{1,20})?")
_ANSWER_SECONDS = 30
_CACHE_BYTES = 32 * 1024 * 1024
_ROOT = Path(__file__).resolve().parents[2]


class SynthesisError(Exception):
    """The text could not be spoken: no such voice, an engine that is not installed, a worker that died twice on it."""


def synthesise(text: str, *, voice: str = "pt-br", rate: int = 24000, words_per_minute: int = 160) -> bytes:
    """`text` as L16 little-endian mono at `rate` samples per second.

    `voice` is an espeak-ng voice ("pt-br", with a variant "pt-br+f3") or the path of a Piper `.onnx` file.
    Blocks for some milliseconds; from a coroutine use `asynthesise`. Raises SynthesisError.
    """
    text = " ".join(text.replace("\0", " ").split())
    if not text:
        return b""
    if len(text) > MAX_TEXT:
        raise SynthesisError(f"text of {len(text)} characters, at most {MAX_TEXT} can be spoken at once")
    if not voice.endswith(".onnx") and not _VOICE.fullmatch(voice):
        raise SynthesisError(f"{voice!r} is neither an espeak-ng voice nor a Piper .onnx file")
    key = (text, voice, rate, words_per_minute)
    pcm = _cache.get(key)
    if pcm is None:
        spoken, native_rate = _worker.speak(text, voice, words_per_minute)
        pcm = resample(spoken, native_rate, rate)
        _cache.put(key, pcm)
    return pcm


async def asynthesise(text: str, *, voice: str = "pt-br", rate: int = 24000, words_per_minute: int = 160) -> bytes:
    """As `synthesise`, without holding the event loop."""
    return await asyncio.to_thread(synthesise, text, voice=voice, rate=rate, words_per_minute=words_per_minute)


def wav(pcm: bytes, rate: int) -> bytes:
    """L16 mono as the bytes of a WAV file."""
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16)
    data = struct.pack("<4sI", b"data", len(pcm))
    return struct.pack("<4sI4s", b"RIFF", 36 + len(pcm), b"WAVE") + form + data + pcm


def resample(pcm: bytes, source: int, target: int) -> bytes:
    """Whole recordings of L16 mono from one rate to another; nothing is delayed, the length is rounded up.

    A windowed sinc cut off below the lower rate's Nyquist, one polyphase branch per output phase. For live audio,
    frame by frame, this is the wrong tool: it looks 32 samples (of the lower rate) ahead.
    """
    if source == target or not pcm:
        return pcm
    up, down = target // gcd(source, target), source // gcd(source, target)
    branches = _branches(up, down)
    half = branches.shape[1] // 2
    samples = np.frombuffer(pcm, "<i2").astype(np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(samples, (half - 1, half + down)), 2 * half)
    made = np.zeros(-(-len(samples) * up // down), np.float32)
    for phase in range(min(up, len(made))):
        count = len(made[phase::up])
        made[phase::up] = windows[phase * down // up :: down][:count] @ branches[phase]
    return np.clip(np.rint(made), -32768, 32767).astype("<i2").tobytes()


@lru_cache(maxsize=16)
def _branches(up: int, down: int) -> np.ndarray:
    """Taps of each output phase, float32 of shape (up, taps)."""
    lower = min(1.0, up / down)
    half, cutoff = int(np.ceil(32 / lower)), 0.94 * lower  # cutoff in parts of the source's Nyquist
    phases = np.arange(up)[:, None] * down % up / up
    at = np.arange(1 - half, half + 1)[None, :] - phases
    taps = np.sinc(cutoff * at) * np.kaiser(2 * half + 1, 8.0)[1:]
    return (taps / taps.sum(axis=1, keepdims=True)).astype(np.float32)


class _Cache:
    """The last sentences spoken, bounded in bytes."""

    def __init__(self, limit: int):
        self._limit, self._size, self._lock = limit, 0, threading.Lock()
        self._items: OrderedDict[tuple, bytes] = OrderedDict()

    def get(self, key: tuple) -> bytes | None:
        with self._lock:
            if key in self._items:
                self._items.move_to_end(key)
            return self._items.get(key)

    def put(self, key: tuple, pcm: bytes) -> None:
        with self._lock:
            self._size += len(pcm) - len(self._items.pop(key, b""))
            self._items[key] = pcm
            while self._size > self._limit:
                self._size -= len(self._items.popitem(last=False)[1])


class _Worker:
    """The worker process as seen from here. One sentence at a time: each takes espeak-ng a few milliseconds."""

    def __init__(self):
        self._lock = threading.Lock()
        self._process: subprocess.Popen | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def speak(self, text: str, voice: str, words_per_minute: int) -> tuple[bytes, int]:
        request = json.dumps({"text": text, "voice": voice, "words_per_minute": words_per_minute}).encode()
        with self._lock:
            try:
                reply = self._ask(request)
            except (OSError, EOFError):
                # It died since the last sentence, or of this one: a new worker gets one chance.
                self._stop()
                try:
                    reply = self._ask(request)
                except (OSError, EOFError) as error:
                    self._stop()
                    raise SynthesisError("the speech process died twice on one sentence") from error
        (rate,) = struct.unpack_from(">I", reply)
        if rate == 0:
            raise SynthesisError(reply[4:].decode())
        return reply[4:], rate

    def _ask(self, request: bytes) -> bytes:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "calls.voice.synthesis_worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
                cwd=_ROOT,
            )
        self._process.stdin.write(framed(request))
        return read_framed(self._process.stdout.fileno(), _ANSWER_SECONDS)

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process:
            process.kill()
            process.stdin.close()
            process.stdout.close()
            process.wait()

    def stop(self) -> None:
        with self._lock:
            self._stop()

    def forget(self) -> None:
        """In a forked child (an RQ work-horse) the worker is the parent's: let go of its pipes."""
        self._lock = threading.Lock()
        process, self._process = self._process, None
        if process:
            process.stdin.close()
            process.stdout.close()
            process.returncode = 0  # not our child: nothing to wait for


_worker = _Worker()
_cache = _Cache(_CACHE_BYTES)
atexit.register(_worker.stop)
os.register_at_fork(after_in_child=_worker.forget)
