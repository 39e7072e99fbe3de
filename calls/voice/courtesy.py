"""When to begin to speak, and when to ask a silent agent once more. Pure; times in ms of the agent's audio."""

from calls.transfer.decision import SHORTEST_WORD_MS
from calls.voice.audio import SpeechDetector

HELLO_MS = 1200
"""An agent who says nothing is spoken to after this ..."""
LONGEST_HELLO_MS = 3000
"""... and one who does not stop after this."""


class Hello:
    """Lets the agent speak first, where his department wants it so."""

    def __init__(self, wanted: bool) -> None:
        self._wanted = wanted
        self._since = 0
        self.waiting = False

    def begin(self, now: int) -> None:
        """He can hear us, and we him."""
        self.waiting, self._since = self._wanted, now

    def over(self, ears: SpeechDetector) -> bool:
        """True once: it is our turn now."""
        if not self.waiting:
            return False
        passed = ears.now_ms - self._since
        spoke = any(span.length_ms >= SHORTEST_WORD_MS for span in ears.spans(self._since))
        if passed < LONGEST_HELLO_MS and (ears.speaking or (passed < HELLO_MS and not spoke)):
            return False
        self.waiting = False
        return True


class Nudge:
    """Once, in the middle of the time to decide, if the agent has said nothing since we fell silent."""

    def __init__(self, decision_seconds: float) -> None:
        self._after_ms = round(decision_seconds * 500)
        self._silent_since: int | None = None
        self._done = False

    def ours_ended(self, now: int) -> None:
        """We have nothing more to say: his time to decide begins."""
        self._silent_since = now

    def due(self, ears: SpeechDetector) -> bool:
        """True once."""
        since = self._silent_since
        if self._done or since is None or ears.now_ms - since < self._after_ms or ears.spoke_since(since):
            return False
        self._done = True
        return True
