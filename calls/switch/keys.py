"""Key 3 on the agent's telephone, an extension's digits, #: call that one instead. Pure."""

LONGEST = 12
FORGOTTEN_AFTER_MS = 6000
"""Who has pressed no key for so long has thought better of it: the next key is an answer again."""


class ExtensionKeys:
    """The keys of one agent, one at a time."""

    def __init__(self) -> None:
        self._digits: str | None = None  # None: no extension is being keyed in
        self._last_ms = 0

    def press(self, digit: str, now_ms: int) -> str | None:
        """The extension once # ends it; "" for a key that belongs to one; None for any other. * takes it back."""
        if self._digits is not None and now_ms - self._last_ms > FORGOTTEN_AFTER_MS:
            self._digits = None
        self._last_ms = now_ms
        if self._digits is None:
            self._digits = "" if digit == "3" else None
            return self._digits
        if digit == "#":
            number, self._digits = self._digits, None
            return number
        if digit.isdigit() and len(self._digits) < LONGEST:
            self._digits += digit
        else:
            self._digits = None
        return ""
