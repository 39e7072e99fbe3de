"""The channel layer's messages between processes, all in one place. They only wake; the truth is in the database.

Every receiver also polls, so that a dead Redis slows things down and stops nothing. A message that cannot be sent is
dropped and counted. No speech and no telephone number travels here.

group "switch.<slug>"     -> the switch process
    {"type": "outbox.wake"}                                     commands wait in the outbox
    {"type": "question.wake"}                                   somebody asks whether a call is here
    {"type": "clips.stop", "uuid": B}                           barge-in: silence B's clips now
    {"type": "clip.break", "uuid": A}                           stop a prompt to the caller
group "audio"             -> every web process
    {"type": "audio.wake"}                                      an AudioSession waits to be claimed
group "audio.<process>"   -> one web process
    {"type": "announcer.note", "session": id, "note": NAME}   repeat, caller_left, redirect_refused, close
    {"type": "announcer.tell", "session": id, "action": id}     a supervisor's words, in the SupervisorAction of this id
    {"type": "playback", "uuid": leg, "path": file, "what": "ready" | "start" | "done" | "stopped", "at_ms": epoch ms}
    {"type": "leg.key", "uuid": B, "digit": "0"}
    {"type": "leg.hold", "uuid": B, "on": bool}
    {"type": "leg.moment", "uuid": B}                           his key is taken as soon as the database is back
    {"type": "several", "messages": [...]}                      of the above, in order (Post)
group "transfer.<id hex>" -> API long polls, pages
    {"type": "transfer.changed", "id": hex, "version": n, "state": s}
    {"type": "transfer.said", "id": hex}                        something was said; the words are in the database
group "transfers"         -> boards: the same messages for every transfer, and
    {"type": "leg.state", "id": hex, "leg": "caller" | "agent", "what": "talking" | "muted" | "held", "on": bool}
"""

import asyncio
import time
from collections import deque
from typing import Any

import structlog
from channels.layers import get_channel_layer
from redis.exceptions import TimeoutError as RedisTimeout

log = structlog.get_logger(__name__)

AUDIO = "audio"
BOARD = "transfers"
PATIENCE_SECONDS = 1.0
REST_SECONDS = 5.0
"""A Redis that does not answer (its machine hangs, the network swallows) is left alone for so long: every try would
cost a step its patience, and the switch process takes one step after another."""

_rests_until = 0.0  # monotonic


def switch_group(slug: str) -> str:
    return f"switch.{slug}"


def process_group(process_id: str) -> str:
    """Group names allow letters, digits, hyphens, underscores and dots only, below 100 characters."""
    return "audio." + "".join(c if c.isalnum() or c in "-_." else "-" for c in process_id)[:80]


def transfer_group(transfer_id: Any) -> str:
    return f"transfer.{getattr(transfer_id, 'hex', transfer_id)}"


def resting() -> bool:
    """Whether Redis has not answered just now."""
    return time.monotonic() < _rests_until


def rest() -> None:
    """It did not answer."""
    global _rests_until
    _rests_until = time.monotonic() + REST_SECONDS


async def asend(group: str, message: dict[str, Any]) -> bool:
    """Send to a group; false (and a log line) when the layer is unreachable or slower than a second."""
    if resting():
        return False
    layer = get_channel_layer()
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await layer.group_send(group, message)
    except Exception as error:
        _unreachable(group, message, error)
        return False
    return True


def send(group: str, message: dict[str, Any]) -> bool:
    """As asend(), from synchronous code."""
    if resting():
        return False
    try:
        get_channel_layer().group_send_now(group, message)
    except Exception as error:
        _unreachable(group, message, error)
        return False
    return True


def _unreachable(group: str, message: dict[str, Any], error: Exception) -> None:
    if isinstance(error, TimeoutError | RedisTimeout):
        rest()
    log.warning("bus.unreachable", group=group, type=message["type"], error=type(error).__name__)


def unpacked(message: dict[str, Any]) -> list[dict[str, Any]]:
    """What one message of a Post holds."""
    return message["messages"] if message["type"] == "several" else [message]


class Post:
    """Messages to one group, in order: the first at once, and those that come soon after it together. What a message
    costs its reader is the message, hardly what is in it, and the reports of 100 announcers' clips are hundreds a
    second."""

    GATHER_SECONDS = 0.01
    """Reports of clips are of frames of 20 ms."""
    KEPT = 1000

    def __init__(self, group: str) -> None:
        self._group = group
        self._waiting: deque[dict[str, Any]] = deque(maxlen=self.KEPT)
        self._sending: asyncio.Task[None] | None = None

    def put(self, message: dict[str, Any]) -> None:
        self._waiting.append(message)
        if self._sending is None:
            self._sending = asyncio.create_task(self._send())

    def cancel(self) -> None:
        if self._sending:
            self._sending.cancel()

    async def _send(self) -> None:
        try:
            while self._waiting:
                messages = list(self._waiting)
                self._waiting.clear()
                message = messages[0] if len(messages) == 1 else {"type": "several", "messages": messages}
                await asend(self._group, message)
                await asyncio.sleep(self.GATHER_SECONDS)
        finally:
            self._sending = None
