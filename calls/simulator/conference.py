"""Conferences: members and their flags, floor, clips, grace time, and the events of all that."""

import asyncio
import logging
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from calls.simulator.clock import FRAME
from calls.simulator.conference_controls import act, controls_for
from calls.simulator.events import CONFERENCE, conference_headers, member_headers

if TYPE_CHECKING:
    from calls.simulator.channel import Channel
    from calls.simulator.switch import SimulatedSwitch

logger = logging.getLogger(__name__)

VOICE_DELAY = 2 * FRAME
"""Seconds from a voice to its start-talking: measured, what a leg says is that old when its conference weighs it."""


class Member:
    """A channel's membership. Its id is new every time somebody enters."""

    def __init__(self, conference: "Conference", member_id: int, channel: "Channel", flags: set[str]):
        self.conference = conference
        self.id = member_id
        self.channel = channel
        self.can_speak = "mute" not in flags
        self.can_hear = "deaf" not in flags
        self.moderator = "moderator" in flags
        self.endconf = "endconf" in flags
        self.mandatory = "mandatory_member_endconf" in flags
        self.nomoh = "nomoh" in flags
        self.talking = self.on_hold = self.kicked = False
        self.talking_since = 0.0
        self.hold_file = ""
        self.clips: list[str] = []
        self.joined_at = conference.switch.clock.now()
        self.leaving = asyncio.Event()
        variable = channel.variables.get("conference_controls", "")
        self.controls = controls_for(variable, conference.profile.get("caller-controls", ""))

    @property
    def is_going(self) -> bool:
        """Let go or hung up, and still listed until the next frame."""
        return self.leaving.is_set() or self.channel.hung_up


