"""The audio of the simulated switch: legs, the 20 ms tick that moves their sound, broadcasts and playbacks to one leg.

A tick takes one frame from every leg's mouth, gives it to the leg's streams, lets each conference mix, lays playbacks
and broadcasts over that, and hands the result to the ears. All of it runs on the event loop's thread.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

import numpy as np

from calls.simulator.ledger import Ledger
from calls.simulator.mixing import NOBODY, Room, mixed
from calls.simulator.sound import FRAME, SILENCE, TICK, Playhead, load

__all__ = ["FRAME", "TICK", "Ear", "Leg", "Ledger", "Media", "Mouth", "Room", "Tap"]

log = logging.getLogger(__name__)

BROADCAST_DELAY = 7
"""Ticks from uuid_broadcast to its PLAYBACK_START: 0.14 to 0.2 s measured."""
CATCH_UP = 5
"""Ticks run in a row when the machine was slow; what is later than that is given up: media time stands still."""


class Mouth(Protocol):
    def frame(self) -> np.ndarray | None:
        """The next 20 ms (160 int16 samples, 8 kHz), None for silence."""


class Ear(Protocol):
    def hear(self, frame: np.ndarray, talkers: frozenset[str]) -> None:
        """20 ms, read-only, and who is audible: uuids, "clip:…", "moh", "hold:…", "broadcast:…", "playback:…"."""


class Tap(Protocol):
    def feed(self, frame: np.ndarray | None) -> None:
        """What the leg said in one tick (a stream of mod_audio_stream)."""


class Leg:
    """The audio side of one channel."""

    def __init__(self, uuid: str):
        self.uuid = uuid
        self.mouth: Mouth | None = None
        self.ear: Ear | None = None
        self.on_hold = False
        """The telephone's own hold (re-INVITE): it says nothing, its streams get no frames, and FreeSWITCH sends it no
        packet, whichever way it holds (sendonly, inactive, 0.0.0.0)."""
        self.taps: list[Tap] = []
        self.said: np.ndarray | None = None
        self.heard: np.ndarray = SILENCE
        self.talkers: frozenset[str] = NOBODY


class _Sound:
    """A broadcast or playback on one leg, waiting or running."""

    def __init__(
        self,
        path: str,
        prefix: str,
        delay: int,
        on_start: Callable[[], None] | None,
        on_stop: Callable[[str], None] | None,
        loop: bool = False,
    ):
        self.playhead = Playhead(load(path))
        self.name = prefix + path
        self.delay = delay
        self.started = False
        self.on_start = on_start
        self.on_stop = on_stop
        self.loop = loop

    def step(self) -> tuple[np.ndarray, int] | None:
        step = self.playhead.step()
        if step is None and self.loop:
            self.playhead = Playhead(self.playhead.sound)
            step = self.playhead.step()
        return step


class Media:
    """All audio of one simulated switch. `speed` makes the 20 ms tick that much shorter; the sound stays as it is."""

    def __init__(self, speed: float = 1.0, ledger: Ledger | None = None):
        self.speed = speed
        self.ledger = ledger or Ledger()
        self.legs: dict[str, Leg] = {}
        self.rooms: dict[str, Room] = {}
        self.ticks = 0
        self.given_up = 0
        """Ticks lost because the machine was too slow."""
        self._broadcasts: dict[str, deque[_Sound]] = {}
        self._playbacks: dict[str, _Sound] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def now(self) -> float:
        """Media time in seconds: what the ledger's spans count in."""
        return self.ticks * TICK

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="media tick")

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def add_leg(self, leg: Leg) -> None:
        self.legs[leg.uuid] = leg

    def remove_leg(self, uuid: str) -> None:
        """The leg is gone; what played to it ends as "done", as on a real hangup. Unknown uuids are ignored."""
        if self.legs.pop(uuid, None):
            self.ledger.gone(uuid)
        self._playbacks.pop(uuid, None)
        self._end_broadcasts(uuid, "done")

    def open_room(self, name: str, moh: str | None) -> Room:
        room = self.rooms[name] = Room(name, moh)
        return room

    def close_room(self, name: str) -> None:
        self.rooms.pop(name, None)

    def broadcast(
        self,
        uuid: str,
        path: str,
        on_start: Callable[[], None] | None = None,
        on_stop: Callable[[str], None] | None = None,
    ) -> None:
        """uuid_broadcast … aleg: replaces what the leg hears until it ends; a second one waits for the first.

        `on_stop` gets "done", or "break" after `break_`. Raises as `sound.load`.
        """
        queue = self._broadcasts.setdefault(uuid, deque())
        queue.append(_Sound(path, "broadcast:", BROADCAST_DELAY, on_start, on_stop))

    def broadcasting(self, uuid: str) -> bool:
        """Whether a broadcast plays to this leg or is about to: `hup` and `kick` wait for its end."""
        return uuid in self._broadcasts

    def break_(self, uuid: str) -> None:
        """uuid_break … all."""
        self._end_broadcasts(uuid, "break")

    def loop_playback(
        self, uuid: str, path: str, *, loop: bool = True, on_stop: Callable[[str], None] | None = None
    ) -> None:
        """What a leg hears outside a conference; with loop=False `on_stop("done")` is called at its end."""
        self._playbacks[uuid] = _Sound(path, "playback:", 0, None, on_stop, loop)

    def stop_playback(self, uuid: str) -> None:
        """Ends it without a callback: who stops it knows."""
        self._playbacks.pop(uuid, None)

    def tick(self) -> None:
        """Move 20 ms of sound."""
        legs = list(self.legs.values())
        # All mouths first: one half of a loopback says what the other half heard in the tick before.
        for leg, said in [(leg, leg.mouth.frame() if leg.mouth is not None else None) for leg in legs]:
            leg.heard, leg.talkers = SILENCE, NOBODY
            if leg.on_hold:
                leg.said = None
                continue
            leg.said = said
            for tap in leg.taps:
                tap.feed(said)
        for room in list(self.rooms.values()):
            room.mix()
        for uuid in list(self._playbacks):
            self._play_to(uuid)
        for uuid in list(self._broadcasts):
            self._broadcast_to(uuid)
        at, note = self.now, self.ledger.note
        for leg in legs:
            if leg.on_hold:
                leg.heard, leg.talkers = SILENCE, NOBODY
            note(at, leg.uuid, leg.heard, leg.talkers)
            if leg.ear is not None:
                leg.ear.hear(leg.heard, leg.talkers)
        self.ticks += 1

    def _play_to(self, uuid: str) -> None:
        playback, leg = self._playbacks[uuid], self.legs.get(uuid)
        step = playback.step()
        if step is None:
            del self._playbacks[uuid]
            if playback.on_stop:
                playback.on_stop("done")
        elif leg is not None:
            leg.heard, leg.talkers = mixed([(*step, playback.name)])

    def _broadcast_to(self, uuid: str) -> None:
        queue, leg = self._broadcasts[uuid], self.legs.get(uuid)
        current = queue[0]
        if current.delay > 0:
            current.delay -= 1
            return
        if not current.started:
            current.started = True
            if current.on_start:
                current.on_start()
        if self._broadcasts.get(uuid) is not queue:
            return  # broken off by its own start event
        step = current.step()
        if step is not None:
            if leg is not None:
                leg.heard, leg.talkers = mixed([(*step, current.name)])
            return
        queue.popleft()
        if not queue:
            del self._broadcasts[uuid]
        if current.on_stop:
            current.on_stop("done")

    def _end_broadcasts(self, uuid: str, how: str) -> None:
        for sound in self._broadcasts.pop(uuid, ()):
            # One that had not begun never had a PLAYBACK_START, so it gets no PLAYBACK_STOP.
            if sound.started and sound.on_stop:
                sound.on_stop(how)

    async def _run(self) -> None:
        period = TICK / self.speed
        due = time.monotonic()
        while True:
            try:
                self.tick()
            except Exception:
                # One party's fault (a callback, a telephone) must not silence all the others.
                log.exception("media tick failed")
            due += period
            late = time.monotonic() - due
            if late > CATCH_UP * period:
                self.given_up += int(late / period)
                due += late
            await asyncio.sleep(max(0.0, -late))
