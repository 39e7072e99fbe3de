"""Sound files as FreeSWITCH reads them, and WAV writing for those who feed it."""

import wave
from pathlib import Path

import numpy as np

from calls.simulator.fir import in_pieces_to_8k, to_8k

RAW_RATES = {".raw": 8000, ".r8": 8000, ".r16": 16000, ".r24": 36000}
"""Playing speed of headerless L16. The real one plays a .r24 1.5 times too fast and high: 500 Hz is heard at 750."""


class UnreadableSound(Exception):
    """The file exists and is no PCM16 sound."""


def read_sound(path: str | Path, *, by_conference: bool = False) -> np.ndarray:
    """A sound file as int16 mono at 8 kHz, as a channel or a conference plays it. Raises FileNotFoundError,
    UnreadableSound."""
    path = Path(path)
    if path.suffix in RAW_RATES:
        data = path.read_bytes()
        return to_8k(np.frombuffer(data[: len(data) // 2 * 2], "<i2"), RAW_RATES[path.suffix])
    try:
        with wave.open(str(path), "rb") as source:
            if source.getsampwidth() != 2:
                raise UnreadableSound(f"{path.name}: {source.getsampwidth() * 8} bits a sample, 16 are read")
            channels, rate = source.getnchannels(), source.getframerate()
            samples = np.frombuffer(source.readframes(source.getnframes()), "<i2")
    except (wave.Error, EOFError) as error:
        raise UnreadableSound(f"{path.name}: {error}") from error
    if channels > 1:
        samples = samples[: len(samples) // channels * channels].reshape(-1, channels).mean(axis=1)
    return in_pieces_to_8k(samples, rate) if by_conference else to_8k(samples, rate)


def write_wav(path: str | Path, samples: np.ndarray, rate: int = 8000) -> None:
    """int16 mono samples to a WAV file."""
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(samples.astype("<i2", copy=False).tobytes())
