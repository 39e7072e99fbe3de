"""Ways in which the simulated Realtime server can be told to misbehave."""

from dataclasses import dataclass, fields
from typing import Literal, get_args

Kind = Literal[
    "refuse",  # HTTP `status` instead of the upgrade
    "hang_up",  # upgrade, then close at once with 1011
    "stall",  # silent from the first event on, or from `before`, or `after` seconds
    "drop",  # the TCP connection aborted, likewise
    "expire",  # closed with 1001 and the text of the session limit, likewise
    "nonsense",  # broken JSON, unknown event types, lists for objects, a huge unknown event; then goes on
    "mute",  # responses begin and never send audio nor end
    "late_audio",  # the first audio `after` seconds later
    "fail",  # responses end with status failed
    "both_tools",  # accept and reject in one response
    "repeat_tool",  # the same tool called twice in one response
    "incomplete_call",  # a tool call in a response that ends incomplete
    "cancelled_call",  # a tool call in a response that ends cancelled
    "bad_arguments",  # a tool call whose arguments are no JSON
    "unprompted_accept",  # accept_transfer called though nobody has spoken
    "no_transcript",  # transcription fails
]

NAMES: tuple[str, ...] = get_args(Kind)


@dataclass(frozen=True)
class Fault:
    """One misbehaviour, in the sessions it applies to: all, the n-th (from 1), or those whose instructions say so."""

    kind: Kind
    before: str | None = None
    """Type of the server event before which it happens; None: the first one, or when `after` has passed."""
    after: float = 0.0
    """Seconds since the connection; for late_audio, of delay."""
    status: int = 503
    session: int | None = None
    """Number of the connection, the refused ones counted too."""
    instructions: str = ""
    """Applies only where this text is in the session's instructions."""

    def __post_init__(self):
        if self.kind not in NAMES:
            raise ValueError(f"no fault {self.kind!r}; there are {', '.join(NAMES)}")

    def applies(self, number: int, instructions: str) -> bool:
        return self.session in (None, number) and self.instructions in instructions

    @classmethod
    def parse(cls, text: str) -> "Fault":
        """From a command line: `drop,before=response.created,session=2`. Raises ValueError."""
        kind, *options = text.split(",")
        kinds = {field.name: field for field in fields(cls)}
        values: dict = {}
        for option in options:
            name, _, value = option.partition("=")
            if name not in kinds or name == "kind":
                raise ValueError(f"a fault has no option {name!r}")
            values[name] = {"after": float, "status": int, "session": int}.get(name, str)(value)
        return cls(kind, **values)
