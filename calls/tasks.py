"""Ending tasks, for certain."""

import asyncio
from typing import Any

AGAIN_AFTER_SECONDS = 2.0
"""Longer than any of our tasks needs to put things in order when it is cancelled."""


async def cancelled(*tasks: "asyncio.Future[Any]") -> None:
    """Cancel them; returns when each has ended, whatever it ended with.

    A library may make an error of a cancellation (the Redis client below a channel layer's receive() does), and a loop
    that goes on after errors then goes on for ever. So whoever has not ended is cancelled again.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=AGAIN_AFTER_SECONDS)
    await asyncio.gather(*tasks, return_exceptions=True)
