"""What the agent has heard of what we sent. Pure; all times are milliseconds of the agent's own audio.

FreeSWITCH reports three things of a clip: the file is there ("ready"), it was queued for the member ("start": sent at
once also for a clip that waits behind another), it was played ("done"). So a clip is audible from the later of its own
start and the end of the clip before it. The reports come over the bus, which may be down: what is overdue is assumed.
"""

import re
from dataclasses import dataclass, field

from calls.voice.audio import FRAME_MS, levels
from calls.voice.protocol import BYTES_PER_MS

REPORT_OVERDUE_MS = 1500
"""A clip of which nothing was heard for so long is taken to be playing."""
TOLD_LATE_MS = 400
"""A clip is taken to be heard up to so long before its start is told."""
END_OVERDUE_MS = 500
"""A clip is over this long after it should have been."""

_NUMBER = re.compile(r"_(\d+)\.tmp")  # mod_audio_stream: <leg's uuid>_<n>.tmp.wav, n from 0 on every stream


@dataclass(slots=True)
class Clip:
    item_id: str  # of the conversation; "" for what the model did not say
    length_ms: int
    sent_at: int
    queued: bool = False
    audible_at: int | None = None
    ended_at: int | None = None
    dropped: bool = False
    pcm: bytes = b""  # L16 at 24 kHz, until it is over
    levels: list[float] = field(default_factory=list)  # of each 20 ms of it

    def ends(self, at: int) -> None:
        self.ended_at, self.pcm, self.levels = at, b"", []

    def heard_ms(self, now: int) -> int:
        if self.audible_at is None:
            return 0
        until = now if self.ended_at is None else self.ended_at
        return max(0, min(self.length_ms, until - self.audible_at))


class Playout:
    """The clips of one stream in the order sent, which is the order played."""

    def __init__(self) -> None:
        self.clips: list[Clip] = []
        self._over = 0
        """So many of the first clips are over: every frame asks for the others."""
        self._free_at = 0
        """When the last of those had ended."""

    def _going(self) -> list[Clip]:
        """From the first that is not over on."""
        while self._over < len(self.clips) and (ended := self.clips[self._over].ended_at) is not None:
            self._free_at = max(self._free_at, ended)
            self._over += 1
        return self.clips[self._over :]

    def sent(self, item_id: str, length_ms: int, now: int, pcm: bytes = b"") -> Clip:
        clip = Clip(item_id, length_ms, now, pcm=pcm, levels=levels(pcm))
        self.clips.append(clip)
        return clip

    def report(self, what: str, path: str, now: int) -> Clip | None:
        """A "playback" message of the bus. Returns the clip it is about, None for a file that is not ours."""
        clip = self._clip_of(path)
        if clip is None:
            return None
        if what == "start":
            clip.queued = True
        elif what in ("done", "stopped") and clip.ended_at is None:
            if clip.audible_at is None:
                clip.audible_at = now - clip.length_ms if what == "done" else now
            clip.ends(now)
        self.advance(now)
        return clip

    def advance(self, now: int) -> None:
        """Let time pass: the next queued clip becomes audible, the overdue is assumed."""
        going, free_at = self._going(), self._free_at
        for clip in going:
            if clip.ended_at is None:
                since = max(clip.sent_at, free_at)
                if clip.audible_at is None and clip.queued:
                    clip.audible_at = now
                elif clip.audible_at is None and now - since >= REPORT_OVERDUE_MS:
                    clip.audible_at = since
                if clip.audible_at is None or now - clip.audible_at < clip.length_ms + END_OVERDUE_MS:
                    return
                clip.ends(clip.audible_at + clip.length_ms)
            free_at = max(free_at, clip.ended_at)

    def drop(self, now: int) -> None:
        """Everything that has not been played is silenced now."""
        for clip in self._going():
            if clip.ended_at is None:
                clip.ends(now)
                clip.dropped = True

    @property
    def busy(self) -> bool:
        """Something is playing or waits to be played."""
        return self._over < len(self.clips) and bool(self._going())

    @property
    def audible(self) -> Clip | None:
        """The clip the agent hears now."""
        going = self._going()
        return next((clip for clip in going if clip.ended_at is None and clip.audible_at is not None), None)

    def sound(self, now: int, milliseconds: int) -> bytes:
        """What the agent has heard of us in the last `milliseconds` before `now`, b"" for silence."""
        clip = self.audible
        if clip is None or clip.audible_at is None:
            return b""
        begin = max(0, now - milliseconds - clip.audible_at)
        return clip.pcm[begin * BYTES_PER_MS : (begin + milliseconds) * BYTES_PER_MS]

    def level_about_now(self, now: int) -> float:
        """Of 20 ms of what he may hear of us now or in a moment: a clip's start is told late."""
        going = self._going()
        if not going:
            return 0.0
        clip = going[0]
        began = clip.sent_at if clip.audible_at is None else clip.audible_at
        at = (now - began + TOLD_LATE_MS) // FRAME_MS
        return clip.levels[at] if at < len(clip.levels) else 0.0

    def left_ms(self, now: int) -> int:
        """How long there will be something to hear."""
        return sum(clip.length_ms - clip.heard_ms(now) for clip in self._going() if clip.ended_at is None)

    def cut_short(self, now: int) -> dict[str, int]:
        """Items of the conversation that have not been played to their end, and how many milliseconds of each the agent
        has heard; items of which nothing was heard are left out."""
        unfinished = {clip.item_id for clip in self.clips if clip.item_id and clip.ended_at is None}
        heard = {
            item_id: sum(clip.heard_ms(now) for clip in self.clips if clip.item_id == item_id) for item_id in unfinished
        }
        return {item_id: ms for item_id, ms in heard.items() if ms > 0}

    def _clip_of(self, path: str) -> Clip | None:
        number = _NUMBER.search(path)
        at = int(number[1]) if number else -1
        return self.clips[at] if 0 <= at < len(self.clips) else None
