"""Rate conversion of the simulated switch: a short windowed-sinc FIR, between 8 kHz and its multiples.

A short filter holds nothing back (its delay is half its taps), where a stream resampler would hold 20 to 80 ms.
"""

from functools import lru_cache

import numpy as np

TAPS = 16
"""Input samples per output sample: 1 ms of delay at 8 kHz, 38 dB and better below 3400 Hz."""


@lru_cache(maxsize=16)
def lowpass(factor: int, taps: int) -> np.ndarray:
    """A Kaiser-windowed sinc of `factor * taps` points, cut at half the lower rate, unity gain at that rate."""
    size = factor * taps
    at = (np.arange(size) - (size - 1) / 2) / factor
    return (np.sinc(at) * np.kaiser(size, 7.0)).astype(np.float32)


class Upsampler:
    """A stream of 8 kHz frames to `factor` times the rate, frame by frame, with the filter's memory in between."""

    def __init__(self, factor: int):
        self._factor = factor
        kernel = lowpass(factor, TAPS)
        # Column p holds the taps of output phase p, newest input last, so that one matrix product makes a whole frame.
        self._phases = np.ascontiguousarray(kernel.reshape(TAPS, factor)[::-1])
        self._tail = np.zeros(TAPS - 1, np.float32)
        self._silent = True

    def __call__(self, frame: np.ndarray | None) -> bytes:
        """One frame of int16 (None: silence) as L16 little-endian bytes at the higher rate."""
        if self._factor == 1:
            return SILENCE_8K if frame is None else frame.astype("<i2", copy=False).tobytes()
        if frame is None:
            if self._silent:
                return bytes(320 * self._factor)
            frame = np.zeros(160, np.int16)
            self._silent = True
        else:
            self._silent = False
        history = np.concatenate((self._tail, frame))
        self._tail = history[-(TAPS - 1) :].astype(np.float32, copy=False)
        windows = np.lib.stride_tricks.as_strided(
            history, (len(frame), TAPS), (history.strides[0], history.strides[0]), writeable=False
        )
        out = (windows @ self._phases).ravel()
        np.rint(out, out)
        np.clip(out, -32768, 32767, out)
        pcm: bytes = out.astype("<i2").tobytes()
        return pcm


SILENCE_8K = bytes(320)


def to_8k(samples: np.ndarray, rate: int) -> np.ndarray:
    """int16 mono at `rate` as int16 mono at 8000 Hz; any rate that shares a factor with 8000 (all usual ones do)."""
    if rate == 8000 or not len(samples):
        return samples.astype(np.int16, copy=False)
    if rate % 8000 == 0:
        factor, taps = rate // 8000, 32
        kernel = lowpass(factor, taps) / factor
        smooth = np.convolve(samples.astype(np.float32), kernel, "same")[::factor]
    else:
        # 22050, 44100 (speech engines, music): band-limited by a moving FIR, then read between the samples.
        kernel = lowpass(max(1, round(rate / 8000)), 32)
        smooth = np.convolve(samples.astype(np.float32), kernel / kernel.sum(), "same")
        at = np.arange(int(len(samples) * 8000 / rate)) * (rate / 8000)
        smooth = np.interp(at, np.arange(len(samples)), smooth)
    samples = np.clip(np.rint(smooth), -32768, 32767).astype(np.int16)
    return samples


PIECE = 160
"""Samples that a conference reads of a file at a time."""


def in_pieces_to_8k(samples: np.ndarray, rate: int) -> np.ndarray:
    """As to_8k(), as mod_conference does it at 8 kHz: piece by piece, a fraction of a sample lost with each. Measured:
    1000 Hz of a file at 24000 is heard at 1006.7 Hz with 22 dB of noise, at 48000 at 1025.8 Hz; at 16000 as it is."""
    whole = PIECE * 8000 / rate
    if whole.is_integer() or not len(samples):
        return to_8k(samples, rate)
    kernel = lowpass(max(1, round(rate / 8000)), 32)
    smooth = np.convolve(samples.astype(np.float32), kernel / kernel.sum(), "same")
    at = np.arange(0, len(samples), PIECE)[:, None] + np.arange(int(whole)) * (rate / 8000)
    return np.rint(np.interp(at.ravel(), np.arange(len(samples)), smooth)).astype(np.int16)
