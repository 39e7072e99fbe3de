"""Drives a Dialogue without sockets, as the model, the switch and an agent would."""

import json

import numpy as np

from calls.voice import effects as fx
from calls.voice import protocol as p
from calls.voice.dialogue import Dialogue

BRIEF = {
    "kind": "announcement",
    "agent_name": "João",
    "department": "Vendas",
    "language": "pt-BR",
    "voice": "marin",
    "announcement_text": "Olá, João. Maria quer falar com você. Você pode atender agora?",
}
SECOND = bytes(48_000)
QUIET = bytes(960)
LOUD = (8000 * np.sin(np.arange(480) / 4)).astype("<i2").tobytes()


class Line:
    """Drives a Dialogue as model, switch and agent would, and keeps what it wanted done."""

    def __init__(self, **options):
        self.seconds = 0.0
        transcribe = options.get("transcribe", "none")
        brief = BRIEF | options.get("brief", {})
        self.dialogue = Dialogue(
            "mark", brief, model="gpt-realtime-2.1", transcribe=transcribe, clock=lambda: self.seconds
        )
        self.done: list[fx.Effect] = []
        self._clips_started = 0

    def __getattr__(self, name):
        def event(*args):
            self.seconds += 0.02 if name == "frame" else 0
            getattr(self.dialogue, name)(*args)
            new = self.dialogue.take_effects()
            self.done += new
            return new

        return event

    # what the model does
    def model(self, *events):
        return [effect for event in events for effect in self.from_model(event)]

    def responds(self, number, *, seconds=0, calls=(), status="completed"):
        name = f"resp_{number}"
        new = self.model(p.ResponseCreated(name))
        for _ in range(seconds):
            new += self.model(p.AudioDelta(name, f"item_{number}", SECOND))
        return new + self.model(p.ResponseDone(name, status, "", tuple(calls), {"total_tokens": 10}))

    def prepared(self, seconds=5):
        self.model_up()
        self.responds(1, seconds=seconds)
        return self

    # what the switch reports
    def started(self):
        number = self._clips_started
        self._clips_started += 1
        return self.playback("start", f"/tmp/leg_{number}.tmp.wav")

    def played(self):
        return self.playback("done", f"/tmp/leg_{self._clips_started - 1}.tmp.wav")

    # what the agent does
    def says(self, milliseconds, *, noticed=True):
        """Speaks; the model notices after 60 ms."""
        new = []
        for at in range(0, milliseconds, 20):
            new += self.frame(LOUD)
            if noticed and at == 60:
                new += self.model(p.SpeechStarted("turn", 0))
        return new

    def waits(self, milliseconds):
        return [effect for _ in range(0, milliseconds, 20) for effect in self.frame(QUIET)]

    def falls_silent(self, item="turn"):
        """Half a second of quiet: the model takes the turn for finished."""
        return self.waits(500) + self.model(p.SpeechStopped(item, 0), p.Committed(item))

    def announced(self, seconds=5):
        """The announcement was heard to its end."""
        self.prepared(seconds)
        self.connected()
        self.started()
        self.waits(seconds * 1000)
        self.played()
        return self

    def of(self, kind, among=None):
        return [effect for effect in (self.done if among is None else among) if isinstance(effect, kind)]

    def told(self, among=None):
        return [effect.event for effect in self.of(fx.Tell, among)]

    def messages(self, among=None):
        return [json.loads(effect.message) for effect in self.of(fx.ToModel, among)]

    def types(self, among=None):
        return [message["type"] for message in self.messages(among)]
