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
group "transfer.<id hex>" -> API long polls, pages
    {"type": "transfer.changed", "id": hex, "version": n, "state": s}
    {"type": "transfer.said", "id": hex}                        something was said; the words are in the database
group "transfers"         -> boards: the same messages for every transfer, and
    {"type": "leg.state", "id": hex, "leg": "caller" | "agent", "what": "talking" | "muted" | "held", "on": bool}
"""

import asyncio
from typing import Any

import structlog
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

log = structlog.get_logger(__name__)

AUDIO = "audio"
BOARD = "transfers"


def switch_group(slug: str) -> str:
    return f"switch.{slug}"


def process_group(process_id: str) -> str:
    """Group names allow letters, digits, hyphens, underscores and dots only, below 100 characters."""
    return "audio." + "".join(c if c.isalnum() or c in "-_." else "-" for c in process_id)[:80]


def transfer_group(transfer_id: Any) -> str:
    return f"transfer.{getattr(transfer_id, 'hex', transfer_id)}"


async def asend(group: str, message: dict[str, Any]) -> bool:
    """Send to a group; false (and a log line) when the layer is unreachable or slower than a second."""
    layer = get_channel_layer()
    try:
        async with asyncio.timeout(1):
            await layer.group_send(group, message)
    except Exception as error:
        log.warning("bus.unreachable", group=group, type=message["type"], error=type(error).__name__)
        return False
    return True


def send(group: str, message: dict[str, Any]) -> bool:
    """As asend(), from synchronous code that runs in no event loop."""
    return async_to_sync(asend)(group, message)
