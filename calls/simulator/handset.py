"""The handset of a simulated telephone: a mouth that speaks sentences, an ear that notices speech and silence.

A person waits on what the ear reports and on media time, which the ear counts; never on the wall clock, so that he
behaves alike at every speed.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol

import numpy as np

from calls.simulator.media import Leg
from calls.simulator.phrases import PHRASES
from calls.simulator.sound import TICK, Playhead, Sound

PAUSE = 0.7
"""Seconds of silence after which somebody has finished; shorter ones are between sentences."""
SPEECH = 0.4
"""Seconds of sound that make it speech and not a click."""

Speaker = Callable[[str, str], Awaitable[Sound]]
"""(text, voice) to sound: `speech.spoken`, or a stand-in."""


class IncomingCall(Protocol):
    """One call as its telephone sees it; implemented by the signalling half."""

    leg: Leg
    variables: dict[str, str]
    ended: asyncio.Event

    @property
    def ended_cause(self) -> str: ...

    async def ring(self) -> None:
        """180: the far end hears it ring."""

    async def answer(self) -> None:
        """200: audio flows from here."""

    def reject(self, cause: str) -> None:
        """Refuse before the answer: USER_BUSY, CALL_REJECTED…"""

    def hangup(self, cause: str = "NORMAL_CLEARING") -> None: ...

    def dtmf(self, digit: str) -> None: ...

    def hold(self) -> None:
        """Re-INVITE sendonly: CHANNEL_HOLD, and `leg.on_hold`."""

    def unhold(self) -> None: ...


class Handset:
    """Mouth and ear of one leg."""

    def __init__(self, leg: Leg, voice: str, speaker: Speaker):
        self.clock = 0.0
        """Seconds of media time since the handset was taken up."""
        self.quiet = 0.0
        """Seconds since somebody was last audible."""
        self.heard = 0.0
        """Seconds of audible speech since `forget`."""
        self.person = 0.0
        """Seconds of a person's voice (not a played file) since `forget`."""
        self.music = 0.0
        """Seconds of music on hold or of waiting since `forget`."""
        self.menu = 0.0
        """Seconds of the menu's own sounds (playback outside a conference) since `forget`."""
        self._leg = leg
        self._voice = voice
        self._speaker = speaker
        self._saying: deque[Playhead] = deque()
        self._waiting: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []
        leg.mouth = leg.ear = self

    def frame(self) -> np.ndarray | None:
        while self._saying:
            step = self._saying[0].step()
            if step is not None:
                return step[0]
            self._saying.popleft()
        return None

    def hear(self, frame: np.ndarray, talkers: frozenset[str]) -> None:
        self.clock += TICK
        self.quiet += TICK
        if talkers:
            self._distinguish({talker.partition(":")[0] for talker in talkers})
        if self._waiting:
            self._look()

    def _distinguish(self, kinds: set[str]) -> None:
        """Music, the menu, a played voice and a person sound different, to a person."""
        if kinds & {"moh", "hold"}:
            self.music += TICK
        if "playback" in kinds:
            self.menu += TICK
        if kinds - {"moh", "hold", "playback", "clip", "broadcast"}:
            self.person += TICK
        if kinds - {"moh", "hold", "playback"}:
            self.heard += TICK
            self.quiet = 0.0

    def forget(self) -> None:
        """Begin to count anew what is heard."""
        self.heard = self.person = self.music = self.menu = 0.0

    def asked(self) -> bool:
        """Whether somebody has spoken since `forget` and is silent now."""
        return self.heard >= SPEECH and self.quiet >= PAUSE

    async def until(self, condition: Callable[[], bool], seconds: float | None = None) -> bool:
        """Wait until `condition` holds, looked at every tick; False when `seconds` of media time passed first."""
        end = None if seconds is None else self.clock + seconds
        met: list[bool] = []

        def look() -> bool:
            if condition():
                met.append(True)
                return True
            return end is not None and self.clock >= end

        if not look():
            future = asyncio.get_running_loop().create_future()
            self._waiting.append((look, future))
            await future
        return bool(met)

    async def pause(self, seconds: float) -> None:
        await self.until(lambda: False, seconds)

    async def finished_speech(self, seconds: float | None = None) -> bool:
        """Wait until somebody has spoken and then fallen silent; False when `seconds` passed first."""
        self.forget()
        return await self.until(self.asked, seconds)

    async def say(self, key: str) -> None:
        """Speak a phrase of phrases.py to its end."""
        await self.sound(await self._speaker(PHRASES[key].text, self._voice))

    async def sound(self, sound: Sound) -> None:
        """Play a sound into the line to its end; an endless one returns at once."""
        playhead = Playhead(sound)
        self._saying.append(playhead)
        if sound.rounds >= 0:
            await self.until(lambda: playhead not in self._saying)

    def _look(self) -> None:
        waiting, self._waiting = self._waiting, []
        for look, future in waiting:
            if future.done():
                continue  # its person was called away
            if look():
                future.set_result(None)
            else:
                self._waiting.append((look, future))


async def live(call: IncomingCall, behaviour: Awaitable[None]) -> None:
    """Run a person's behaviour until it and the call have both ended; the end of the call ends it at once.

    A behaviour that fails hangs up, so that no leg stays behind, and raises.
    """
    acting = asyncio.ensure_future(behaviour)
    ended = asyncio.ensure_future(call.ended.wait())
    try:
        await asyncio.wait({acting, ended}, return_when=asyncio.FIRST_COMPLETED)
        if acting.done():
            if acting.exception() is not None and not call.ended.is_set():
                call.hangup()
            acting.result()
            await ended
    finally:
        acting.cancel()
        ended.cancel()
        await asyncio.gather(acting, ended, return_exceptions=True)
        call.leg.mouth = call.leg.ear = None
