"""Supervisors who hear announcer and agent: the audio path hands a frame over and goes on. Pure.

What a listener cannot take in time is dropped, the oldest first: he hears a gap, and is never further behind than
LATEST_MS; a call is never held up.
"""

import asyncio
from collections import deque

from calls.voice.audio import FRAME_MS

AGENT, ANNOUNCER = b"\x00", b"\x01"
"""First byte of a message: whose 20 ms of L16 at 24 kHz follow."""
LATEST_MS = 240
SIDES = 2
KEPT = LATEST_MS // FRAME_MS * SIDES


class Ear:
    """One listener. take() waits for the next message; None when there is nothing more to hear."""

    def __init__(self) -> None:
        self.dropped = 0
        self._messages: deque[bytes] = deque(maxlen=KEPT)
        self._news = asyncio.Event()
        self._closed = False

    def hear(self, message: bytes) -> None:
        self.dropped += len(self._messages) == KEPT
        self._messages.append(message)
        self._news.set()

    def close(self) -> None:
        self._closed = True
        self._news.set()

    async def take(self) -> bytes | None:
        while not self._messages:
            if self._closed:
                return None
            self._news.clear()
            await self._news.wait()
        return self._messages.popleft()


class Ears:
    """All listeners of one leg; false while there is none."""

    def __init__(self) -> None:
        self._ears: set[Ear] = set()
        self._closed = False

    def __bool__(self) -> bool:
        return bool(self._ears)

    def open(self) -> Ear:
        ear = Ear()
        if self._closed:
            ear.close()
        else:
            self._ears.add(ear)
        return ear

    def shut(self, ear: Ear) -> None:
        self._ears.discard(ear)
        ear.close()

    def pass_on(self, side: bytes, pcm: bytes) -> None:
        if pcm:
            message = side + pcm
            for ear in self._ears:
                ear.hear(message)

    def close(self) -> None:
        """The leg has ended."""
        self._closed = True
        for ear in list(self._ears):
            self.shut(ear)
