"""The process that loads the GPL speech engines. Started by synthesis.py: `python -m calls.voice.synthesis_worker`.

Wire of its standard input and output: a 4-byte big-endian length, then that many bytes. In: JSON `{"text", "voice",
"words_per_minute"}`. Out: a 4-byte big-endian sample rate and L16 little-endian mono; or rate 0 and the error in UTF-8.
"""

import ctypes
import json
import os
import select
import signal
import struct
from functools import lru_cache
from pathlib import Path

PARENT_CHECK_SECONDS = 2.0


def framed(body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + body


def read_framed(fd: int, seconds: float) -> bytes:
    """One framed message. EOFError at the pipe's end, TimeoutError (an OSError) after `seconds` without a byte."""
    (length,) = struct.unpack(">I", _read(fd, 4, seconds))
    return _read(fd, length, seconds)


def _read(fd: int, size: int, seconds: float) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        if not select.select([fd], [], [], seconds)[0]:
            raise TimeoutError
        part = os.read(fd, min(size - len(parts), 1 << 20))
        if not part:
            raise EOFError
        parts += part
    return bytes(parts)


class Espeak:
    """libespeak-ng as the espeakng-loader package ships it (speak_lib.h of espeak-ng 1.52)."""

    _RETRIEVE = 2  # AUDIO_OUTPUT_SYNCHRONOUS: samples go to the callback, espeak_Synth returns when all are there
    _UTF8 = 1
    _RATE = 1  # espeakRATE, words per minute
    _OK = 0

    def __init__(self):
        import espeakng_loader

        self._lib = ctypes.CDLL(espeakng_loader.get_library_path())
        data = espeakng_loader.get_data_path()
        self.rate = self._lib.espeak_Initialize(self._RETRIEVE, 0, os.fsencode(data), 0)
        if self.rate <= 0:
            raise RuntimeError("espeak-ng found no usable data files")
        self._samples = bytearray()
        kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
        # Kept on the object: a collected callback crashes the library.
        self._callback = kind(self._take)
        self._lib.espeak_SetSynthCallback(self._callback)
        self._lib.espeak_Synth.argtypes = [
            ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int,
            ctypes.c_uint, ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p,
        ]  # fmt: skip

    def _take(self, samples, count, _events) -> int:
        if samples and count > 0:
            self._samples += ctypes.string_at(samples, count * 2)
        return 0

    def speak(self, text: str, voice: str, words_per_minute: int) -> tuple[bytes, int]:
        if self._lib.espeak_SetVoiceByName(voice.encode()) != self._OK:
            raise ValueError(f"espeak-ng has no voice {voice!r}")
        self._lib.espeak_SetParameter(self._RATE, words_per_minute, 0)
        self._samples.clear()
        data = text.encode()
        if self._lib.espeak_Synth(data, len(data) + 1, 0, 0, 0, self._UTF8, None, None) != self._OK:
            raise RuntimeError("espeak-ng refused the text")
        return bytes(self._samples), self.rate


class Piper:
    """A Piper voice file (`.onnx`, its `.onnx.json` beside it), where the `piper-tts` package is installed."""

    _ORDINARY_WORDS_PER_MINUTE = 160

    def __init__(self, model: str):
        try:
            from piper import PiperVoice, SynthesisConfig
        except ImportError as error:
            raise RuntimeError("a Piper voice is configured, but the package piper-tts is not installed") from error
        if not Path(model).is_file():
            raise ValueError(f"there is no Piper voice at {model}")
        self._voice, self._config = PiperVoice.load(model), SynthesisConfig

    def speak(self, text: str, words_per_minute: int) -> tuple[bytes, int]:
        config = self._config(length_scale=self._ORDINARY_WORDS_PER_MINUTE / words_per_minute)
        chunks = list(self._voice.synthesize(text, config))
        if not chunks:
            raise ValueError("Piper found nothing to say in the text")
        return b"".join(chunk.audio_int16_bytes for chunk in chunks), chunks[0].sample_rate


espeak = lru_cache(maxsize=1)(Espeak)
piper = lru_cache(maxsize=2)(Piper)


def answer(request: bytes) -> bytes:
    try:
        asked = json.loads(request)
        text, voice, pace = asked["text"], asked["voice"], asked["words_per_minute"]
        pcm, rate = piper(voice).speak(text, pace) if voice.endswith(".onnx") else espeak().speak(text, voice, pace)
    except Exception as error:  # whatever it was, the parent is told, and the next sentence gets its chance
        return struct.pack(">I", 0) + (str(error) or repr(error)).encode()
    return struct.pack(">I", rate) + pcm


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for the parent
    # The engines may write to file descriptor 1: give them standard error, and keep the pipe for ourselves.
    out = os.dup(1)
    os.dup2(2, 1)
    parent = os.getppid()
    while True:
        # End of input is not enough to know the parent is gone: a forked child of it may still hold the pipe.
        if not select.select([0], [], [], PARENT_CHECK_SECONDS)[0]:
            if os.getppid() != parent:
                return
            continue
        try:
            reply = framed(answer(read_framed(0, PARENT_CHECK_SECONDS)))
            while reply:
                reply = reply[os.write(out, reply) :]
        except (EOFError, OSError):
            return


if __name__ == "__main__":
    main()
