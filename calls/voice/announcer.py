"""One agent's announcer: a Dialogue between FreeSWITCH's socket, a Realtime session and the transfer.

The session is opened while the telephone rings. Nothing on the audio path waits: what is to be sent goes into queues,
what is to be told or written down has tasks of its own.
"""

import asyncio
import contextlib
from types import ModuleType
from typing import Any

from django.conf import settings
from django.db import Error as DatabaseError

from calls import bus
from calls.services import ClaimedAudio, LiveAudio
from calls.transfer.events import AnnouncerLost, DecisionMade, Event, RedirectRequested
from calls.transfer.states import Verdict
from calls.voice import effects as fx
from calls.voice.audio import FRAME_MS
from calls.voice.breaker import Breaker
from calls.voice.clips import stream_audio
from calls.voice.dialogue import Dialogue
from calls.voice.ears import AGENT, ANNOUNCER, Ears
from calls.voice.leg import Leg, place_of
from calls.voice.prompts import offline_voice
from calls.voice.protocol import ResponseDone, ServerEvent
from calls.voice.realtime import RealtimeLink, RealtimeLost
from calls.voice.relay import Uplink
from calls.voice.synthesis import SynthesisError, asynthesise

PATIENCE_SECONDS = 1.5
"""The agent hears nothing for so long at most before the synthesised announcement begins."""
TRANSCRIPT_SECONDS = 1.5
"""A decision is followed by its transcript, which is waited for."""
TELL_SECONDS = 10
"""After the socket is gone, what the transfer must know is still tried for so long."""
RETRY_SECONDS = (0.2, 2.0)
KEPT_SECONDS = 2
"""An announcer whose agent never answered waits so long for the next attempt of its transfer."""
EVENTS_KEPT, WRITES_KEPT = 50, 200
"""What waits while the database is away. Of events the newest are dropped, but never a decision or the announcer's
loss, each of which there is once; of what was said the oldest, for the end of it holds the decision."""
EXCUSE_SECONDS = 1.0
"""A decision that the database has not taken by then: the agent hears "um momento"."""


