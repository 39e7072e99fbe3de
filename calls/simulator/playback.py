"""What a channel plays to its own leg: the `playback` application and `uuid_broadcast`, with their events."""

import asyncio
from typing import TYPE_CHECKING

from calls.simulator.wav import UnreadableSound

if TYPE_CHECKING:
    from calls.simulator.channel import Channel

UNPLAYABLE = (OSError, ValueError, UnreadableSound)
"""What loading a sound may raise."""


class Playback:
    """Owned by a channel. Broadcasts wait for one another, and replace whatever the leg would hear."""

    def __init__(self, channel: "Channel"):
        self._channel = channel
        self._waiting = 0
        self._cut = False
        self._over: asyncio.Event | None = None
        self.idle = asyncio.Event()
        """Set while no broadcast plays or waits: leaving a conference by `hup` or `kick` waits for it."""
        self.idle.set()

    async def run(self, path: str) -> None:
        """The `playback` application: until the file ends, or the channel goes elsewhere."""
        media, uuid = self._channel.switch.media, self._channel.uuid
        over = asyncio.Event()
        try:
            media.loop_playback(uuid, path, loop=False, on_stop=lambda _status: over.set())
        except UNPLAYABLE:
            return  # what cannot be played is passed over, without an event
        self._over = over
        self._fire("PLAYBACK_START", path)
        try:
            await over.wait()
        finally:
            self._over = None
            media.stop_playback(uuid)
            self.cut()
            self._fire("PLAYBACK_STOP", path, "done")

    def broadcast(self, path: str) -> None:
        """uuid_broadcast … aleg. What cannot be played is nothing, and no event tells."""
        try:
            self._channel.switch.media.broadcast(
                self._channel.uuid,
                path,
                lambda: self._fire("PLAYBACK_START", path),
                lambda status: self._stopped(path, status),
            )
        except UNPLAYABLE:
            return
        self._waiting += 1
        self._cut = False
        self.idle.clear()

    def break_(self) -> None:
        """uuid_break … all: silences the broadcasts, or ends the file of the `playback` application."""
        if self._waiting:
            self._end_broadcasts()
        elif self._over:
            self._over.set()

    def cut(self) -> None:
        """The channel leaves: its broadcasts end at once, and say `done` all the same."""
        self._cut = True
        self._end_broadcasts()

    def _end_broadcasts(self) -> None:
        self._channel.switch.media.break_(self._channel.uuid)
        # One that had not begun ends without a callback.
        self._waiting = 0
        self.idle.set()

    def _stopped(self, path: str, status: str) -> None:
        self._waiting = max(0, self._waiting - 1)
        self._fire("PLAYBACK_STOP", path, "done" if self._cut else status)
        if not self._waiting:
            self.idle.set()

    def _fire(self, name: str, path: str, status: str = "") -> None:
        kind = path.partition("://")[0] if "://" in path else "file"
        headers = [("Playback-File-Type", kind), ("Playback-File-Path", path)]
        self._channel.fire(name, headers + ([("Playback-Status", status)] if status else []))
