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
from calls.voice import door as services_door
from calls.voice.announcer import Announcer
from calls.voice.breaker import Breaker
from calls.voice.leg import Leg, place_of
from calls.voice.prompts import Prompt

log = structlog.get_logger(__name__)

BEAT_SECONDS = 1.0
REJOIN_SECONDS = 10.0
"""A Redis that was restarted has forgotten who is in which group."""
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
        self._unneeded: dict[int, float] = {}  # session -> since when, loop time
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False

    @property
    def legs(self) -> list[Leg]:
        """Those that have not ended."""
        return list(self._legs.values())

    def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._forever(work, name), name=f"audio {name}")
            for name, work in {
                "heartbeat": self._beat,
                "claims": self._claim,
                "bus": self._listen,
                "sweep": self._sweep,
            }.items()
        ]

    async def stop(self) -> None:
        """Close every leg and say goodbye, so that other processes take over at once."""
        self._stopping = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
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
        return leg

    # ------------------------------------------------------------ what runs all the time
    async def _forever(self, work: Callable[[], Awaitable[None]], name: str) -> None:
        """One task of the hub never ends by an error: the database or Redis may be away for a while."""
        while True:
            try:
                await work()
            except Exception as error:
                log.warning("audio.hub", task=name, error=type(error).__name__, at=place_of(error))
                await asyncio.sleep(BEAT_SECONDS)

    async def _beat(self) -> None:
        await self.door.heartbeat(self.process_id, self.base_url, len(self._legs))
        await self.door.reopen_dead_audio()
        await asyncio.sleep(BEAT_SECONDS)

    async def _claim(self) -> None:
        room = settings.MAX_AUDIO_SESSIONS - len(self._legs)
        for claimed in await self.door.claim_audio(self.process_id, min(10, room)) if room > 0 else ():
            self._take(claimed)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(BEAT_SECONDS):
                await self._wake.wait()
        self._wake.clear()

    def _take(self, claimed: ClaimedAudio) -> None:
        url = f"{self.base_url}/audio/{claimed.token}"
        leg: Leg = (
            Announcer(claimed, url, self.door, self.breaker)
            if claimed.leg == "agent"
            else Prompt(claimed, url, self.door)
        )
        key = _hash(claimed.token)
        self._legs[key] = leg
        leg.start()
        if isinstance(leg, Announcer):
            # At once: whatever becomes of the model, this process will have something to say.
            leg.spawn(self.door.announce_ready(claimed.session_id, leg.url))
        self._tasks.append(asyncio.create_task(self._forget(key, leg)))

    async def _forget(self, key: str, leg: Leg) -> None:
        await leg.ended.wait()
        self._legs.pop(key, None)
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
        layer = get_channel_layer()
        channel = await layer.new_channel()
        rejoin = asyncio.create_task(self._stay_in_groups(channel))
        try:
            while True:
                self._heard(await layer.receive(channel))
        finally:
            rejoin.cancel()

    async def _stay_in_groups(self, channel: str) -> None:
        layer = get_channel_layer()
        while True:
            with contextlib.suppress(Exception):
                await layer.group_add(bus.AUDIO, channel)
                await layer.group_add(bus.process_group(self.process_id), channel)
            await asyncio.sleep(REJOIN_SECONDS)

    # ------------------------------------------------------------ the bus
    def _heard(self, message: dict[str, Any]) -> None:
        """One message; a leg that stumbles over it does not stop the others'."""
        if message["type"] == "audio.wake":
            self._wake.set()
            return
        for leg in self.legs:
            try:
                _pass_on(message, leg)
            except Exception as error:
                leg.log.error("audio.message_failed", type=message["type"], at=place_of(error))


def _pass_on(message: dict[str, Any], leg: Leg) -> None:
    match message:
        case {"type": "announcer.note", "session": session, "note": note} if session == leg.claimed.session_id:
            leg.note(note)
        case {"type": "announcer.tell", "session": session, "action": action} if session == leg.claimed.session_id:
            leg.tell(action)
        case {"type": "playback", "uuid": uuid, "path": path, "what": what} if uuid == leg.uuid:
            leg.playback(what, path)
        case {"type": "leg.hold", "uuid": uuid, "on": on} if uuid == leg.uuid:
            leg.hold(on)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
