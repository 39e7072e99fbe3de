"""What a Dialogue wants done, in order. Done by the Announcer; recorded by the tests."""

from dataclasses import dataclass

from calls.transfer.events import Event


@dataclass(frozen=True, slots=True)
class Effect:
    """Base of all."""


@dataclass(frozen=True, slots=True)
class ToModel(Effect):
    """A client event for the Realtime session."""

    message: bytes


@dataclass(frozen=True, slots=True)
class Play(Effect):
    """One clip for the agent, L16 at 24 kHz."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class Silence(Effect):
    """Stop what the agent hears of us, now, and what waits behind it."""


@dataclass(frozen=True, slots=True)
class Tell(Effect):
    """An event for the transfer."""

    event: Event


@dataclass(frozen=True, slots=True)
class Write(Effect):
    """An utterance for the transcript. `who` "agent" or "announcer"."""

    who: str
    text: str
    item_id: str = ""


@dataclass(frozen=True, slots=True)
class Synthesise(Effect):
    """Speak `text` offline; the answer is Dialogue.synthesised(name, pcm)."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class LeaveModel(Effect):
    """The Realtime session is of no more use. `reason` is for the log, "" when nothing is wrong."""

    reason: str
