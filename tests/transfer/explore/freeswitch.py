"""A small pure model of FreeSWITCH: one caller, the legs of his agents, their conferences, timers and hooks.

It reads the very text the product sends (calls.switch.wording) and emits the events the product reads, in the shapes
and with the traps of tests/recordings; time is a number the explorer moves. What it knows of right and wrong is only
what a real FreeSWITCH would do; the sentences that must hold are in sentences.py.
"""

import itertools
import re
from collections.abc import Callable
from typing import Any

from calls.switch.parsing import SwitchEvent
from tests.transfer.explore.telephones import ENTERS_AFTER, Clock, Conference, Leg, Task, Telephones

NO_CHANNEL = "-ERR No such channel!"
MENU = re.compile(r"ivr_return XML public\Z")


class FreeSwitch(Telephones):
    """`emit` gets each event; `rings(leg)` and `joined(leg)` tell the explorer's people."""

    def __init__(self, clock: Clock, emit: Callable[[SwitchEvent], None], world: Any) -> None:
        self.clock, self.emit, self.world = clock, emit, world
        self.caller = "a-leg"
        self.alive = True  # the caller's channel
        self.place = "secretary"  # "conference", "menu", "gone"
        self.entries = 0  # into the menu
        self.torn = ""  # what killed the caller, if we did
        self.torn_talk = False  # somebody was taken out of a conversation by our command
        self._alone = False  # it is a timer or a hook that acts
        self.variables: dict[str, str] = {}
        self.muted = self.held = False
        self.behind: list[str] = []  # applications behind the conference
        self.room = ""
        self.left_at = 0.0
        self.broadcast = ""
        self.broadcast_began = 0.0
        self.hup_pending = False
        self.stream = ""
        self.generation = 0  # of the caller's dialplan: a transfer makes what was planned void
        self.legs: dict[str, Leg] = {}
        self.rooms: dict[str, Conference] = {}
        self.tasks: list[Task] = []
        self.jobs: dict[str, list[Leg]] = {}
        self._members = itertools.count(1)
        self._uuids = itertools.count(1)

    # ------------------------------------------------------------ asking
    def members(self, room: str) -> dict[str, int]:
        return self.rooms[room].members if room in self.rooms else {}

    def heard_by(self) -> list[Leg]:
        """The agents who hear the caller now."""
        if self.place != "conference" or self.muted or self.held:
            return []
        return [leg for leg in self.legs.values() if leg.uuid in self.members(self.room)]

    def saviours(self) -> list[float]:
        """When, at the latest, the caller is out without our help. The hook of one he talks with is never late."""
        found = [t.at for t in self.tasks if t.standing and self._frees(t.command)]
        found += [self.broadcast_began + self.world.clip_seconds] if self.hup_pending else []
        return found + [0.0 for leg in self.heard_by() if self._frees(leg.hook)]

    def _frees(self, command: str) -> bool:
        if command.startswith(f"uuid_transfer {self.caller} "):
            return True
        return command == f"conference {self.room} hup uuid={self.caller}"

    # ------------------------------------------------------------ commands
    def api(self, text: str) -> str:
        word, _, rest = text.partition(" ")
        return getattr(self, f"_{word}")(rest)

    def bgapi(self, text: str, job: str) -> str:
        assert text.startswith("originate "), text
        self._originate(text, job)
        return f"+OK Job-UUID: {job}"

    def _uuid_exists(self, rest: str) -> str:
        return "true" if self._variables_of(rest) is not None else "false"

    def _variables_of(self, uuid: str) -> dict[str, str] | None:
        if uuid == self.caller:
            return self.variables if self.alive else None
        leg = self.legs.get(uuid)
        return None if leg is None or leg.state == "gone" else {"transferhub_attempt": leg.mark}

    def _uuid_getvar(self, rest: str) -> str:
        uuid, name = rest.split(" ")
        variables = self._variables_of(uuid)
        return NO_CHANNEL if variables is None else variables.get(name, "_undef_")

    def _uuid_setvar(self, rest: str) -> str:
        uuid, name, value = (rest + " ").split(" ", 2)
        if self._variables_of(uuid) is None:
            return NO_CHANNEL
        if uuid != self.caller:
            assert name == "api_hangup_hook", name
            self.legs[uuid].hook = value.strip()
        elif value.strip():
            self.variables[name] = value.strip()
        else:
            self.variables.pop(name, None)
        return "+OK"

    def _sched_api(self, rest: str) -> str:
        delay, group, command = rest.split(" ", 2)
        seconds = int(delay.removeprefix("+")) - self.world.early()
        task = Task(group, command, self.clock.now + seconds)
        self.tasks.append(task)
        self.clock.after(seconds, lambda: self._fire(task))
        return "+OK Added: 1"

    def _fire(self, task: Task) -> None:
        if task.standing:
            task.standing = False
            self._by_itself(task.command)

    def _by_itself(self, command: str) -> None:
        self._alone = True
        self.api(command)
        self._alone = False

    def _sched_del(self, group: str) -> str:
        found = [t for t in self.tasks if t.standing and t.group == group]
        for task in found:
            task.standing = False
        return f"+OK Deleted: {len(found)}" if found else "-ERR no such group"

    def _uuid_audio_stream(self, rest: str) -> str:
        uuid, verb, *more = rest.split(" ")
        if self._variables_of(uuid) is None:
            return NO_CHANNEL
        holder = self if uuid == self.caller else self.legs[uuid]
        if verb == "stop":
            had, holder.stream = holder.stream, ""
            return "+OK Success" if had else "-ERR Operation Failed"
        if holder.stream:
            return "-ERR Operation Failed"
        holder.stream = more[0]
        self.clock.after(0.01, lambda: self.world.stream_asked(uuid, more[0]))
        return "+OK Success"

    def stream_ended(self, uuid: str, kind: str, code: int) -> None:
        """Our side refused ("error") or dropped ("disconnect") the socket; the channel still counts as streaming."""
        if self._variables_of(uuid) is not None:
            self._emit(f"mod_audio_stream::{kind}", uuid, body=f'{{"message": {{"code": {code}}}}}')

    def _uuid_kill(self, uuid: str) -> str:
        leg = self.legs.get(uuid)
        if leg is None or leg.state == "gone":
            return NO_CHANNEL
        self.hang_up(leg, "NORMAL_CLEARING")
        return "+OK"

    def _uuid_break(self, rest: str) -> str:
        self._broadcast_over(self.broadcast)
        return "+OK"

    def _uuid_broadcast(self, rest: str) -> str:
        uuid, path, _ = rest.split(" ")
        if not self.alive:
            return NO_CHANNEL
        self.broadcast, self.broadcast_began = path, self.clock.now
        self._emit("PLAYBACK_START", uuid, **{"Playback-File-Path": path})
        self.clock.after(self.world.clip_seconds, lambda: self._broadcast_over(path))
        return "+OK Message sent"

    def _broadcast_over(self, path: str) -> None:
        if path and self.broadcast == path:
            self.broadcast = ""
            self._emit("PLAYBACK_STOP", self.caller, **{"Playback-File-Path": path})
            if self.hup_pending:
                self.hup_pending = False
                self._let_caller_out()

    def _hupall(self, rest: str) -> str:
        cause, name, mark = rest.split(" ")
        for leg in [leg for leg in self.legs.values() if leg.mark == mark and leg.state != "gone"]:
            self.hang_up(leg, cause)
        return "+OK hangup all channels matching"

    def _conference(self, rest: str) -> str:
        room, verb, *more = rest.split(" ")
        conference = self.rooms.get(room)
        if conference is None:
            return f"-ERR Conference {room} not found"
        if verb == "stop":
            return "+OK"
        uuid = more[0].removeprefix("uuid=")
        if uuid not in conference.members:
            return "-ERR Non-Existant ID 0"
        if verb == "hup":
            self.torn_talk = self.torn_talk or bool(self.heard_by()) and not self._alone
            if uuid == self.caller and self.broadcast:
                self.hup_pending = True
            elif uuid == self.caller:
                self._let_caller_out()
            else:
                self.hang_up(self.legs[uuid], "NORMAL_CLEARING")
        elif verb == "unmute":
            self.muted = False
        elif verb in ("hold", "unhold"):
            self.held = verb == "hold"
        return f"+OK {verb}"

    # ------------------------------------------------------------ the caller
    def _uuid_transfer(self, rest: str) -> str:
        uuid, _, destination = rest.partition(" ")
        if not self.alive or uuid != self.caller:
            return NO_CHANNEL
        self.generation += 1
        if self.place == "conference":
            self._leave_conference("")
        self._broadcast_over(self.broadcast)
        generation = self.generation
        self.clock.after(ENTERS_AFTER, lambda: generation == self.generation and self._dialplan(destination))
        return "+OK"

    def _dialplan(self, destination: str) -> None:
        if destination.endswith("' inline"):
            text = destination.removesuffix("' inline").removeprefix("'")
            assert text.startswith("m:^:"), text
            self._run(text.removeprefix("m:^:").split("^"))
        elif MENU.match(destination):
            self.place = "menu"
            self.entries += 1
        else:
            self.hang_up_caller("NO_ROUTE_DESTINATION", murder=True)

    def _run(self, applications: list[str]) -> None:
        """The inline dialplan; a conference keeps the rest for later."""
        for position, application in enumerate(applications):
            name, _, data = application.partition(":")
            if name == "set":
                variable, _, value = data.partition("=")
                asked = re.match(r"\$\{(\w+)\((.*)\)\}\Z", value)
                if asked:
                    value = self.api(f"{asked[1]} {asked[2].replace('${uuid}', self.caller)}")
                self.variables[variable] = value
            elif name == "unset":
                self.variables.pop(data, None)
            elif name == "conference":
                self._enter(data, applications[position + 1 :])
                return
            elif name == "transfer":
                self._dialplan(self.variables.get("transferhub_return", "") if data.startswith("${") else data)
                return
        if self.alive:
            self.hang_up_caller("DESTINATION_OUT_OF_ORDER", murder=True)

    def _enter(self, data: str, behind: list[str]) -> None:
        room, _, flags = data.partition("+flags")
        self.room = room.partition("@")[0]
        self.place, self.behind = "conference", behind
        self.muted, self.held = "mute" in flags, False
        self._add_member(self.room, self.caller)

    def _add_member(self, room: str, uuid: str) -> None:
        member = next(self._members)
        self.rooms.setdefault(room, Conference(room)).members[uuid] = member
        self._emit("conference::maintenance", uuid, Action="add-member", **{
            "Conference-Name": room, "Member-ID": str(member)})  # fmt: skip

    def _let_caller_out(self) -> None:
        self._leave_conference("")
        self.generation += 1
        self._run(self.behind)

    def _leave_conference(self, cause: str) -> None:
        """mandatory_member_endconf: whoever is left is hung up after the grace time."""
        room, self.place, self.left_at = self.rooms[self.room], "", self.clock.now
        self._drop_member(room, self.caller, cause)
        grace = float(self.variables.get("conference_endconference_grace_time", 0))
        self.clock.after(grace, lambda: self._end(room))

    def _drop_member(self, room: Conference, uuid: str, cause: str) -> None:
        member = room.members.pop(uuid)
        self._emit("conference::maintenance", uuid, Action="del-member", **{
            "Conference-Name": room.name, "Member-ID": str(member), **({"Hangup-Cause": cause} if cause else {}),
        })  # fmt: skip
        if not room.members and self.rooms.get(room.name) is room:
            del self.rooms[room.name]

    def _end(self, room: Conference) -> None:
        for uuid in list(room.members):
            if uuid in self.legs:
                self.hang_up(self.legs[uuid], "NORMAL_CLEARING")

    def hang_up_caller(self, cause: str, *, murder: bool = False) -> None:
        if not self.alive:
            return
        self.torn = cause if murder else self.torn
        self.generation += 1
        self.alive = False
        self._emit("CHANNEL_HANGUP", self.caller, **{"Hangup-Cause": cause})
        if self.place == "conference":
            self._leave_conference(cause)
        self.place, self.broadcast, self.hup_pending = "gone", "", False

    def restart(self) -> None:
        """Every call is gone, and nobody is left to say so."""
        self.alive, self.place = False, "gone"
        self.generation += 1
        self.broadcast, self.hup_pending = "", False
        for leg in self.legs.values():
            leg.state, leg.hook = "gone", ""
        self.rooms.clear()
        self.jobs.clear()
        for task in self.tasks:
            task.standing = False

    def _emit(self, name: str, uuid: str, body: str = "", **headers: str) -> None:
        micros = str(int(self.clock.now * 1_000_000) + 1)
        self.emit(SwitchEvent(name, {"Unique-ID": uuid, "Event-Date-Timestamp": micros, **headers}, body))
