"""What becomes of the telephones of supervisors, from the switch's events. Pure."""

from dataclasses import dataclass
from typing import Any

from calls.switch.parsing import SwitchEvent, job_result
from calls.transfer import commands as c

VARIABLE = "variable_transferhub_supervision"


@dataclass(frozen=True, slots=True)
class Supervised:
    """`what`: "joined", "failed" or "left"; the arguments of services.supervision_happened."""

    transfer_id: Any
    mark: str
    what: str
    uuid: str = ""
    member: int = 0
    cause: str = ""


@dataclass(slots=True)
class _Presence:
    transfer_id: Any
    job: str = ""
    leg: str = ""  # that answered; of several telephones of one extension only one does
    member: int = 0
    over: bool = False


class Supervisors:
    """Taught by commands, asked with events. Rebuilt after a reconnect from the commands that were sent."""

    def __init__(self) -> None:
        self._presences: dict[str, _Presence] = {}  # by mark
        self._legs: dict[str, str] = {}  # uuid -> mark

    def learn(self, transfer_id: Any, command: c.SwitchCommand) -> None:
        match command:
            case c.DialSupervisor():
                self._presences[command.attempt] = _Presence(transfer_id, command.job_uuid)
            case c.SetSupervision():
                presence = self._presences.setdefault(command.attempt, _Presence(transfer_id))
                presence.leg, presence.member = command.supervisor, command.member
                self._legs[command.supervisor] = command.attempt

    def forget(self, transfer_id: Any) -> None:
        gone = {mark for mark, presence in self._presences.items() if presence.transfer_id == transfer_id}
        self._presences = {mark: each for mark, each in self._presences.items() if mark not in gone}
        self._legs = {uuid: mark for uuid, mark in self._legs.items() if mark not in gone}

    def interpret(self, event: SwitchEvent) -> list[Supervised]:
        if not self._presences:
            return []
        if event.name == "BACKGROUND_JOB":
            return self._job(event)
        mark = self._mark_of(event)
        if not mark:
            return []
        presence = self._presences[mark]
        if event.action == "add-member":
            return self._added(mark, presence, event)
        if event.name == "CHANNEL_HANGUP" or event.action == "del-member":
            return self._left(mark, presence, event)
        return []

    def _mark_of(self, event: SwitchEvent) -> str:
        told = event.get(VARIABLE)
        if told in self._presences and event.uuid:
            self._legs[event.uuid] = told
        return self._legs.get(event.uuid, "")

    def _job(self, event: SwitchEvent) -> list[Supervised]:
        result = job_result(event)
        for mark, presence in self._presences.items():
            if presence.job and presence.job == result.job_uuid:
                if result.ok:
                    presence.leg = result.text
                    self._legs[result.text] = mark
                    return []
                return self._ended(mark, presence, "failed", result.text)
        return []

    def _added(self, mark: str, presence: _Presence, event: SwitchEvent) -> list[Supervised]:
        number = event.get("Member-ID")
        if presence.member or not number.isdecimal():
            return []  # told twice
        presence.leg, presence.member = event.uuid, int(number)
        return [Supervised(presence.transfer_id, mark, "joined", event.uuid, presence.member)]

    def _left(self, mark: str, presence: _Presence, event: SwitchEvent) -> list[Supervised]:
        if event.uuid != presence.leg:
            return []
        return self._ended(mark, presence, "left", event.get("Hangup-Cause"))

    def _ended(self, mark: str, presence: _Presence, what: str, cause: str) -> list[Supervised]:
        if presence.over:
            return []
        presence.over = True
        return [Supervised(presence.transfer_id, mark, what, cause=cause)]
