"""The words of a transfer: its states, outcomes and decisions. Other programs see these values; change none."""

from enum import StrEnum


class State(StrEnum):
    REQUESTED = "requested"
    PARKING = "parking"
    DIALLING = "dialling"
    ANNOUNCING = "announcing"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    INFORMING = "informing"
    RETURNING = "returning"
    ENDED = "ended"


class Outcome(StrEnum):
    """How the transfer ended; with several attempts, how the last one did."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    TIMEOUT = "timeout"  # an agent answered and never decided
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    UNAVAILABLE = "unavailable"  # nobody to ring
    VOICEMAIL = "voicemail"
    CALLER_LEFT = "caller_left"
    CANCELLED = "cancelled"  # secretary or supervisor took the caller back
    ERROR = "error"


class AttemptOutcome(StrEnum):
    """How one dialling ended."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    TIMEOUT = "timeout"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    UNAVAILABLE = "unavailable"
    VOICEMAIL = "voicemail"
    CALLER_LEFT = "caller_left"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"  # a supervisor asked for the next agent
    ERROR = "error"


class Decision(StrEnum):
    """What the secretary is told. Empty where nobody decided."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    TIMEOUT = "timeout"
    ERROR = "error"


class Source(StrEnum):
    """Who decided."""

    VOICE = "voice"
    KEY = "key"
    CONSOLE = "console"
    API = "api"
    SYSTEM = "system"


class Verdict(StrEnum):
    """What the machine made of an event."""

    MOVED = "moved"  # taken: the state or the machine's memory changed
    LATE = "late"  # expected in a race: noted, nothing changed (perhaps something tidied up)
    ILLEGAL = "illegal"  # refused with a reason; from the network: recorded


DECISION_OF_OUTCOME = {
    Outcome.ACCEPTED: Decision.ACCEPTED,
    Outcome.REJECTED: Decision.REJECTED,
    Outcome.TIMEOUT: Decision.TIMEOUT,
    Outcome.ERROR: Decision.ERROR,
}
