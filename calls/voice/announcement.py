"""The announcement of one agent: its sound, and where we are in it. Pure."""

from calls.voice.playout import Clip


class Announcement:
    """Made in advance while the telephone rings, kept whole for repeats. `speech` is L16 at 24 kHz."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.item_id = ""  # of the conversation; "" when the model did not say it
        self.speech = bytearray()
        self.complete = False
        self.began_at: int | None = None
        """When the agent first heard of it, in ms of his audio."""
        self.going = False
        """Sent, and not over yet."""
        self.was_heard = False
        """Heard to its end at least once."""
        self._round: list[Clip] = []
        self._told = False

    @property
    def audible(self) -> bool:
        """Going on, and the agent has heard of it."""
        return self.going and self._told

    @property
    def is_over(self) -> bool:
        """It was heard, to its end or to where it was cut off."""
        return self.began_at is not None and not self.going

    def begin(self) -> None:
        """A new round: from here on, clips of it are sent."""
        self.going, self._told, self._round = True, False, []

    def sent(self, clips: list[Clip]) -> None:
        self._round += clips

    def started(self) -> bool:
        """True once a round: its first clip has become audible."""
        if not self.going or self._told or not self._round or self._round[0].audible_at is None:
            return False
        self._told = True
        if self.began_at is None:
            self.began_at = self._round[0].audible_at
        return True

    def ended(self) -> bool:
        """True once a round: its last clip was played to the end."""
        if not self.going or not self.complete or not self._round or any(c.ended_at is None for c in self._round):
            return False
        self.going, self.was_heard = False, True
        return True

    def interrupted(self) -> bool:
        """The round is over before its end. True if the agent had heard of it."""
        heard, self.going = self.going and self._told, False
        return heard

    def replaced(self, text: str = "") -> None:
        """Another speech takes its place: of the same text, or of another."""
        self.interrupted()
        self.text = text or self.text
        self.item_id, self.complete = "", False
        self.speech.clear()
