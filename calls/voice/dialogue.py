"""The announcer's conversation with an agent: events in, effects out; no socket, no clock, no database.

Time is the agent's own audio, 20 ms a frame: while his telephone holds us nothing passes, and a busy process distorts
nothing. Turns are ours: the Realtime session only tells of speech (protocol.session_update), so that an "alô?" in the
first moments of the announcement neither stops it nor gets an answer; any other speech silences us at once, the item is
truncated to what was heard, and when the agent's turn is committed we ask for the next response.

If the model is of no use (lost, refused, silent), a synthesised announcement with the keys takes its place for good.
"""

from time import monotonic
from typing import Any

from calls.transfer import decision
from calls.transfer.decision import Hearing, Redirect, Response, ToolCall, Unclear, Verdict
from calls.transfer.events import AnnouncementEnded, AnnouncementStarted
from calls.voice import protocol as p
from calls.voice import script
from calls.voice.beep import BeepDetector
from calls.voice.effects import LeaveModel, Synthesise, Tell, Write
from calls.voice.speaking import ANNOUNCEMENT, Speaking
from calls.voice.transcripts import Transcripts
from calls.voice.watch import PROBE, Clock

WATCH_EVERY_MS = 100
"""What is watched for lasts seconds."""
BEFORE_NOTICED_MS = 500
"""The model tells of a speech at most so long after it began."""


