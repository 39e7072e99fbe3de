"""The audio of one conference: who hears whom, clips to single members, hold music, music for a member alone.

The rules are those of mod_conference at 8 kHz with energy-level 100: a member is mixed in only while he counts as
talking, which starts at once with a loud frame and ends after 40 quiet ones.
"""

from collections import deque
from collections.abc import Callable
from functools import reduce
from typing import Protocol

import numpy as np

from calls.simulator.sound import AUDIBLE, SILENCE, Playhead, energy, load

ENERGY_LEVEL = 100
"""The profile's energy-level: quieter frames are no speech."""
SURE = 400
"""So much above ENERGY_LEVEL one frame is enough to count as talking; else it takes HANGUNDER of them."""
HANGUNDER = 5
HANGOVER = 40
"""Quiet frames after which a talker has stopped: 0.8 s."""

NOBODY: frozenset[str] = frozenset()


class Voice(Protocol):
    """What a room needs of a leg."""

    uuid: str
    said: np.ndarray | None  # this tick's frame of the telephone; None: silence
    heard: np.ndarray  # what the room gives it to hear
    talkers: frozenset[str]


class Member:
    """One leg's place in a conference."""

    def __init__(self, member_id: int, leg: Voice, *, muted: bool, deaf: bool, nomoh: bool):
        self.id = member_id
        self.leg = leg
        self.muted = muted
        self.deaf = deaf
        self.hold: Playhead | None = None
        self.nomoh = nomoh
        self.talking = False
        self.energy = 0
        """Current-Energy: of the last frame he was allowed to say."""
        self.clips: deque[Playhead] = deque()
        self.clip_ended = False
        """The first of them has been read to its end, and is still open."""
        self.deaf_to: set[int] = set()
        self.kept_from: set[int] = set()
        """Members who do not get to hear him (relate nospeak)."""
        self._loud = 0
        self._quiet = 0

    @property
    def may_speak(self) -> bool:
        return not self.muted and self.hold is None

    def hush(self) -> None:
        """Muted or put on hold: he no longer counts as talking, and no stop-talking is fired."""
        self.talking = False
        self._loud = self._quiet = 0

    def listen(self) -> bool:
        """Weigh this tick's frame; True when `talking` changed."""
        said = self.leg.said
        self.energy = 0 if said is None else energy(said)
        if self.energy > ENERGY_LEVEL:
            self._quiet = max(0, self._quiet - 1)
            self._loud += 1
            if self.energy - ENERGY_LEVEL >= SURE or self._loud >= HANGUNDER:
                self._loud = self._quiet = 0
                changed, self.talking = not self.talking, True
                return changed
        else:
            self._loud = max(0, self._loud - 1)
            if self.talking:
                self._quiet += 1
                if self._quiet >= HANGOVER:
                    self.hush()
                    return True
        return False

    def hears(self, other: "Member") -> bool:
        return other is not self and other.id not in self.deaf_to and self.id not in other.kept_from


