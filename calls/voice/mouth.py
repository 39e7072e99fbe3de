"""Our side of the line: clips out to the agent, and what he has heard of them. Pure; times in ms of his audio."""

from calls.voice import protocol
from calls.voice.clips import ClipCutter, duration_ms
from calls.voice.effects import Effect, Play, Silence
from calls.voice.playout import Clip, Playout


class Mouth:
    """Appends Play and Silence to `effects`. `pcm` is L16 at 24 kHz, `item_id` "" for what the model did not say."""

    def __init__(self, effects: list[Effect]) -> None:
        self.playout = Playout()
        self._effects = effects
        self._cutter = ClipCutter()
        self._item_id = ""

    def play(self, pcm: bytes, item_id: str, now: int) -> Clip:
        """All of it as one clip."""
        self._effects.append(Play(pcm))
        return self.playout.sent(item_id, duration_ms(pcm), now, pcm)

    def stream(self, pcm: bytes, item_id: str, now: int) -> list[Clip]:
        """A part of what is still being made; it goes out clip by clip."""
        self._item_id = item_id
        return [self.play(clip, item_id, now) for clip in self._cutter.push(pcm)]

    def finish(self, now: int) -> list[Clip]:
        """What was streamed is complete: the rest of it."""
        return [self.play(clip, self._item_id, now) for clip in self._cutter.flush()]

    def silence(self, now: int) -> None:
        self._cutter.discard()
        if self.playout.busy:
            self._effects.append(Silence())
            self.playout.drop(now)

    def interrupt(self, now: int) -> list[bytes]:
        """As silence(); returns what the model must be told: how much was heard of each item."""
        cuts = self.playout.cut_short(now)
        self.silence(now)
        return [protocol.truncate(f"cut_{item_id}"[:64], item_id, heard_ms) for item_id, heard_ms in cuts.items()]
