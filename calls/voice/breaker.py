"""Whether the Realtime API is worth asking: after some failures in a row it is left alone for a while.

One for each web process, in memory: each finds out by itself, a few calls later than if they told each other, and
nothing has to be shared that could itself be down. Meanwhile agents hear the synthesised announcement at once and
decide by key, instead of waiting for a dead API first.
"""

import time
import weakref
from collections.abc import Callable

TRIAL_SECONDS = 10.0
"""After the rest one session is a trial. If nothing is known of it for so long, the next one is a trial too."""

_all: "weakref.WeakSet[Breaker]" = weakref.WeakSet()


class Breaker:
    """allows(), then failed() or succeeded(), for every session. `clock` in seconds, monotonic."""

    def __init__(self, failures: int, rest_seconds: float, clock: Callable[[], float] = time.monotonic):
        self._most, self._rest, self._clock = failures, rest_seconds, clock
        self._failures = 0  # in a row
        self._until = 0.0
        _all.add(self)

    def allows(self) -> bool:
        """Whether to open a session now."""
        if self._failures < self._most:
            return True
        if self._clock() < self._until:
            return False
        self._until = self._clock() + TRIAL_SECONDS
        return True

    def failed(self) -> bool:
        """True when this is the one that ends the asking, for a log line."""
        self._failures += 1
        if self._failures >= self._most:
            self._until = self._clock() + self._rest
        return self._failures == self._most

    def succeeded(self) -> None:
        self._failures = 0

    @property
    def open(self) -> bool:
        """The API is not asked, or only by way of trial."""
        return self._failures >= self._most


def resting() -> bool:
    """Whether any of this process's is open."""
    return any(breaker.open for breaker in list(_all))
