"""Time inside the simulator: every delay is divided by `speed`, and the wall clock runs that much faster."""

import asyncio
import time
from collections.abc import Callable

FRAME = 0.02
"""Seconds between two audio frames: FreeSWITCH's threads notice orders at their next frame."""


class Clock:
    """Simulated time of one switch; `now()` is in seconds since 1970, as FreeSWITCH counts them."""

    def __init__(self, speed: float = 1.0):
        self.speed = speed
        self._started_at = time.time()
        self._origin = time.monotonic()

    def now(self) -> float:
        return self._started_at + (time.monotonic() - self._origin) * self.speed

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.speed)

    async def frame(self) -> None:
        await asyncio.sleep(FRAME / self.speed)

    def later(self, seconds: float, action: Callable[..., object], *args: object) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(max(0.0, seconds) / self.speed, action, *args)
