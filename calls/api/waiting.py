"""Waiting for a transfer's result. A message wakes the waiter; a look at the database once a second needs no message.

No thread and no database connection is held between two looks.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID

import structlog
from channels.layers import get_channel_layer

from calls import bus, drain
from calls.tasks import cancelled

log = structlog.get_logger(__name__)
LOOK_EVERY_SECONDS = 1.0

T = TypeVar("T")


async def until(look: Callable[[], Awaitable[T]], done: Callable[[T], bool], transfer_id: UUID, seconds: float) -> T:
    """Look until what is seen is done, for at most `seconds`; returns what was seen last.

    `look` must give its database connection back: hundreds may wait here at the same time.
    """
    seen = await look()
    ends = time.monotonic() + seconds
    if done(seen) or seconds <= 0:
        return seen
    changed = asyncio.Event()
    listener = asyncio.create_task(_listen(bus.transfer_group(transfer_id), changed))
    try:
        while not done(seen) and not drain.closing() and (left := ends - time.monotonic()) > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(left, LOOK_EVERY_SECONDS)):
                    await changed.wait()
            changed.clear()
            seen = await look()
    finally:
        await cancelled(listener)
    return seen


async def _listen(group: str, changed: asyncio.Event) -> None:
    """Set `changed` at every message to the group. Ends when the channel layer fails: then the looks must do."""
    layer = get_channel_layer()
    channel = None
    try:
        channel = await layer.new_channel()
        await layer.group_add(group, channel)
        changed.set()  # what happened before the group knew us
        while True:
            await layer.receive(channel)
            changed.set()
    except Exception as error:
        log.warning("longpoll.layer", error=type(error).__name__)
    finally:
        if channel:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(1):
                    await layer.group_discard(group, channel)
