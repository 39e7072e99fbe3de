"""Everything that can happen to a transfer, whoever tells it: the switch, the announcer, a person, a deadline.

Edges translate what they see into one of these frozen dataclasses and hand it to `calls.services.apply_event`.
Nothing here is speech or a telephone number except where a field says so; those fields never reach a log line.
`attempt` is the attempt's mark (the channel variable transferhub_attempt); an event of an older attempt is late.
"""

from dataclasses import dataclass
from enum import StrEnum

from calls.transfer.states import Source


@dataclass(frozen=True, slots=True)
class Event:
    """Base of all events."""


# ---------------------------------------------------------------- deadlines and people
@dataclass(frozen=True, slots=True)
class DeadlinePassed(Event):
    """The row's deadline has passed. `kind` names which one was armed: another kind by now means it is void."""

    kind: str


@dataclass(frozen=True, slots=True)
class CancelRequested(Event):
    """The secretary (API) or a supervisor (console) takes the caller back to the menu."""

    source: Source
    by: str = ""


@dataclass(frozen=True, slots=True)
class SkipRequested(Event):
    """A supervisor wants the next agent rung."""

    by: str = ""


@dataclass(frozen=True, slots=True)
class RedirectRequested(Event):
    """This extension shall be rung instead: named by the agent (voice, key 3) or by a supervisor.

    `attempt` "" = the current. `calls.services` refuses it before it is stepped when nobody has that number.
    """

    number: str  # as in calls.validators.EXTENSION
    source: Source
    attempt: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class EndRequested(Event):
    """A supervisor ends the conversation: the agent is let go, the caller goes where the department says."""

    by: str = ""


@dataclass(frozen=True, slots=True)
class RepeatRequested(Event):
    """The agent (key 0, or by asking) or a supervisor wants the announcement again."""

    attempt: str
    source: Source
    by: str = ""


class Choice(StrEnum):
    ACCEPT = "accept"
    REJECT = "reject"
    VOICEMAIL = "voicemail"


@dataclass(frozen=True, slots=True)
class DecisionMade(Event):
    """A valid decision: disposed by `decision.py` (voice), a key, or the console. `attempt` "" = the current."""

    attempt: str
    choice: Choice
    source: Source
    reason: str = ""  # the agent's words; at most 300 characters are kept
    by: str = ""


# ---------------------------------------------------------------- the caller's leg
@dataclass(frozen=True, slots=True)
class CallerParked(Event):
    """A is in the conference (add-member)."""

    member_id: int


@dataclass(frozen=True, slots=True)
class ParkFailed(Event):
    """The Park command was refused. A is where he was: its last line does all that he would notice, or nothing."""

    reason: str  # "bridged", "no_such_call", or FreeSWITCH's reply


@dataclass(frozen=True, slots=True)
class CallerLeft(Event):
    """A hung up, or no longer exists."""

    cause: str = ""


@dataclass(frozen=True, slots=True)
class CallerWentHome(Event):
    """A left the conference alive: his way home runs (our order, a timer, B's hook)."""


@dataclass(frozen=True, slots=True)
class CallerTold(Event):
    """The prompt to A stopped playing."""

    played_ms: int


@dataclass(frozen=True, slots=True)
class PromptReady(Event):
    """A web process holds the prompt's audio and waits at `url` for A's stream."""

    url: str
    length_ms: int


@dataclass(frozen=True, slots=True)
class PromptFailed(Event):
    """A cannot be told: no audio, socket refused or dropped, synthesis failed."""

    reason: str


# ---------------------------------------------------------------- the agent's leg
@dataclass(frozen=True, slots=True)
class AgentClaimed(Event):
    """`services` locked the extension(s) for this transfer: answer to the command ClaimAgent."""

    attempt: str
    numbers: tuple[str, ...]
    job_uuid: str


@dataclass(frozen=True, slots=True)
class NobodyToRing(Event):
    """Answer to ClaimAgent: `busy` is true when somebody exists but is in a transfer."""

    busy: bool


@dataclass(frozen=True, slots=True)
class AgentRinging(Event):
    """A leg of the attempt exists (CHANNEL_CREATE with its mark)."""

    attempt: str
    uuid: str


@dataclass(frozen=True, slots=True)
class AgentAnswered(Event):
    """BACKGROUND_JOB said +OK: this leg won."""

    attempt: str
    uuid: str


@dataclass(frozen=True, slots=True)
class AgentJoined(Event):
    """B is in the conference (add-member). `number`: the extension that answered (ring-all), where known."""

    attempt: str
    uuid: str
    member_id: int
    number: str = ""


@dataclass(frozen=True, slots=True)
class DialFailed(Event):
    """BACKGROUND_JOB said -ERR. `cause` is FreeSWITCH's (USER_BUSY, NO_ANSWER …) or ours (ON_ANOTHER_CALL, LOST)."""

    attempt: str
    cause: str


@dataclass(frozen=True, slots=True)
class AgentLeft(Event):
    """B hung up or was let go."""

    attempt: str
    uuid: str
    cause: str = ""


@dataclass(frozen=True, slots=True)
class AgentHeld(Event):
    """B put us on hold with his telephone: the time to decide stands still."""

    attempt: str
    uuid: str


@dataclass(frozen=True, slots=True)
class AgentUnheld(Event):
    """B took us back from hold."""

    attempt: str
    uuid: str


# ---------------------------------------------------------------- the announcer
@dataclass(frozen=True, slots=True)
class AnnouncerReady(Event):
    """A web process claimed the announcer and waits at `url` (token included; never logged) for B's stream."""

    attempt: str
    url: str


@dataclass(frozen=True, slots=True)
class AnnouncerLost(Event):
    """B's audio socket was refused or dropped, or its web process died. (A dead Realtime API is NOT this: the
    announcer falls back to a synthesised announcement by itself.)"""

    attempt: str
    reason: str


@dataclass(frozen=True, slots=True)
class AnnouncementStarted(Event):
    """First clip audible to B; later, the announcer begins to answer him."""

    attempt: str


@dataclass(frozen=True, slots=True)
class AnnouncementEnded(Event):
    """The announcement, or an answer, was heard to its end or was interrupted: the time to decide begins."""

    attempt: str


# ---------------------------------------------------------------- results of commands
@dataclass(frozen=True, slots=True)
class PutThroughDone(Event):
    """Hook armed, A unmuted: they talk."""

    attempt: str


@dataclass(frozen=True, slots=True)
class PutThroughFailed(Event):
    """The hook could not be set: B was gone; nothing else was done."""

    attempt: str
    reason: str


@dataclass(frozen=True, slots=True)
class TicketOpened(Event):
    """`services` wrote our record: answer to the command OpenTicket."""

    protocol: str


@dataclass(frozen=True, slots=True)
class TicketNumbered(Event):
    """OmniPlay gave the ticket an id in time to be spoken."""

    number: str
