"""The audio side of one web process: claims audio sessions, holds their legs, passes the bus's messages to them.

Everything is also found by looking (unclaimed sessions, sessions nobody needs), so that a dead Redis only slows us
down. The hub belongs to the event loop in which it was started; calls live in it and nowhere else.
"""

import asyncio
import contextlib
import hashlib
import os
import secrets
import socket
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Any

import structlog
from channels.layers import get_channel_layer
from django.conf import settings

from calls import bus
from calls.services import ClaimedAudio
from calls.services.audio import DEAD_AFTER_SECONDS
from calls.tasks import cancelled
from calls.voice import door as services_door
from calls.voice.announcer import Announcer
from calls.voice.breaker import Breaker
from calls.voice.leg import Leg, place_of
from calls.voice.prompts import Prompt
from calls.voice.sockets import socket_class

log = structlog.get_logger(__name__)

BEAT_SECONDS = 1.0
LEFT_TO_OTHERS_SECONDS = 1.5
"""While we drain, an announcement that no other process has taken for so long is ours after all: they drain too, or
there is none."""
LINGER_SECONDS = 6.0
"""A leg nobody needs is closed after so long, should its note have been lost: longer than our last words to it."""


class Hub:
    """start() and stop() in one event loop. `door` and `base_url` are replaced by tests."""

    def __init__(self, door: ModuleType | Any = services_door, base_url: str = ""):
        self.process_id = f"{socket.gethostname()[:30]}:{os.getpid()}:{secrets.token_hex(4)}"
        self.base_url = (base_url or settings.AUDIO_BASE_URL).rstrip("/")
        self.door = door
        self.breaker = Breaker(settings.REALTIME_FAILURES, settings.REALTIME_REST_SECONDS)
        self._legs: dict[str, Leg] = {}  # by the hash of their token
        self._attached: dict[str, Leg] = {}  # by the uuid of their channel
        self._unneeded: dict[int, float] = {}  # session -> since when, loop time
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = self._draining = False
        self._beaten_at = self._judges_from = 0.0  # loop time
        """Who could not beat himself (the database was away) calls nobody dead before the others could beat too."""

    @property
    def legs(self) -> list[Leg]:
        """Those that have not ended."""
        return list(self._legs.values())

    def start(self) -> None:
        socket_class(settings.OPENAI_REALTIME_CLIENT)  # imported before the first call, not by it
        self._tasks = [
            asyncio.create_task(self._forever(work, name), name=f"audio {name}")
            for name, work in {
                "heartbeat": self._beat,
                "claims": self._claim,
                "bus": self._listen,
                "sweep": self._sweep,
            }.items()
        ]

    async def drain(self) -> None:
        """Until the announcements in hand are over, DRAIN_SECONDS at most. New ones are left to others, if any live."""
        self._draining = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(settings.DRAIN_SECONDS):
                while self._legs or await self.door.is_audio_unclaimed():  # noqa: ASYNC110 - the second is no event
                    await asyncio.sleep(BEAT_SECONDS / 4)
        log.info("audio.drained", left=len(self._legs))

    async def stop(self) -> None:
        """Close every leg and say goodbye, so that other processes take over at once."""
        self._stopping = True
        await cancelled(*self._tasks)
        await asyncio.gather(*(leg.stop() for leg in self.legs), return_exceptions=True)
        with contextlib.suppress(Exception):
            async with asyncio.timeout(3):
                await self.door.leave(self.process_id)

    async def admit(self, token: str) -> Leg | None:
        """The leg that waits for this token, attached; None: refuse. A token opens one socket, once."""
        leg = self._legs.get(_hash(token))
        if leg is None or leg.closing or self._stopping:
            return None
        try:
            live = await self.door.audio_connected(self.process_id, token)
        except Exception as error:
            log.warning("audio.not_admitted", error=type(error).__name__, at=place_of(error))
            return None
        if live is None or leg.closing:
            return None
        leg.attach(live)
        self._attached[leg.uuid] = leg
        return leg

    # ------------------------------------------------------------ what runs all the time
    async def _forever(self, work: Callable[[], Awaitable[None]], name: str) -> None:
        """One task of the hub never ends by an error: the database or Redis may be away for a while."""
        while not self._stopping:
            try:
                await work()
            except Exception as error:
                log.warning("audio.hub", task=name, error=type(error).__name__, at=place_of(error))
                await asyncio.sleep(BEAT_SECONDS)

    async def _beat(self) -> None:
        await self.door.heartbeat(self.process_id, self.base_url, len(self._legs))
        now = asyncio.get_running_loop().time()
        if self._beaten_at and now - self._beaten_at >= DEAD_AFTER_SECONDS:
            self._judges_from = now + DEAD_AFTER_SECONDS
        self._beaten_at = now
        if now >= self._judges_from:
            await self.door.reopen_dead_audio()
        await asyncio.sleep(BEAT_SECONDS)

    async def _claim(self) -> None:
        room = settings.MAX_AUDIO_SESSIONS - len(self._legs)
        waited = LEFT_TO_OTHERS_SECONDS if self._draining else 0.0
        for claimed in await self.door.claim_audio(self.process_id, min(10, room), waited) if room > 0 else ():
            self._take(claimed)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(BEAT_SECONDS):
                await self._wake.wait()
        self._wake.clear()

    def _take(self, claimed: ClaimedAudio) -> None:
        url = f"{self.base_url}/audio/{claimed.token}"
        leg = self._handed_over(claimed, url) if claimed.leg == "agent" else None
        if leg is None:
            leg = (
                Announcer(claimed, url, self.door, self._breaker_of(claimed))
                if claimed.leg == "agent"
                else Prompt(claimed, url, self.door)
            )
            leg.start()
            self._tasks.append(asyncio.create_task(self._forget(leg)))
        self._legs[_hash(claimed.token)] = leg
        if isinstance(leg, Announcer):
            # At once: whatever becomes of the model, this process will have something to say.
            leg.spawn(self.door.announce_ready(claimed.session_id, leg.url))

    def _handed_over(self, claimed: ClaimedAudio, url: str) -> Leg | None:
        """The announcer of an attempt before, whose agent never answered, with its session and what it has made."""
        for key, leg in self._legs.items():
            same = isinstance(leg, Announcer) and leg.claimed.transfer_id == claimed.transfer_id
            if same and leg.next_attempt(claimed, url):
                del self._legs[key]
                return leg
        return None

    def _breaker_of(self, claimed: ClaimedAudio) -> Breaker:
        """What becomes of a trial's simulated API says nothing of the real one: one that a single leg never opens."""
        return Breaker(2, settings.REALTIME_REST_SECONDS) if claimed.realtime else self.breaker

    async def _forget(self, leg: Leg) -> None:
        await leg.ended.wait()
        self._legs = {key: each for key, each in self._legs.items() if each is not leg}
        self._attached.pop(leg.uuid, None)
        self._unneeded.pop(leg.claimed.session_id, None)
        self._tasks.remove(asyncio.current_task())  # type: ignore[arg-type]

    async def _sweep(self) -> None:
        await asyncio.sleep(BEAT_SECONDS)
        held = {leg.claimed.session_id: leg for leg in self.legs if not leg.closing}
        now = asyncio.get_running_loop().time()
        found = await self.door.no_longer_needed(held.keys()) if held else set()
        self._unneeded = {session: self._unneeded.get(session, now) for session in found}
        for session, since in self._unneeded.items():
            if now - since >= LINGER_SECONDS and not held[session].closing:
                held[session].note("close")

    async def _listen(self) -> None:
        """Until Redis is lost; then again, and the groups are joined anew."""
        layer = get_channel_layer()
        channel = await layer.new_channel()
        await layer.group_add(bus.AUDIO, channel)
        await layer.group_add(bus.process_group(self.process_id), channel)
        while True:
            for message in bus.unpacked(await layer.receive(channel)):
                self._heard(message)

    # ------------------------------------------------------------ the bus
    def _heard(self, message: dict[str, Any]) -> None:
        """One message; a leg that stumbles over it does not stop the others'."""
        match message:
            case {"type": "audio.wake"}:
                self._wake.set()
            case {"uuid": uuid}:
                if leg := self._attached.get(uuid):
                    _pass_on(message, leg)
            case {"session": session}:
                for leg in self.legs:
                    if leg.claimed.session_id == session:
                        _pass_on(message, leg)


def _pass_on(message: dict[str, Any], leg: Leg) -> None:
    try:
        match message:
            case {"type": "playback", "path": path, "what": what}:
                leg.playback(what, path)
            case {"type": "announcer.note", "note": note}:
                leg.note(note)
            case {"type": "announcer.tell", "action": action}:
                leg.tell(action)
            case {"type": "leg.hold", "on": on}:
                leg.hold(on)
            case {"type": "leg.moment"}:
                leg.note("moment")
    except Exception as error:
        leg.log.error("audio.message_failed", type=message["type"], at=place_of(error))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
