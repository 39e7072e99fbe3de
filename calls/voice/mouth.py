"""Our side of the line: clips out to the agent, and what he has heard of them. Pure; times in ms of his audio."""

from calls.voice import protocol
from calls.voice.clips import ClipCutter, duration_ms
from calls.voice.effects import Effect, Play, Silence
from calls.voice.playout import Clip, Playout

HUNGRY_MS = 200
"""With less than this left to hear, any pause will do to end a clip at."""
SILENCE_OVERDUE_MS = 400
"""A silence of which nothing is told is taken to be there."""


class Mouth:
    """Appends Play and Silence to `effects`. `pcm` is L16 at 24 kHz, `item_id` "" for what the model did not say."""

    def __init__(self, effects: list[Effect]) -> None:
        self.playout = Playout()
        self._effects = effects
        self._cutter = ClipCutter()
        self._item_id = ""
        self._held: list[bytes] = []  # clips that wait until a silence is there
        self._stopped: Clip | None = None  # the last of what it takes away
        self._silent_at = 0

    def advance(self, now: int) -> None:
        """Let time pass."""
        self.playout.advance(now)
        if self._stopped and now >= self._silent_at:
            self._release()

    def report(self, what: str, path: str, now: int) -> None:
        """What the switch did with one of our clips; see playout.py."""
        clip = self.playout.report(what, path, now)
        if clip and clip.dropped and what in ("ready", "start"):
            self._stop(clip, now)  # it reached the switch after everything had been stopped
        elif clip and clip is self._stopped and what in ("done", "stopped"):
            self._release()

    def _stop(self, last: Clip, now: int) -> None:
        """Silence takes all clips that are at the switch: the order goes another way than they do, and may come later
        than one that is sent after it. So the next ones wait until the last of the former is told to be over."""
        self._effects.append(Silence())
        self._stopped, self._silent_at = last, now + SILENCE_OVERDUE_MS

    def _release(self) -> None:
        self._stopped = None
        self._effects += [Play(pcm) for pcm in self._held]
        self._held.clear()

    def play(self, pcm: bytes, item_id: str, now: int) -> Clip:
        """All of it as one clip."""
        if self._stopped:
            self._held.append(pcm)
        else:
            self._effects.append(Play(pcm))
        return self.playout.sent(item_id, duration_ms(pcm), now, pcm)

    def stream(self, pcm: bytes, item_id: str, now: int) -> list[Clip]:
        """A part of what is still being made; it goes out clip by clip."""
        self._item_id = item_id
        if self._cutter.grows(pcm):
            return []
        hungry = self.playout.left_ms(now) < HUNGRY_MS
        return [self.play(clip, item_id, now) for clip in self._cutter.push(pcm, hungry=hungry)]

    def finish(self, now: int) -> list[Clip]:
        """What was streamed is complete: the rest of it."""
        return [self.play(clip, self._item_id, now) for clip in self._cutter.flush()]

    def silence(self, now: int) -> None:
        self._cutter.discard()
        if self.playout.busy:
            self.playout.drop(now)
            # What was never sent has no number at the switch.
            del self.playout.clips[len(self.playout.clips) - len(self._held) :]
            self._held.clear()
            if self.playout.clips:
                self._stop(self.playout.clips[-1], now)

    def interrupt(self, now: int) -> list[bytes]:
        """As silence(); returns what the model must be told: how much was heard of each item."""
        cuts = self.playout.cut_short(now)
        self.silence(now)
        return [protocol.truncate(f"cut_{item_id}"[:64], item_id, heard_ms) for item_id, heard_ms in cuts.items()]
