"""How a simulated model speaks and what it understands: Portuguese by default, or anything else, such as tones."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from calls.simulator.recogniser import Heard, known_people
from calls.voice.synthesis import asynthesise


def _understand(pcm: bytes, rate: int) -> Heard:
    return known_people().hear(pcm, rate)


async def _speak(text: str, voice: str, rate: int, words_per_minute: int) -> bytes:
    return await asynthesise(text, voice=voice, rate=rate, words_per_minute=words_per_minute)


async def _prepare() -> None:
    """The templates of the recogniser take some tenths of a second: not in the first conversation."""
    await asyncio.to_thread(known_people)


@dataclass(frozen=True)
class Manner:
    """Audio is L16 mono at the rate given."""

    understand: Callable[[bytes, int], Heard] = _understand
    """(pcm, rate); called in a thread."""
    speak: Callable[[str, str, int, int], Awaitable[bytes]] = _speak
    """(text, voice, rate, words per minute)."""
    prepare: Callable[[], Awaitable[None]] = _prepare


PORTUGUESE = Manner()
