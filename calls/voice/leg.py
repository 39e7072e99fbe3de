"""One audio socket to be: what an agent's announcer and a caller's prompt have in common.

A Leg is made when its AudioSession is claimed, is attached when FreeSWITCH comes with the token, and ends once. What it
wants to send waits in `outbox`; the consumer sends it, and closes the socket at None.
"""

import asyncio
import contextlib
import traceback
from collections.abc import Coroutine
from types import ModuleType
from typing import Any

import structlog

from calls.services import ClaimedAudio, LiveAudio
from calls.tasks import cancelled

log = structlog.get_logger(__name__)

OUTBOX_KEPT = 256
"""Messages that wait for a socket which takes none: minutes of speech. What comes then is dropped, for nobody would
hear it in time; the stage's deadline decides for an agent who hears nothing."""
STOP_SECONDS = 3
"""At the end of the process a leg gets so much time to finish."""


class Leg:
    """`door` is calls.voice.door; `url` is where FreeSWITCH finds us, token included: never logged."""

    def __init__(self, claimed: ClaimedAudio, url: str, door: ModuleType | Any):
        self.claimed, self.url, self.door = claimed, url, door
        self.outbox: asyncio.Queue[str | None] = asyncio.Queue()
        self.ended = asyncio.Event()
        self.closing = False
        self.uuid = ""  # of the channel, from attach() on
        self.usage: dict[str, Any] = {}
        self.log = log.bind(session=claimed.session_id, transfer=claimed.short_id, leg=claimed.leg)
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self) -> None:
        """Begin to work, before FreeSWITCH comes."""

    def attach(self, live: LiveAudio) -> None:
        """FreeSWITCH's socket is there."""
        self.uuid = live.agent_uuid if self.claimed.leg == "agent" else live.caller_uuid

    def frame(self, pcm: bytes) -> None:
        """20 ms of this leg's voice."""

    def playback(self, what: str, path: str) -> None:
        """What the switch does with a clip of ours."""

    def note(self, name: str) -> None:
        """repeat, caller_left, redirect_refused, moment, close."""
        if name == "close":
            self.spawn(self.close())

    def tell(self, action: int) -> None:
        """A supervisor's words, by the id of what he did."""

    def hold(self, on: bool) -> None:
        """The telephone's own hold."""

    def say(self, text: str) -> None:
        """To FreeSWITCH, in order; never waits."""
        if self.outbox.qsize() < OUTBOX_KEPT:
            self.outbox.put_nowait(text)
        else:
            self.log.warning("audio.not_taken")

    def detach(self) -> None:
        """FreeSWITCH's socket is gone. If that is a loss, the switch process is told by FreeSWITCH and says so."""
        if not self.closing:
            self.spawn(self.close())

    async def close(self) -> None:
        """Once: finish, let the socket be closed, say that the session is over."""
        if self.closing:
            return
        self.closing = True
        try:
            await self.finish()
            self.outbox.put_nowait(None)
            await self.door.close_audio(self.claimed.session_id, self.usage)
        except Exception as error:
            self.log.warning("audio.not_closed", error=type(error).__name__)
        finally:
            for task in self._tasks - {asyncio.current_task()}:
                task.cancel()
            self.ended.set()

    async def finish(self) -> None:
        """What must be done before the socket is closed."""

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """A task that is held, and ends with the leg."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self.log.error("audio.task_failed", error=type(error).__name__, at=place_of(error))

    async def stop(self) -> None:
        """The process ends. A leg that FreeSWITCH has come for is closed, one that waits is left to another process."""
        if self.uuid or self.closing:
            self.spawn(self.close())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOP_SECONDS):
                    await self.ended.wait()
        await cancelled(*self._tasks)


def place_of(error: BaseException) -> str:
    """File and line where it was raised. The text of an error may quote what somebody said: it stays out of the log."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
