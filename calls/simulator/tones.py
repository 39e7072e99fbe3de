"""Tones and silence as FreeSWITCH's mod_tone_stream makes them, at 8 kHz."""

import re
from functools import lru_cache

import numpy as np

RATE = 8000
LEVEL = 10187
"""Peak of one frequency: teletone's default of -7 dBm0. A steady tone then has the Current-Energy of 6481 that a real
conference reports."""

_SEGMENT = re.compile(r"%\(([\d.,\s]+)(?:\)|$)")
_LOOPS = re.compile(r"loops=(-?\d+)")


@lru_cache(maxsize=64)
def tone_stream(text: str) -> tuple[np.ndarray, int]:
    """`%(on ms,off ms,Hz[,Hz...])[;...][;loops=N]` as (int16 samples of one round, rounds; -1: for ever).

    Raises ValueError for a text without a segment.
    """
    rounds = _LOOPS.search(text)
    parts = []
    for segment in _SEGMENT.findall(text):
        on, off, *frequencies = (float(value) for value in segment.split(","))
        parts += [sine(on, *frequencies), np.zeros(int(off * RATE / 1000), np.int16)]
    if not parts:
        raise ValueError(f"no tone in {text!r}")
    return np.concatenate(parts), int(rounds[1]) if rounds else 1


def silence_stream(text: str) -> tuple[np.ndarray, int]:
    """`N[,noise]`: N ms of silence, or for ever when N is -1."""
    milliseconds = int(text.split(",")[0])
    if milliseconds < 0:
        return np.zeros(RATE // 50, np.int16), -1
    return np.zeros(milliseconds * RATE // 1000, np.int16), 1


def sine(milliseconds: float, *frequencies: float, level: int = LEVEL) -> np.ndarray:
    """The sum of sines at 8 kHz, int16, each with peak `level`."""
    at = np.arange(int(milliseconds * RATE / 1000)) / RATE
    wave = sum((np.sin(2 * np.pi * hertz * at) for hertz in frequencies), np.zeros(len(at)))
    return np.clip(wave * level, -32768, 32767).astype(np.int16)
