"""The agent's voice to the model: 20 ms in, 20 ms on. The audio path never waits: what cannot be sent is dropped,
the oldest first, so that a slow link costs words and never a growing delay."""

import asyncio
from collections import Counter, deque

import structlog

from calls.voice import protocol
from calls.voice.audio import RATE_OF_FRAME, Upsampler
from calls.voice.realtime import RealtimeLink

log = structlog.get_logger(__name__)

KEPT_FRAMES = 100
"""Two seconds of voice wait at most."""
KEPT_MESSAGES = 200
"""Client events that wait at most. A link that takes none for so long is about to be given up (watch.py): the newest
are dropped, because without the first of them, the session's settings, none means anything."""

DEAF_FRAMES = 25
"""After half a second of nothing but frames of no size we know, the rate is wrong, and it will stay so."""
ODD_SIZES = 5
"""So many sizes of frames that are none of ours are told apart and logged."""


class Uplink:
    """Frames and messages in, one socket out. frame() and message() never block."""

    def __init__(self, name: str) -> None:
        self.dropped = 0
        """Frames and messages lost to a slow link."""
        self.odd_sizes: Counter[int] = Counter()
        """Sizes of frames that are none of ours, and how often."""
        self.latest = b""
        """The last frame, at 24 kHz."""
        self._name = name
        self._size = -1  # of the frames so far
        self._resample: Upsampler | None = None
        self._frames: deque[bytes] = deque()
        self._messages: deque[bytes] = deque()
        self._waiting = asyncio.Event()
        self._link: RealtimeLink | None = None  # while it is up and nothing waits

    @property
    def deaf(self) -> bool:
        """The switch sends a rate that cannot be understood."""
        return self._size == -1 and self.odd_sizes.total() >= DEAF_FRAMES

    def frame(self, pcm: bytes) -> bool:
        """20 ms of L16 at 8, 16 or 24 kHz, known by its size; false for any other size, which is left out."""
        if len(pcm) != self._size and not self._begin(len(pcm)):
            return False
        if len(self._frames) >= KEPT_FRAMES:
            self._frames.popleft()
            self.dropped += 1
        self.latest = self._resample(pcm) if self._resample else pcm
        if self._link and self._link.offer(protocol.append(self.latest)):
            return True
        self._link = None
        self._frames.append(self.latest)
        self._waiting.set()
        return True

    def message(self, message: bytes) -> None:
        """A client event; goes before the frames that wait."""
        if self._link and self._link.offer(message):
            return
        self._link = None
        if len(self._messages) >= KEPT_MESSAGES:
            self.dropped += 1
            return
        self._messages.append(message)
        self._waiting.set()

    async def run(self, link: RealtimeLink) -> None:
        """Send until the link is lost (RealtimeLost) or we are cancelled."""
        try:
            while True:
                while self._messages or self._frames:
                    if self._messages:
                        await link.send(self._messages.popleft())
                    else:
                        await link.send(protocol.append(self._frames.popleft()))
                self._link = link  # from here on at once, without this task
                self._waiting.clear()
                await self._waiting.wait()
        finally:
            self._link = None

    def _begin(self, size: int) -> bool:
        rate = RATE_OF_FRAME.get(size)
        if rate is None:
            if size not in self.odd_sizes and len(self.odd_sizes) >= ODD_SIZES:
                return False
            self.odd_sizes[size] += 1
            if self.odd_sizes[size] == 1:
                log.warning(
                    "audio.frame_size", session=self._name, size=size,
                    hint="the switch must send L16 mono at 8000, 16000 or 24000, 20 ms a frame",
                )  # fmt: skip
            return False
        self._size = size
        self._resample = Upsampler(rate) if rate != protocol.RATE else None
        return True