class Announcer(Leg):
    """See Leg for its life."""

    def __init__(self, claimed: ClaimedAudio, url: str, door: ModuleType | Any, breaker: Breaker):
        super().__init__(claimed, url, door)
        self._breaker = breaker
        self.dialogue = Dialogue(
            claimed.attempt_mark,
            claimed.brief,
            model=settings.OPENAI_REALTIME_MODEL,
            transcribe=settings.OPENAI_TRANSCRIBE_MODEL,
        )
        self._uplink = Uplink(claimed.short_id)
        self._voice = offline_voice(str(claimed.brief.get("language", "")))
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._writes: asyncio.Queue[fx.Write] = asyncio.Queue()
        self._model: asyncio.Task[None] | None = None
        self._left_model = False
        self._realtime_lost = 0
        self._news = asyncio.Event()  # something came from the model
        self._patience: asyncio.TimerHandle | None = None
        self._excuse: asyncio.TimerHandle | None = None
        self._kept: asyncio.TimerHandle | None = None
        self.ears = Ears()
        """Supervisors who hear it in their browsers."""

    def start(self) -> None:
        self.spawn(self._tell_all())
        self.spawn(self._write_all())
        self._model = self.spawn(self._converse())

    def next_attempt(self, claimed: ClaimedAudio, url: str) -> bool:
        """Nobody answered: the session serves the next agent. What it cost so far stays with the attempt before.
        False: it is of no more use."""
        if self.uuid or self.closing or self.dialogue.over or not self.dialogue.has_model:
            return False
        if self._kept:
            self._kept.cancel()
            self._kept = None
        before, self.claimed, self.url = self.claimed.session_id, claimed, url
        self.log = self.log.bind(session=claimed.session_id)
        used = self.dialogue.next_attempt(claimed.attempt_mark, claimed.brief)
        self.spawn(self.door.close_audio(before, used))
        self._perform()
        return True

    # ------------------------------------------------------------ FreeSWITCH's side
    def attach(self, live: LiveAudio) -> None:
        super().attach(live)
        self._patience = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self._patience_over)
        self.dialogue.connected()
        self._perform()

    def frame(self, pcm: bytes) -> None:
        if self.closing:
            return
        if not self._uplink.frame(pcm):
            if self.dialogue.has_model and self._uplink.deaf:
                self.dialogue.model_lost("unknown_audio_rate")
                self._perform()
            return
        self.dialogue.frame(pcm)
        if self.ears:
            self.ears.pass_on(AGENT, self._uplink.latest)
            self.ears.pass_on(ANNOUNCER, self.dialogue.sound(FRAME_MS))
        self._perform()

    def playback(self, what: str, path: str) -> None:
        self.dialogue.playback(what, path)
        self._perform()

    def hold(self, on: bool) -> None:
        self.dialogue.hold(on)
        self._perform()

    def note(self, name: str) -> None:
        if name == "repeat":
            self.dialogue.repeat()
        elif name == "caller_left":
            self.dialogue.caller_left()
        elif name == "redirect_refused":
            self.dialogue.redirect_refused()
        elif name == "moment":
            self.dialogue.moment()
        elif name == "close" and not (self.uuid or self.dialogue.over) and self.dialogue.has_model:
            # Nobody answered. If another agent is rung, his attempt's session is offered in this moment.
            self._kept = self._kept or asyncio.get_running_loop().call_later(KEPT_SECONDS, super().note, name)
        else:
            super().note(name)
        self._perform()

    def tell(self, action: int) -> None:
        self.spawn(self._pass_on(action))

    async def _pass_on(self, action: int) -> None:
        try:
            self.dialogue.tell(await self.door.told_words(action))
        except DatabaseError as error:
            self.log.warning("audio.not_passed_on", error=type(error).__name__)
        self._perform()

    def _patience_over(self) -> None:
        self.dialogue.patience_over()
        self._perform()

    # ------------------------------------------------------------ the model's side
    async def _converse(self) -> None:
        if not self._breaker.allows():
            self._model = None  # there is none that could fail
            self.dialogue.model_lost("not_asked")
            self._perform()
            return
        url, key = self.claimed.realtime or (settings.OPENAI_REALTIME_URL, settings.OPENAI_API_KEY)
        link = RealtimeLink(url, key, settings.OPENAI_REALTIME_MODEL)
        sender: asyncio.Task[None] | None = None
        try:
            await link.connect()
            self.dialogue.model_up()
            self._perform()
            sender = self.spawn(self._send(link))
            await link.listen(self._from_model)
        except RealtimeLost as lost:
            self.dialogue.model_lost(lost.reason)
            self._perform()
        finally:
            self._left_model = True
            self._news.set()
            if sender:
                sender.cancel()
            await link.close()
            if ignored := {kind: n for kind, n in link.reader.ignored.items() if kind == "?"}:
                self.log.info("realtime.unreadable", count=ignored["?"])

    def _from_model(self, event: ServerEvent | None) -> None:
        if self._left_model:
            return
        self.dialogue.model_sign()
        if event is not None:
            self.dialogue.from_model(event)
            if isinstance(event, ResponseDone) and event.status == "completed":
                self._breaker.succeeded()
        self._perform()
        self._news.set()

    async def _send(self, link: RealtimeLink) -> None:
        with contextlib.suppress(RealtimeLost):  # the reader of events() learns it too, and tells
            await self._uplink.run(link)

    # ------------------------------------------------------------ what the dialogue wants
    def _perform(self) -> None:
        for effect in self.dialogue.take_effects():
            match effect:
                case fx.ToModel():
                    self._uplink.message(effect.message)
                case fx.Play():
                    self.say(stream_audio(effect.pcm))
                case fx.Silence():
                    stop = {"type": "clips.stop", "uuid": self.uuid}
                    self.spawn(bus.asend(bus.switch_group(self.claimed.switch_slug), stop))
                case fx.Tell():
                    self._keep_event(effect.event)
                case fx.Write():
                    self._keep_write(effect)
                case fx.Synthesise():
                    self.spawn(self._synthesise(effect))
                case fx.LeaveModel():
                    self._left_model = True
                    if effect.reason:
                        self._realtime_lost = 1
                        self.log.warning("realtime.lost", reason=effect.reason)
                        if self._model and self._breaker.failed():
                            self.log.error("realtime.left_alone")
                    if self._model and self._model is not asyncio.current_task():
                        self._model.cancel()

    async def _synthesise(self, asked: fx.Synthesise) -> None:
        try:
            pcm = await asynthesise(asked.text, voice=self._voice)
        except SynthesisError as error:
            self.log.error("synthesis.failed", prompt=asked.name, at=place_of(error))
            if asked.name == "fallback":
                self._keep_event(AnnouncerLost(self.claimed.attempt_mark, "synthesis_failed"))
            return
        self.dialogue.synthesised(asked.name, pcm)
        self._perform()

    def _keep_event(self, event: Event) -> None:
        if self._events.qsize() < EVENTS_KEPT or isinstance(event, DecisionMade | AnnouncerLost):
            self._events.put_nowait(event)
            if isinstance(event, DecisionMade):  # counted from here: it may have to wait behind others
                self._excuse = asyncio.get_running_loop().call_later(EXCUSE_SECONDS, self.note, "moment")
        else:
            self.log.error("audio.event_dropped", event_name=type(event).__name__)

    def _keep_write(self, write: fx.Write) -> None:
        if self._writes.qsize() >= WRITES_KEPT:
            self._writes.get_nowait()
            self._writes.task_done()
        self._writes.put_nowait(write)

    async def _tell_all(self) -> None:
        while True:
            event = await self._events.get()
            try:
                await self._tell(event)
            finally:
                self._events.task_done()
                if isinstance(event, DecisionMade) and self._excuse:
                    self._excuse.cancel()

    async def _tell(self, event: Event) -> None:
        """Until the database has taken it: what the agent decided must not be lost to a restart of it."""
        delay, longest = RETRY_SECONDS
        while True:
            try:
                applied = await self.door.apply_event(self.claimed.transfer_id, event)
                if isinstance(event, RedirectRequested) and applied.verdict is Verdict.ILLEGAL:
                    self.note("redirect_refused")
                return
            except DatabaseError as error:
                self.log.warning("audio.not_told", event_name=type(event).__name__, error=type(error).__name__)
            await asyncio.sleep(delay)
            delay = min(longest, 2 * delay)

    async def _write_all(self) -> None:
        while True:
            write = await self._writes.get()
            try:
                await self.door.add_utterance(self.claimed.session_id, write.who, write.text, write.item_id)
            except DatabaseError as error:
                self.log.warning("audio.not_written", error=type(error).__name__)
            finally:
                self._writes.task_done()

    async def finish(self) -> None:
        self.ears.close()
        for timer in (self._patience, self._excuse, self._kept):
            if timer:
                timer.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(TRANSCRIPT_SECONDS):
                while self.dialogue.awaits_transcript and not self._left_model:
                    self._news.clear()
                    await self._news.wait()
        if self._model:
            self._model.cancel()
        try:
            async with asyncio.timeout(TELL_SECONDS):
                await self._events.join()
                await self._writes.join()
        except TimeoutError:
            self.log.error("audio.never_told", events=self._events.qsize())
        self.usage = self.dialogue.usage | {"realtime_lost": self._realtime_lost}
        if self._uplink.dropped:
            self.log.warning("audio.dropped", frames=self._uplink.dropped)