class Conference:
    """One conference. `profile` is name → value, as the params of conference.conf."""

    def __init__(self, switch: "SimulatedSwitch", name: str, profile_name: str, profile: dict[str, str]):
        self.switch = switch
        self.name = name
        self.profile_name = profile_name
        self.profile = profile
        self.uuid = switch.new_uuid()
        self.members: list[Member] = []  # the newest first, as FreeSWITCH lists them
        self.floor: Member | None = None
        self.created_at = switch.clock.now()
        self.grace_seconds = int(profile.get("endconference-grace-time", "0"))
        """How long the others may stay when the last mandatory member has left."""
        self.ending = self._ended = False
        self._moh = profile.get("moh-sound", "")
        self._music_on = False
        self._mandatory = 0
        self._ticking = self._abandoned = False
        self.room = switch.media.open_room(self.uuid, self._moh or None)
        self.room.on_talking = self._hears_talking
        self.room.on_clip = self._clip
        self.fire("conference-create")

    @property
    def size(self) -> int:
        return len(self.members)

    def fire(self, action: str, extra: Iterable[tuple[str, str]] = ()) -> None:
        headers = conference_headers(self) + list(extra) + [("Action", action)]
        self.switch.fire("CUSTOM", headers, subclass=CONFERENCE)

    def fire_member(self, action: str, member: Member, extra: Iterable[tuple[str, str]] = ()) -> None:
        self.switch.fire("CUSTOM", [*member_headers(member), ("Action", action), *extra], subclass=CONFERENCE)

    def abandon(self) -> None:
        """The switch dies: nothing more happens here."""
        self._abandoned = True

    # Coming and going

    async def host(self, channel: "Channel", flags: set[str]) -> None:
        """The `conference` application: the channel is a member until it is let go, or goes elsewhere."""
        member = Member(self, self.switch.next_member_id(), channel, flags)
        self._add(member)
        try:
            await member.leaving.wait()
            await self.switch.clock.frame()
            # A broadcast to this leg holds it here until its file has ended.
            await channel.playback.idle.wait()
        finally:
            channel.playback.cut()
            self._remove(member)
        if member.kicked and (sound := self.profile.get("kicked-sound")):
            await channel.playback.run(sound)

    def _add(self, member: Member) -> None:
        channel = member.channel
        channel.answer()
        channel.member = member
        channel.variables |= {
            "conference_name": self.name,
            "conference_member_id": str(member.id),
            "conference_moderator": "true" if member.moderator else "false",
            "conference_uuid": self.uuid,
        }
        self.members.insert(0, member)
        self._mandatory += member.mandatory
        self.room.enter(member.id, channel.leg, muted=not member.can_speak, nomoh=member.nomoh)
        self.fire_member("add-member", member)
        self._watch_music()
        self._soon()

    def _remove(self, member: Member) -> None:
        for path in member.clips:
            self.fire("play-file-member-done", [("File", path)])
        if self.floor is member:
            self._give_floor(None)
        self.room.leave(member.id)
        self.members.remove(member)
        member.channel.member = None
        self.ending = self.ending or member.endconf or not self.members
        if member.mandatory:
            self._mandatory -= 1
            if not self._mandatory:
                self._start_grace_time()
        self._watch_music()
        self.fire_member("del-member", member)
        self._soon()

    def _start_grace_time(self) -> None:
        # FreeSWITCH counts in whole seconds and waits for more than the grace time: up to a second longer.
        now = self.switch.clock.now()
        self.switch.clock.later(math.floor(now) + self.grace_seconds + 1 - now, self._grace_over)

    def _grace_over(self) -> None:
        if self.members and not self._mandatory:
            self.ending = True
            self._soon()

    def let_go(self, member: Member, kicked: bool = False) -> None:
        """`hup` and `kick`: out of the conference, on to what stands behind it in the channel's extension."""
        member.kicked = kicked
        self.fire_member("kick-member" if kicked else "hup-member", member)
        member.leaving.set()

    # The conference's own thread, which looks once a frame

    def _soon(self) -> None:
        if not self._ticking:
            self._ticking = True
            self.switch.clock.later(FRAME, self._tick)

    def _tick(self) -> None:
        self._ticking = False
        if self._abandoned:
            return
        if self.ending:
            self._end()
            return
        staying = [member for member in self.members if not member.leaving.is_set()]
        if self.floor is None and staying:
            self._give_floor(staying[0])
        elif self.floor:
            # A holder who only began to talk when another already did has not the score to keep it.
            limit = self.floor.talking_since if self.floor.talking else math.inf
            talker = next((m for m in staying if m.talking and m.talking_since < limit and m is not self.floor), None)
            if talker:
                self._give_floor(talker)

    def _end(self) -> None:
        self._ended = True
        self.switch.forget_conference(self)
        for member in self.members:
            member.channel.hangup("NORMAL_CLEARING")
            member.leaving.set()
        self._stop_music()
        if self.members:
            self._soon()
        else:
            self.switch.media.close_room(self.uuid)
            self.fire("conference-destroy")

    def _watch_music(self) -> None:
        alone = self.size == 1 and not self.members[0].nomoh
        if alone and self._moh and not self._ended:
            self._music_on = True
        elif self.size > 1:
            self._stop_music()

    def _stop_music(self) -> None:
        if self._music_on:
            self._music_on = False
            self.fire("play-file-done", [("File", self._moh), ("Async", "true")])

    def _give_floor(self, member: Member | None) -> None:
        # Who leaves is off the list already when his floor is taken: then the old holder reads "none".
        old = str(self.floor.id) if self.floor and member else "none"
        self.floor = member
        headers = [*conference_headers(self), ("Action", "floor-change"), ("Old-ID", old)]
        headers += member_headers(member) if member else []
        headers.append(("New-ID", str(member.id) if member else "none"))
        self.switch.fire("CUSTOM", headers, subclass=CONFERENCE)

    # What the audio reports

    def _hears_talking(self, member_id: int, talking: bool) -> None:
        self.switch.clock.later(VOICE_DELAY, self._talking, member_id, talking)

    def _talking(self, member_id: int, talking: bool) -> None:
        member = self.member(member_id)
        if member is None or member.talking == talking or (talking and (not member.can_speak or member.on_hold)):
            return
        member.talking, member.talking_since = talking, self.switch.clock.now()
        self.fire_member("start-talking" if talking else "stop-talking", member)
        self._soon()

    def _clip(self, member_id: int, path: str, what: str) -> None:
        member = self.member(member_id)
        if member is None or (what == "done" and member.is_going):
            return  # the files of who goes are closed with him (_remove), and then he is nobody's member
        if what == "done" and path in member.clips:
            member.clips.remove(path)
        self.fire_member("play-file-member-done" if what == "done" else "play-file-member", member, [("File", path)])

    # What commands and keys do to a member

    def member(self, member_id: int) -> Member | None:
        return next((member for member in self.members if member.id == member_id), None)

    def mute(self, member: Member) -> None:
        member.can_speak = member.talking = False
        self.room.set(member.id, muted=True)
        self.fire_member("mute-member", member)

    def unmute(self, member: Member) -> None:
        member.can_speak = True
        self.switch.clock.later(FRAME, self._let_speak, member)
        self.fire_member("unmute-member", member)

    def _let_speak(self, member: Member) -> None:
        # The frame in which he is unmuted is still the old one.
        if member.can_speak and member in self.members:
            self.room.set(member.id, muted=False)

    def set_hearing(self, member: Member, hears: bool) -> None:
        member.can_hear = hears
        self.room.set(member.id, deaf=not hears)
        self.fire_member("undeaf-member" if hears else "deaf-member", member)

    def hold(self, member: Member, path: str) -> None:
        self.room.set(member.id, hold=path)
        member.on_hold, member.talking, member.hold_file = True, False, path
        self.fire_member("hold-member", member)

    def unhold(self, member: Member) -> None:
        member.on_hold = False
        self.room.set(member.id, hold=False)
        self.fire_member("unhold-member", member)
        if member.hold_file:
            self.switch.clock.later(FRAME, self._clip, member.id, member.hold_file, "done")
            member.hold_file = ""

    def pressed(self, member: Member, digit: str) -> None:
        if action := member.controls.get(digit):
            act(member, action)
