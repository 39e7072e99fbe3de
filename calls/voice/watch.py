"""Is the model still there? A stalled session closes no socket, and the agent waits. Pure; ms of the agent's audio."""

from calls.transfer.decision import Span

ANSWER_OVERDUE_MS = 5000
"""Nothing came for so long while a response is due, and nothing is left to play: lost."""
UNNOTICED_MS = 1500
"""So much speech in one go without the model noticing: it is asked for a sign of life ..."""
SIGN_OVERDUE_MS = 2000
"""... and lost without one. (Noise may sound like speech to us and not to the model: that alone is no fault.)"""

PROBE = "probe"


class ModelWatch:
    """Told of every sign of the model; asked once a frame."""

    def __init__(self) -> None:
        self._sign_at = 0
        self._noticed_until = 0
        self._probed_at: int | None = None

    def sign(self, now: int) -> None:
        """The session sent anything at all, or was asked for something just now."""
        self._sign_at = now

    def noticed(self, now: int) -> None:
        """The session told of speech."""
        self._noticed_until = now

    def verdict(self, now: int, *, waiting: bool, playing: bool, unnoticed: Span | None) -> str:
        """ "" when all is well, PROBE to send something harmless, else why the model is lost.

        `waiting`: a response is due; `playing`: the agent hears us; `unnoticed`: the agent's speech that goes on while
        the model has not told of any.
        """
        if waiting and not playing and now - self._sign_at > ANSWER_OVERDUE_MS:
            return "response_overdue"
        if self._probed_at is not None:
            if self._sign_at > self._probed_at:
                self._probed_at, self._noticed_until = None, now
            elif now - self._probed_at > SIGN_OVERDUE_MS:
                return "no_sign_of_life"
        elif unnoticed and unnoticed.end_ms - max(unnoticed.start_ms, self._noticed_until) >= UNNOTICED_MS:
            self._probed_at = now
            return PROBE
        return ""
