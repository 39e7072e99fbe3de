"""What the agent said, as the model wrote it down: it comes late, or never. Pure."""


class Transcripts:
    """By item of the conversation. `wanted` False: the session writes nothing down."""

    def __init__(self, wanted: bool) -> None:
        self._wanted = wanted
        self._texts: dict[str, str] = {}
        self._last_turn = ""

    def turn_ended(self, item_id: str) -> None:
        self._last_turn = item_id

    def written(self, item_id: str, text: str) -> None:
        self._texts[item_id] = text

    @property
    def last(self) -> str:
        """Of the agent's last turn, "" where unknown."""
        return self._texts.get(self._last_turn, "")

    @property
    def awaited(self) -> bool:
        """The last turn is not written down yet."""
        return self._wanted and self._last_turn not in ("", *self._texts)
