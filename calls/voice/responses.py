"""The model's responses, one at a time: a second one asked for while one is active would be refused. Pure."""

from calls.voice import protocol


class Responses:
    """Each method that has something for the model returns it as messages. Times in ms of the agent's audio."""

    def __init__(self) -> None:
        self.asked_at = 0
        self.purpose = ""
        """Of the active response, in the words of who asked for it."""
        self.active: str | None = None
        """Id of the response in progress, "" while it is asked for and not yet created."""
        self._count = 0
        self._next: tuple[str, bool, str] | None = None
        self._stale: set[str] = set()
        self._interrupted = False

    @property
    def event_id(self) -> str:
        """Of the last response.create."""
        return f"ask_{self._count}"

    def ask(self, now: int, instructions: str = "", *, tools: bool = True, purpose: str = "") -> list[bytes]:
        """Now, or as soon as the active one is done; of several asked for meanwhile, the last."""
        if self.active is not None:
            self._next = (instructions, tools, purpose)
            return []
        self._count += 1
        self.active, self.asked_at, self.purpose, self._interrupted = "", now, purpose, False
        return [protocol.response_create(self.event_id, instructions, tools=tools)]

    def created(self, response_id: str) -> list[bytes]:
        self.active = response_id
        return self.interrupt() if self._interrupted else []

    def interrupt(self) -> list[bytes]:
        """The active response is of no more interest: cancelled, and what still comes of it is stale."""
        self._next = None
        if self.active is None or self.active in self._stale:
            return []
        self._interrupted = True
        if not self.active:
            return []  # cancelled when it is created: there is no id to name yet
        self._stale.add(self.active)
        return [protocol.cancel(self.active)]

    def is_wanted(self, response_id: str) -> bool:
        """Whether audio of this response may be played."""
        return response_id == self.active and response_id not in self._stale

    def is_doing(self, purpose: str) -> bool:
        """Whether the active response is of this purpose and was not interrupted."""
        return self.active is not None and self.purpose == purpose and not self._interrupted

    def done(self, response_id: str, now: int) -> tuple[bool, list[bytes]]:
        """Whether the response counts (was not interrupted), and the next one if it was waiting."""
        counts = response_id not in self._stale
        if response_id != self.active:
            return counts, []
        self.active, self.purpose = None, ""
        if self._next is None:
            return counts, []
        (instructions, tools, purpose), self._next = self._next, None
        return counts, self.ask(now, instructions, tools=tools, purpose=purpose)

    def forget(self) -> None:
        """The model is gone."""
        self.active = self._next = None
        self.purpose = ""