class Room:
    """The audio side of one conference. Everything happens in `mix`, once a tick."""

    def __init__(self, name: str, moh: str | None):
        self.name = name
        self.members: dict[int, Member] = {}
        self.on_talking: Callable[[int, bool], None] = lambda member_id, talking: None
        self.on_clip: Callable[[int, str, str], None] = lambda member_id, path, what: None
        self._moh_sound = load(moh) if moh else None
        self._moh: Playhead | None = None
        self._news: list[tuple[int, str, str]] = []

    def enter(self, member_id: int, leg: Voice, *, muted: bool, deaf: bool = False, nomoh: bool = False) -> None:
        self.members[member_id] = Member(member_id, leg, muted=muted, deaf=deaf, nomoh=nomoh)

    def leave(self, member_id: int) -> None:
        """Out, with all his clips; unknown ids are ignored."""
        self.members.pop(member_id, None)

    def set(
        self,
        member_id: int,
        *,
        muted: bool | None = None,
        deaf: bool | None = None,
        hold: str | bool | None = None,
    ) -> None:
        """Change flags; None leaves one as it is. `hold` is the path of the music, "" for silence, False to take off.

        Raises KeyError, and what `load` raises for the music.
        """
        member = self.members[member_id]
        if muted is not None:
            member.muted = muted
        if deaf is not None:
            member.deaf = deaf
        if hold is False:
            member.hold = None
        elif isinstance(hold, str):
            member.hold = Playhead(load(hold or "silence_stream://-1"))
        if not member.may_speak:
            member.hush()

    def relate(
        self, a: int, b: int, *, nohear: bool | None = None, nospeak: bool | None = None, clear: bool = False
    ) -> None:
        """`nohear`: a does not hear b; `nospeak`: b does not hear a; `clear` undoes both. Raises KeyError."""
        member = self.members[a]
        for relation, wanted in ((member.deaf_to, nohear), (member.kept_from, nospeak)):
            if clear or wanted is False:
                relation.discard(b)
            elif wanted:
                relation.add(b)

    def play(self, member_id: int, path: str) -> None:
        """Queue a sound for one member. Its samples are read now: the file may go. Raises KeyError and as `load`."""
        self.members[member_id].clips.append(Playhead(load(path, by_conference=True)))
        # Announced when queued, not when its turn comes: the real one does so.
        self._news.append((member_id, path, "start"))

    def stop(self, member_id: int) -> int:
        """Silence one member's clips, playing or waiting; how many there were. Raises KeyError."""
        clips = self.members[member_id].clips
        self.members[member_id].clip_ended = False
        count = len(clips)
        self._news += [(member_id, clip.sound.name, "done") for clip in clips]
        clips.clear()
        return count

    def talking(self, member_id: int) -> bool:
        return self.members[member_id].talking

    def energy(self, member_id: int) -> int:
        """Current-Energy as the events report it."""
        return self.members[member_id].energy

    def mix(self) -> None:
        """One tick: fill `heard` and `talkers` of every member's leg from what the legs said."""
        news, self._news = self._news, []
        for member_id, path, what in news:
            self.on_clip(member_id, path, what)
        members = list(self.members.values())
        voices = []
        for member in members:
            if not member.may_speak:
                continue
            if member.listen():
                self.on_talking(member.id, member.talking)
            if member.talking and member.energy > 0:
                voices.append(member)
        alone = self._music(members)
        for member in members:
            self._fill(member, voices, alone)

    def _music(self, members: list[Member]) -> tuple[np.ndarray, int] | None:
        """The frame of the profile's moh-sound while one member is alone."""
        if self._moh_sound is None or len(members) != 1 or members[0].nomoh:
            self._moh = None
            return None
        if self._moh is None:
            self._moh = Playhead(self._moh_sound)
        step = self._moh.step()
        if step is None:
            self._moh = Playhead(self._moh_sound)
        return step

    def _fill(self, member: Member, voices: list[Member], alone: tuple[np.ndarray, int] | None) -> None:
        parts: list[tuple[np.ndarray, int, str]] = []
        if member.hold is not None:
            step = member.hold.step()
            if step is None:
                member.hold = Playhead(member.hold.sound)
            else:
                parts.append((*step, "hold:" + member.hold.sound.name))
        else:
            if not member.deaf:
                for other in voices:
                    if member.hears(other) and other.leg.said is not None:
                        parts.append((other.leg.said, other.energy, other.leg.uuid))
            if alone is not None:
                parts.append((*alone, "moh"))
        if member.clips:
            # A clip reaches its member whatever his flags. One tick finds the end of its file and the next one closes
            # it: 40 ms of silence between two, beside the last frame's padding.
            if member.clip_ended:
                self._news.append((member.id, member.clips.popleft().sound.name, "done"))
                member.clip_ended = False
            elif (step := member.clips[0].step()) is None:
                member.clip_ended = True
            else:
                parts.append((*step, "clip:" + member.clips[0].sound.name))
        member.leg.heard, member.leg.talkers = mixed(parts)


def mixed(parts: list[tuple[np.ndarray, int, str]]) -> tuple[np.ndarray, frozenset[str]]:
    """The sum of (frame, energy, name) with saturation, and the names that are really audible in it."""
    if not parts:
        return SILENCE, NOBODY
    talkers = frozenset([name for _, loud, name in parts if loud > AUDIBLE]) or NOBODY
    frames = [frame for frame, loud, _ in parts if loud]
    if not frames:
        return SILENCE, talkers
    if len(frames) == 1:
        return frames[0], talkers
    total = reduce(np.add, frames, np.zeros(len(SILENCE), np.int32))
    return np.clip(total, -32768, 32767).astype(np.int16), talkers
