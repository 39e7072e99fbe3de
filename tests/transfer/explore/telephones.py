"""Parts of the model of FreeSWITCH: time, legs, conferences, tasks; and what agents' telephones do."""

import heapq
import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from calls.switch.parsing import SwitchEvent

ENTERS_AFTER = 0.02  # seconds


class Clock:
    """Model time in seconds, and what is to happen when."""

    def __init__(self) -> None:
        self.now = 0.0
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._heap, (self.now + seconds, next(self._order), act))

    @property
    def next_at(self) -> float | None:
        return self._heap[0][0] if self._heap else None

    def run_next(self) -> None:
        at, _, act = heapq.heappop(self._heap)
        self.now = max(self.now, at)
        act()


@dataclass(eq=False)
class Leg:
    """An agent's."""

    uuid: str
    mark: str
    number: str
    state: str = "ringing"  # "up", "gone"
    since: float = 0.0
    conference: str = ""
    hook: str = ""
    stream: str = ""


@dataclass(eq=False)
class Conference:
    name: str
    members: dict[str, int] = field(default_factory=dict)


@dataclass(eq=False)
class Task:
    """A sched_api task."""

    group: str
    command: str
    at: float
    standing: bool = True


class Telephones:
    """The agents' side of a FreeSwitch."""

    clock: Clock
    world: Any
    legs: dict[str, Leg]
    rooms: dict[str, Conference]
    jobs: dict[str, list[Leg]]
    emit: Callable[[SwitchEvent], None]
    _emit: Callable[..., None]
    _add_member: Callable[[str, str], None]
    _drop_member: Callable[[Conference, str, str], None]
    _by_itself: Callable[[str], None]
    _uuids: "itertools.count[int]"

    def _originate(self, text: str, job: str) -> None:
        found = re.match(r"originate \{(.*?)\}(\S+) 'm:\^:(.*)' inline\Z", text)
        assert found, text
        variables = dict(item.split("=", 1) for item in found[1].split(","))
        room = re.search(r"conference:([^@]+)@", found[3])
        assert room and "join-only" in found[3]
        legs = []
        for target in found[2].split(","):
            number = target.removeprefix("user/").partition("@")[0]
            leg = Leg(f"b-leg-{next(self._uuids)}", variables["transferhub_attempt"], number, since=self.clock.now)
            if self.world.registered(leg):
                self.legs[leg.uuid] = leg
                legs.append(leg)
                self._emit("CHANNEL_CREATE", leg.uuid, variable_transferhub_attempt=leg.mark,
                           variable_dialed_user=number)  # fmt: skip
        self.jobs[job] = legs
        if not legs:
            self._job(job, "-ERR USER_NOT_REGISTERED")
            return
        self.clock.after(int(variables["originate_timeout"]), lambda: self._no_answer(job, legs))
        for leg in legs:
            leg.conference = room[1]
            self.world.rings(leg, job)

    def _job(self, job: str, text: str) -> None:
        if self.jobs.pop(job, None) is not None:
            self.emit(SwitchEvent("BACKGROUND_JOB", {"Job-UUID": job}, text))

    def _no_answer(self, job: str, legs: list[Leg]) -> None:
        for leg in legs:
            if leg.state == "ringing":
                self.hang_up(leg, "NO_ANSWER")

    def answer(self, leg: Leg, job: str) -> None:
        if leg.state != "ringing":
            return
        leg.state, leg.since = "up", self.clock.now
        for other in self.jobs.get(job, []):
            if other is not leg and other.state == "ringing":
                self.hang_up(other, "LOSE_RACE")
        self._job(job, f"+OK {leg.uuid}")
        self.clock.after(ENTERS_AFTER, lambda: self._join(leg))

    def _join(self, leg: Leg) -> None:
        if leg.state != "up":
            return
        if leg.conference not in self.rooms:  # join-only
            self.hang_up(leg, "NORMAL_CLEARING")
            return
        self._add_member(leg.conference, leg.uuid)
        leg.since = self.clock.now
        self.world.joined(leg)

    def hang_up(self, leg: Leg, cause: str) -> None:
        if leg.state == "gone":
            return
        was, leg.state = leg.state, "gone"
        self._emit("CHANNEL_HANGUP", leg.uuid, variable_transferhub_attempt=leg.mark, **{"Hangup-Cause": cause})
        room = self.rooms.get(leg.conference)
        if room is not None and leg.uuid in room.members:
            self._drop_member(room, leg.uuid, cause)
        if was == "ringing":
            for job, legs in list(self.jobs.items()):
                if leg in legs and all(other.state == "gone" for other in legs):
                    self._job(job, f"-ERR {cause}")
        if leg.hook:
            self._by_itself(leg.hook)

    def press(self, leg: Leg, digit: str) -> None:
        if leg.state == "up":
            self._emit("DTMF", leg.uuid, **{"DTMF-Digit": digit})

    def hold(self, leg: Leg, on: bool) -> None:
        if leg.state == "up":
            self._emit("CHANNEL_HOLD" if on else "CHANNEL_UNHOLD", leg.uuid)

    def clip_made(self, path: str) -> None:
        """mod_audio_stream has written the prompt's audio into a file."""
        if self.alive:
            self._emit("mod_audio_stream::play", self.caller, body=f'{{"file": "{path}"}}')
