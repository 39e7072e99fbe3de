"""Is the model still there? A stalled session closes no socket, and the agent waits. Pure.

Its answers are measured by the clock on the wall (the network does not run on the agent's audio), speech in audio.
"""

from collections.abc import Callable

from calls.transfer.decision import Span

ANSWER_OVERDUE_SECONDS = 5.0
"""Nothing came for so long while a response is due, and nothing is left to play: lost."""
UNNOTICED_MS = 1500
"""So much speech in one go without the model noticing: it is asked for a sign of life ..."""
SIGN_OVERDUE_SECONDS = 2.0
"""... and lost without one. (Noise may sound like speech to us and not to the model: that alone is no fault.)"""

PROBE = "probe"
Clock = Callable[[], float]
"""Seconds, growing."""


class ModelWatch:
    """Told of every sign of the model; asked once a frame."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sign_at = clock()
        self._noticed_until = 0
        self._probed_at: float | None = None

    def sign(self) -> None:
        """The session sent anything at all, or was asked for something just now."""
        self._sign_at = self._clock()

    def noticed(self, until_ms: int) -> None:
        """The session told of speech."""
        self._noticed_until = until_ms

    def verdict(self, *, waiting: bool, playing: bool, unnoticed: Span | None) -> str:
        """ "" when all is well, PROBE to send something harmless, else why the model is lost.

        `waiting`: a response is due; `playing`: the agent hears us; `unnoticed`: the agent's speech that goes on while
        the model has not told of any.
        """
        now = self._clock()
        if waiting and not playing and now - self._sign_at > ANSWER_OVERDUE_SECONDS:
            return "response_overdue"
        if self._probed_at is not None:
            if self._sign_at > self._probed_at:
                self._probed_at = None
            elif now - self._probed_at > SIGN_OVERDUE_SECONDS:
                return "no_sign_of_life"
        elif unnoticed and unnoticed.end_ms - max(unnoticed.start_ms, self._noticed_until) >= UNNOTICED_MS:
            self._probed_at, self._noticed_until = now, unnoticed.end_ms
            return PROBE
        return ""
