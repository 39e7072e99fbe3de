"""What the switch process remembers in order to know whose event it sees. Pure; no truth lives here.

Rebuilt at every start from the open transfers, their commands and attempts in the database (resync.py), and kept up
by the commands that are sent. Losing it costs nothing but the rebuilding.
"""

from dataclasses import dataclass, field
from typing import Any

from calls.switch.keys import ExtensionKeys
from calls.switch.supervisors import Supervisors
from calls.transfer import commands as c


@dataclass(eq=False, slots=True)
class Dialling:
    """One attempt: one originate, one or (fork) several legs, at most one agent."""

    mark: str
    transfer: "Followed"
    numbers: tuple[str, ...] = ()
    legs: dict[str, str] = field(default_factory=dict)  # uuid -> extension, "" where unknown
    gone: dict[str, str] = field(default_factory=dict)  # uuid of a leg that hung up -> cause
    agent: str = ""  # the leg that answered
    member: int = 0
    rang: bool = False
    failed: bool = False
    left: bool = False  # the agent is gone, and that was told
    streaming: bool = False  # we want the announcer's stream on his leg
    keys: ExtensionKeys = field(default_factory=ExtensionKeys)
    deciding: bool = True  # false once he is put through or let go: his keys are his own

    def number_of(self, uuid: str) -> str:
        if len(self.numbers) == 1:
            return self.numbers[0]
        number = self.legs.get(uuid, "")
        return number if number in self.numbers else ""


@dataclass(eq=False, slots=True)
class Followed:
    """One transfer."""

    id: Any
    short_id: str
    caller: str
    conference: str
    member: int = 0  # the caller's, 0: not in the conference
    touched: bool = False  # Park was sent
    left: bool = False  # hung up, and that was told
    prompting: bool = False  # the stream on A is our prompt's, not the secretary's
    clips: dict[str, int] = field(default_factory=dict)  # broadcast to A, not over: path -> start in µs, 0: not yet
    heard_ms: int = 0
    nets: set[str] = field(default_factory=set)  # dead man's timers that may stand
    attempts: dict[str, Dialling] = field(default_factory=dict)
    strangers: dict[str, int] = field(default_factory=dict)  # legs in the conference not known as an agent's: members
    over_at: float = 0.0  # when the transfer had ended, by the runner's clock; 0: it has not

    @property
    def prompt_playing(self) -> bool:
        return bool(self.clips)


class Index:
    """All transfers of one switch that may still have legs."""

    def __init__(self) -> None:
        self.transfers: dict[Any, Followed] = {}
        self.supervisors = Supervisors()
        self._callers: dict[str, Followed] = {}
        self._conferences: dict[str, Followed] = {}
        self._marks: dict[str, Dialling] = {}
        self._jobs: dict[str, Dialling] = {}
        self._legs: dict[str, Dialling] = {}

    # ------------------------------------------------------------ asking
    def by_caller(self, uuid: str) -> Followed | None:
        return self._callers.get(uuid)

    def by_conference(self, name: str) -> Followed | None:
        return self._conferences.get(name)

    def by_job(self, job_uuid: str) -> Dialling | None:
        return self._jobs.get(job_uuid)

    def by_leg(self, uuid: str, mark: str = "", number: str = "") -> Dialling | None:
        """The attempt of an agent's leg; `mark` (its channel variable) teaches a leg not seen before."""
        dialling = self._legs.get(uuid)
        if dialling is None and mark in self._marks and uuid:
            dialling = self._legs[uuid] = self._marks[mark]
        if dialling is not None and not dialling.legs.get(uuid):
            dialling.legs[uuid] = number
        return dialling

    def by_mark(self, mark: str) -> Dialling | None:
        return self._marks.get(mark)

    # ------------------------------------------------------------ learning
    def follow(self, transfer_id: Any, short_id: str, caller: str, conference: str) -> Followed:
        """The transfer's entry, made when it is new. A caller's newest transfer is the one his events are for."""
        followed = self.transfers.get(transfer_id)
        if followed is None:
            followed = Followed(transfer_id, short_id, caller, conference)
            self.transfers[transfer_id] = followed
            self._callers[caller] = followed
            self._conferences[conference] = followed
        return followed

    def learn(self, followed: Followed, command: c.SwitchCommand) -> None:
        """Call it before the command is sent: its events may be faster than its reply."""
        match command:
            case c.Park():
                followed.touched = True
                followed.nets.add("park")
            case c.ArmNet():
                followed.nets.add(command.stage)
            case c.Dial():
                made = Dialling(command.attempt, followed, tuple(command.numbers))
                followed.attempts[command.attempt] = self._marks[command.attempt] = made
                self._jobs[command.job_uuid] = made
            case c.StartStream(leg="caller"):
                followed.prompting = True
            case c.StartStream():
                dialling = self._legs.get(command.uuid) or self._marks.get(command.attempt)
                if dialling is not None:
                    dialling.streaming = True
            case c.PutThrough() | c.LetGo():
                dialling = self._legs.get(command.agent)
                if dialling is not None:
                    dialling.streaming = dialling.deciding = False
            case c.SendHome():
                followed.prompting = False
            case c.DialSupervisor() | c.SetSupervision():
                self.supervisors.learn(followed.id, command)

    def answered(self, dialling: Dialling, uuid: str) -> None:
        dialling.agent = uuid
        self._legs[uuid] = dialling

    def forget(self, transfer_id: Any) -> None:
        followed = self.transfers.pop(transfer_id, None)
        if followed is None:
            return
        if self._callers.get(followed.caller) is followed:
            del self._callers[followed.caller]
        self._conferences.pop(followed.conference, None)
        self.supervisors.forget(transfer_id)
        marks = followed.attempts
        for table in (self._marks, self._jobs, self._legs):
            for key in [key for key, dialling in table.items() if dialling.mark in marks]:
                del table[key]
