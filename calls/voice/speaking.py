"""What the announcer's conversation says, and through whom: the model's responses, the clips that go out. Pure.

The half of a Dialogue that speaks; what is heard and what comes of it is in dialogue.py.
"""

from typing import Any

from calls.transfer.decision import ToolCall
from calls.voice import protocol as p
from calls.voice import script
from calls.voice.announcement import Announcement
from calls.voice.audio import SpeechDetector
from calls.voice.courtesy import Hello, Nudge
from calls.voice.effects import Effect, Synthesise, ToModel
from calls.voice.mouth import Mouth
from calls.voice.responses import Responses
from calls.voice.watch import Clock, ModelWatch

ANNOUNCEMENT = "announcement"


class Speaking:
    """Appends what is to be done to its effects. `clock` is the wall's, in seconds."""

    def __init__(self, brief: dict[str, Any], clock: Clock) -> None:
        self._effects: list[Effect] = []
        self.ears = SpeechDetector()
        self._brief = brief
        self._language = str(brief.get("language", ""))
        self._announcement = Announcement(str(brief.get("announcement_text", "")))
        self._responses = Responses()
        self._mouth = Mouth(self._effects)
        self._watch = ModelWatch(clock)
        self._disposed: set[str] = set()  # call_ids of tool calls that were answered
        self._connected = self._session_open = self._nudging = False
        self._turn_began: int | None = None  # the agent's turn, as the model hears it
        self._hello = Hello(bool(brief.get("waits_for_hello")))
        self._nudge = Nudge(float(brief.get("decision_seconds") or 15))
        self.has_model = True
        """False: the keys decide."""

    _now = property(lambda self: self.ears.now_ms)

    def take_effects(self) -> list[Effect]:
        """What is to be done, in order, and not taken yet."""
        if not self._effects:
            return []
        taken = self._effects.copy()
        self._effects.clear()
        return taken

    def sound(self, milliseconds: int) -> bytes:
        """What the agent has heard of us in the last frame; L16 at 24 kHz, b"" for silence."""
        return self._mouth.playout.sound(self._now, milliseconds)

    # ------------------------------------------------------------ announcing
    def _begin_announcing(self) -> None:
        """With what has been made of it, or from the first sound on."""
        if not self._connected or self._hello.waiting:
            pass
        elif self._announcement.complete:
            self._announce()
        elif self._announcement.speech:
            self._stream_announcement(bytes(self._announcement.speech))
        elif self._session_open and self.has_model and not self._responses.is_doing(ANNOUNCEMENT):
            self._ask_for_announcement()

    def _prepare_announcement(self) -> None:
        """As soon as there is a session; after the answer where the department wants nothing made before it."""
        if self._session_open and (self._connected or self._brief.get("prepare", True)):
            self._ask_for_announcement()

    def _announce(self) -> None:
        item_id = self._announcement.item_id if self._announcement.began_at is None else ""  # truncated at most once
        self._announcement.begin()
        self._announcement.sent([self._mouth.play(bytes(self._announcement.speech), item_id, self._now)])

    def _stream_announcement(self, speech: bytes) -> None:
        if not self._announcement.going:
            self._announcement.begin()
            speech = bytes(self._announcement.speech)
        self._announcement.sent(self._mouth.stream(speech, self._announcement.item_id, self._now))

    def _ask_for_announcement(self) -> None:
        self._ask(script.say_exactly(self._announcement.text, self._language), tools=False, purpose=ANNOUNCEMENT)

    @property
    def _is_quiet(self) -> bool:
        """Nobody speaks, and nothing is being made."""
        return not (self._mouth.playout.busy or self._turn_began is not None or self._responses.active is not None)

    def _ask_again_gently(self) -> None:
        """The agent has said nothing. This is no new turn of ours: his time to decide runs on."""
        said = script.text("nudge", self._language)
        if self.has_model:
            self._nudging = True
            self._ask(script.say_exactly(said, self._language), tools=False)
        else:
            self._do(Synthesise("nudge", f"{said} {script.text('nudge_keys', self._language)}"))

    # ------------------------------------------------------------ the model
    def _session_update(self, model: str, transcribe: str) -> bytes:
        return p.session_update(
            model=model,
            instructions=script.instructions(self._brief),
            voice=str(self._brief.get("voice") or "marin"),
            language=self._language,
            transcribe=transcribe,
        )

    def _ask(self, instructions: str = "", *, tools: bool = True, purpose: str = "") -> None:
        self._watch.sign()
        self._send(self._responses.ask(self._now, instructions, tools=tools, purpose=purpose))

    def _stop_answering(self) -> None:
        """No more of the active response, silence, and the model told what was heard."""
        self._send(self._responses.interrupt())
        self._send(self._mouth.interrupt(self._now))

    def _nothing_done(self, calls: tuple[ToolCall, ...], why: str) -> None:
        for call in calls:
            self._disposed.add(call.call_id)
            self._send([p.tool_output(call.call_id, {"done": False, "why": why})])

    def _send(self, messages: list[bytes]) -> None:
        for message in messages:
            self._do(ToModel(message))

    def _do(self, effect: Effect) -> None:
        self._effects.append(effect)