class Dialogue(Speaking):
    """One agent's leg. Every public method is an event; what is to be done then waits in take_effects()."""

    def __init__(self, attempt: str, brief: dict[str, Any], *, model: str, transcribe: str, clock: Clock = monotonic):
        super().__init__(brief, clock)
        self.usage: dict[str, Any] = {}
        self.decided = False
        self._attempt = attempt
        self._model, self._transcribe = model, transcribe
        self._transcripts = Transcripts(transcribe not in ("", "none"))
        self._leaving = self._on_hold = self._our_turn = False
        self._redirecting: tuple[ToolCall, ...] | None = None  # asked for, and neither refused nor granted yet
        self._beep = BeepDetector()

    over = property(lambda self: self.decided or self._leaving, doc="Nothing the agent says matters any more.")

    def next_attempt(self, attempt: str, brief: dict[str, Any]) -> dict[str, Any]:
        """Nobody answered: another agent is rung, and the session goes on. Returns what it has used so far."""
        used, self.usage = self.usage, {}
        self._attempt, self._brief = attempt, brief
        if self._session_open:
            self._send([self._session_update(self._model, self._transcribe)])
        if (text := str(brief.get("announcement_text", ""))) != self._announcement.text:
            self._send(self._responses.interrupt())
            if self._announcement.item_id:
                self._send([p.delete(self._announcement.item_id)])  # its agent was another
            self._announcement.replaced(text)
            self._prepare_announcement()
        return used

    # ------------------------------------------------------------ the model
    def model_up(self) -> None:
        """The session exists: say who we are, and have the announcement made while the telephone rings."""
        self._send([self._session_update(self._model, self._transcribe)])
        self._session_open = True
        self._prepare_announcement()

    def model_sign(self) -> None:
        """The session sent anything at all."""
        self._watch.sign()

    def model_lost(self, reason: str) -> None:
        """Refused, dropped, expired, silent: from here the keys decide."""
        if not self.has_model or self.over:
            return
        self.has_model = False
        self._responses.forget()
        self._do(LeaveModel(reason))
        self._mouth.silence(self._now)
        # Read before the announcement is replaced: who has heard it all only needs the keys.
        first = script.text("keys_only", self._language) if self._announcement.was_heard else self._announcement.text
        self._announcement.replaced()
        self._do(Synthesise("fallback", f"{first} {script.text('keys', self._language)}"))

    def from_model(self, event: p.ServerEvent) -> None:
        if isinstance(event, p.AudioDelta):  # fifty a second
            if self.has_model and not self.over:
                self._sound(event)
            return
        if isinstance(event, p.ResponseDone):
            self.usage = p.add_usage(self.usage, event.usage)
        if isinstance(event, p.Transcript):
            self._transcript(event)
        if not self.has_model or self.over:
            return
        match event:
            case p.ResponseCreated():
                self._send(self._responses.created(event.response_id))
            case p.ResponseDone():
                self._response_done(event)
            case p.SpeechStarted():
                self._turn_began = self._now
                self._watch.noticed(self._now)
                self._interrupt_if_meant()
            case p.SpeechStopped():
                self._watch.noticed(self._now)
            case p.Committed():
                self._turn_committed(event.item_id)
            case p.Refused() if event.event_id == self._responses.event_id and self._responses.active == "":
                self.model_lost(f"response_refused {event.code}")

    # ------------------------------------------------------------ the agent's leg
    def connected(self) -> None:
        """FreeSWITCH's socket is there: the agent can hear."""
        self._connected = True
        self._hello.begin(self._now)
        self._begin_announcing()

    def patience_over(self) -> None:
        """1.5 s after the socket connected."""
        if not self._announcement.speech:
            self.model_lost("no_audio_in_time")
        elif self._hello.waiting and not self._now:  # a telephone that sends nothing while nobody speaks
            self._hello.waiting = False
            self._begin_announcing()

    def frame(self, pcm: bytes) -> None:
        """20 ms of the agent's voice, at any rate."""
        self._mouth.advance(self._now)
        self.ears.hear(pcm, self._mouth.playout.level_about_now(self._now))
        self._follow_announcement()
        if self.over:
            return
        if self._turn_began is not None:
            self._interrupt_if_meant()
        if self._hello.over(self.ears) and not self._announcement.going:
            self._turn_began = None  # the announcement is the answer to it
            self._begin_announcing()
        self._beep.hear(pcm) if self.ears.loud else self._beep.pause()
        if self.ears.speaking:
            self._dispose(decision.by_sound_alone(self.ears.uninterrupted_ms, beeped=self._beep.found))
        if self.decided:
            return
        if self.has_model and self._now % WATCH_EVERY_MS == 0:
            self._watch_model()
        if self._announcement.is_over and not self._on_hold and self._is_quiet and self._nudge.due(self.ears):
            self._ask_again_gently()

    def playback(self, what: str, path: str) -> None:
        """A report of the switch about one of our clips; see playout.py."""
        self._mouth.report(what, path, self._now)
        self._follow_announcement()

    def hold(self, on: bool) -> None:
        """The agent's own hold. He hears nothing: an announcement that was going on is made again afterwards."""
        if on and self._announcement.going:
            self._on_hold = True
            self._announcement.interrupted()
            self._mouth.silence(self._now)
        elif not on and self._on_hold:
            self._on_hold = False
            self.repeat()

    def repeat(self) -> None:
        """The whole announcement again."""
        if not self._connected or self.over:
            pass
        elif self._announcement.complete:
            self._stop_answering()
            self._announce()
        elif self.has_model and not self._responses.is_doing(ANNOUNCEMENT):  # it was cut off while it was being made
            self._stop_answering()
            self._announcement.replaced()
            self._ask_for_announcement()

    def caller_left(self) -> None:
        """Stop in mid-sentence, say that it is over."""
        if not self._leaving:
            self._leaving = True
            self._announcement.interrupted()
            self._mouth.silence(self._now)
            self._do(LeaveModel(""))
            self._do(Synthesise("caller_left", script.text("caller_left", self._language)))

    def redirect_refused(self) -> None:
        """The extension that the agent named, by voice or key, cannot be rung: say so and ask again."""
        calls, self._redirecting = self._redirecting or (), None
        if self.over or not self._connected:
            return
        said = script.text("redirect_refused", self._language)
        if self.has_model:
            self._nothing_done(calls, "there is no such extension")
            self._ask(script.say_exactly(said, self._language), tools=False)
        else:
            self._do(Synthesise("redirect_refused", f"{said} {script.text('keys', self._language)}"))

    def tell(self, words: str) -> None:
        """A supervisor wants the agent to know something: the next thing that is said."""
        if self.over or not words:
            return
        if self.has_model:
            self._send([p.system_item(script.supervisor_note(words, self._language))])
            if self._connected:
                self._ask(tools=False)
        elif self._connected:
            self._do(Synthesise("told", script.supervisor_told(words, self._language)))

    def moment(self) -> None:
        """Something of ours takes its time."""
        self._do(Synthesise("moment", script.text("moment", self._language)))

    def synthesised(self, name: str, pcm: bytes) -> None:
        """The answer to Synthesise."""
        if name == "fallback":
            self._announcement.speech[:] = pcm
            self._announcement.complete = True
            if not self.over:
                self._begin_announcing()
        elif self._connected and (name == "caller_left" or not self._leaving):
            self._nudging = name == "nudge"
            self._mouth.play(pcm, "", self._now)

    # ------------------------------------------------------------ announcing
    def _follow_announcement(self) -> None:
        first_time = self._announcement.began_at is None
        if self._announcement.started():
            self._do(Tell(AnnouncementStarted(self._attempt)))
            if first_time:
                self._do(Write("announcer", self._announcement.text, self._announcement.item_id))
        if self._announcement.ended():
            self._ended()
        self._follow_answers()

    def _follow_answers(self) -> None:
        """While we answer a question the time to decide does not run."""
        if not self._announcement.is_over or self.over:
            self._our_turn = False
        elif self._nudging:
            self._nudging = not self._is_quiet
        elif self._our_turn != (self._mouth.playout.busy or (self._our_turn and self._responses.active is not None)):
            self._our_turn = not self._our_turn
            if self._our_turn:
                self._do(Tell(AnnouncementStarted(self._attempt)))
            else:
                self._ended()

    def _ended(self) -> None:
        self._nudge.ours_ended(self._now)
        self._do(Tell(AnnouncementEnded(self._attempt)))

    # ------------------------------------------------------------ the model speaks
    def _sound(self, delta: p.AudioDelta) -> None:
        if not self._responses.is_wanted(delta.response_id):
            return
        if self._responses.purpose != ANNOUNCEMENT:
            self._mouth.stream(delta.pcm, delta.item_id, self._now)
            return
        self._announcement.item_id = delta.item_id
        self._announcement.speech += delta.pcm
        if self._connected and not (self._on_hold or self._hello.waiting):
            self._stream_announcement(delta.pcm)

    def _response_done(self, done: p.ResponseDone) -> None:
        asked_at, purpose = self._responses.asked_at, self._responses.purpose
        counts, following = self._responses.done(done.response_id, self._now)
        if counts and purpose == ANNOUNCEMENT:
            self._announcement_made(done)
        elif counts:
            self._mouth.finish(self._now)
        if counts and done.status == "failed":
            self.model_lost(f"response_failed {done.reason}")
        if not self.has_model:
            return
        hearing = Hearing(self._announcement.began_at, self.ears.spans(), self._transcripts.last)
        # A response that the agent spoke into decides nothing: his new turn will.
        response = Response(done.status if counts else "cancelled", done.calls, asked_at)
        verdict = decision.dispose(response, hearing, self._disposed)
        if isinstance(verdict, Redirect):
            self._redirecting = done.calls
        self._dispose(verdict)
        if self.decided or self._redirecting is not None:
            return
        self._nothing_done(done.calls, "nothing is decided yet")
        self._send(following)
        doubtful = isinstance(verdict, Unclear) and (verdict.rule or done.status != "completed")
        if counts and doubtful and not following and purpose != ANNOUNCEMENT and not self._announcement.going:
            # In our own words and without tools, so that a model that insists cannot go round in circles.
            self._ask(script.say_exactly(script.text("ask_again", self._language), self._language), tools=False)

    def _announcement_made(self, done: p.ResponseDone) -> None:
        if done.status != "completed" or not self._announcement.speech:
            self.model_lost(f"announcement_{done.status} {done.reason}")
            return
        self._announcement.complete = True
        if self._announcement.going:
            self._announcement.sent(self._mouth.finish(self._now))
        self._follow_announcement()

    def _watch_model(self) -> None:
        found = self._watch.verdict(
            waiting=self._responses.active is not None,
            playing=self._mouth.playout.busy,
            unnoticed=self.ears.open_span if self._turn_began is None else None,
        )
        if found == PROBE:
            self._send([p.retrieve(self._announcement.item_id or "none")])
        elif found:
            self.model_lost(found)

    # ------------------------------------------------------------ the agent speaks
    def _interrupt_if_meant(self) -> None:
        announcement = self._announcement
        if (announcement.going or self._responses.is_doing(ANNOUNCEMENT)) and not announcement.audible:
            return
        if self._mouth.playout.busy and not decision.interrupts(self.ears.open_span, announcement.began_at):
            return
        self._stop_answering()
        if announcement.interrupted():
            self._ended()

    def _turn_committed(self, item_id: str) -> None:
        began, self._turn_began = self._turn_began, None
        self._watch.noticed(self._now)
        self._transcripts.turn_ended(item_id)
        if began is not None and not self.ears.spoke_since(began - BEFORE_NOTICED_MS):
            return  # a noise, or our own voice come back: nobody to answer
        # A greeting, where the announcement goes on or is yet to come: that is the answer.
        to_come = self._hello.waiting or self._responses.is_doing(ANNOUNCEMENT)
        if self._connected and not self._announcement.going and not to_come:
            self._nudging = False
            self._ask()

    def _transcript(self, said: p.Transcript) -> None:
        if said.who == "agent":
            self._transcripts.written(said.item_id, said.text)
        if said.text and said.item_id != self._announcement.item_id:
            self._do(Write(said.who, said.text, said.item_id))

    @property
    def awaits_transcript(self) -> bool:
        """The agent's last turn is not written down yet."""
        return self.has_model and self._transcripts.awaited

    # ------------------------------------------------------------ what comes of it
    def _dispose(self, verdict: Verdict) -> None:
        event = decision.event_of(verdict, self._attempt)
        if event is not None:
            self.decided = not isinstance(verdict, Redirect)
            self._do(Tell(event))
