"""What the machine wants done. Pure data; three audiences, one base class each.

SwitchCommand  -> a row of the outbox, sent by the switch process (wording in calls/switch/wording.py)
LocalEffect    -> done by `calls.services` in the same transaction (claims, attempts, tickets)
AnnouncerNote  -> told to the web process that holds the announcer, after commit
Fields are validated once more by the wording; free text is only ever in `variables` (channel variables by uuid_setvar).
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Command:
    """Base of all."""


@dataclass(frozen=True, slots=True)
class SwitchCommand(Command):
    """Base of what goes to FreeSWITCH."""


@dataclass(frozen=True, slots=True)
class LocalEffect(Command):
    """Base of what `services` does by itself."""


@dataclass(frozen=True, slots=True)
class AnnouncerNote(Command):
    """Base of what the announcer's web process is told."""


# ---------------------------------------------------------------- to the switch
@dataclass(frozen=True, slots=True)
class Park(SwitchCommand):
    """A into the conference, muted, with the way home behind it and the first net beneath.

    Script: uuid_getvar A signal_bond (bridged and not allow_bridged: ParkFailed) · setvar transferhub_* and
    transferhub_return · uuid_transfer inline: stream stopped, net armed, conference, way home.
    """

    caller: str
    conference: str
    profile: str
    return_to: str
    net_seconds: int
    allow_bridged: bool
    variables: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ArmNet(SwitchCommand):
    """Dead man's timer: `sched_api +seconds th_<short>_<stage> conference NAME hup uuid=A`, then the others deleted."""

    caller: str
    conference: str
    stage: str
    seconds: int
    disarm: tuple[str, ...]  # stages whose timers go, after the new one stands


@dataclass(frozen=True, slots=True)
class Dial(SwitchCommand):
    """bgapi originate of one or several (fork) extensions into the conference. Never repeated after a crash."""

    attempt: str
    job_uuid: str
    numbers: tuple[str, ...]
    domain: str
    conference: str
    profile: str
    ring_seconds: int
    caller_number: str  # validated; "" shows the company's own
    call_waiting: bool  # false: an extension that is on any call is skipped (DialFailed ON_ANOTHER_CALL)


@dataclass(frozen=True, slots=True)
class CancelDial(SwitchCommand):
    """hupall ORIGINATOR_CANCEL transferhub_attempt MARK."""

    attempt: str


@dataclass(frozen=True, slots=True)
class StartStream(SwitchCommand):
    """uuid_audio_stream LEG start URL mono RATE. Leg "agent" or "caller".

    `restart` stops a former stream first, and the clips it left behind: they play on when their stream is lost.
    """

    leg: str
    uuid: str
    url: str
    attempt: str = ""
    restart: bool = False
    conference: str = ""
    member: int = 0  # of the agent in the conference


@dataclass(frozen=True, slots=True)
class HoldCaller(SwitchCommand):
    """conference NAME hold uuid=A MUSIC: A hears music alone, not the agent. `music` "" is the profile's moh-sound."""

    caller: str
    conference: str
    music: str = ""


@dataclass(frozen=True, slots=True)
class PutThrough(SwitchCommand):
    """B's hangup hook (its +OK is the condition of all the rest), way home, nets off, clips stopped, A unheld and
    unmuted, B's stream stopped. Answered by PutThroughDone or PutThroughFailed."""

    attempt: str
    caller: str
    agent: str
    agent_member: int
    conference: str
    after_call_to: str
    disarm: tuple[str, ...]
    variables: dict[str, str] = field(default_factory=dict)  # he goes home by B's hook, without a further order of ours


@dataclass(frozen=True, slots=True)
class LetGo(SwitchCommand):
    """B out: clips stopped, stream stopped, `conference NAME hup uuid=B`; if he is not in it, uuid_kill B."""

    agent: str
    agent_member: int  # 0: never joined
    conference: str


@dataclass(frozen=True, slots=True)
class SendHome(SwitchCommand):
    """A to the menu: transferhub_outcome / transferhub_protocol set, `conference NAME hup uuid=A`, then nets off."""

    caller: str
    conference: str
    return_to: str
    disarm: tuple[str, ...]
    variables: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DialSupervisor(SwitchCommand):
    """bgapi originate of a supervisor's own telephone into the conference, muted. Never repeated after a crash.

    `attempt` is the mark of his supervision (channel variable transferhub_supervision)."""

    attempt: str
    job_uuid: str
    number: str
    domain: str
    conference: str
    profile: str
    ring_seconds: int


@dataclass(frozen=True, slots=True)
class SetSupervision(SwitchCommand):
    """Who hears a supervisor: "listen" nobody (mute), "whisper" the agent (relate A S nohear, unmute), "join" both."""

    attempt: str
    supervisor: str
    member: int
    conference: str
    mode: str


@dataclass(frozen=True, slots=True)
class LetSupervisorGo(SwitchCommand):
    """`conference NAME hup uuid=S`; while he is rung (`supervisor` ""), hupall by his mark. The two others talk on."""

    attempt: str
    supervisor: str
    conference: str


# ---------------------------------------------------------------- done by services, in the transaction
@dataclass(frozen=True, slots=True)
class ClaimAgent(LocalEffect):
    """Lock the next agent(s); answered at once by AgentClaimed or NobodyToRing.

    `number`: this extension first, whoever is next only if another transfer was faster.
    """

    number: str = ""


@dataclass(frozen=True, slots=True)
class CloseAttempt(LocalEffect):
    """Write how the attempt ended. `release`: the extension is free again (false: B's leg still lives)."""

    attempt: str
    outcome: str
    cause: str = ""
    reason: str = ""
    release: bool = True


@dataclass(frozen=True, slots=True)
class ReleaseAgents(LocalEffect):
    """All extensions this transfer still claims are free."""


@dataclass(frozen=True, slots=True)
class OpenTicket(LocalEffect):
    """Our record and protocol now (answered at once by TicketOpened), OmniPlay by the worker after commit."""

    outcome: str


@dataclass(frozen=True, slots=True)
class PrepareAnnouncer(LocalEffect):
    """An AudioSession row (leg "agent") that some live web process claims; it answers AnnouncerReady."""

    attempt: str


@dataclass(frozen=True, slots=True)
class PreparePrompt(LocalEffect):
    """An AudioSession row (leg "caller"); answered by PromptReady or PromptFailed."""

    number: str  # spoken digit by digit; "": the department's text for no ticket
    outcome: str


@dataclass(frozen=True, slots=True)
class MarkTold(LocalEffect):
    """The ticket's number was heard to its end."""


# ---------------------------------------------------------------- to the announcer's web process
@dataclass(frozen=True, slots=True)
class RepeatAnnouncement(AnnouncerNote):
    attempt: str


@dataclass(frozen=True, slots=True)
class SayCallerLeft(AnnouncerNote):
    """Stop in mid-sentence, one short prompt to B that the caller left; FreeSWITCH hangs B up after the grace time."""

    attempt: str


@dataclass(frozen=True, slots=True)
class CloseAnnouncer(AnnouncerNote):
    """Out of the media path, for good."""

    attempt: str


@dataclass(frozen=True, slots=True)
class ClosePrompt(AnnouncerNote):
    """The caller's prompt is over."""
