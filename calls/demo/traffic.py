"""Callers who ring in every few seconds, for as long as the demo runs."""

import asyncio
import itertools
import random
import time
from collections.abc import Callable
from typing import Any

import httpx

from calls.demo.callers import PEOPLE, Person, Secretary, ring_in
from calls.demo.esl import EslError, EventSocket
from calls.demo.parts import Esl

AT_ONCE = 12
"""Calls in progress at most: the demo shares the machine with whoever looks at it."""
SECRETARY_TALKS = (0.5, 2.0)
"""Seconds a caller spends in the menu before the secretary asks for the transfer."""
GIVE_UP = 240.0
RECONNECT = 2.0
CALLER: dict[str, Any] = {"sim_menu_seconds": 4}
"""They stay until the agent hangs up, and leave when they are back in the menu."""


async def ring_for_ever(esl: Esl, secretary: Secretary, every: float, say: Callable[[str], None]) -> None:
    """Never returns. A switch that goes away is waited for."""
    people = _shuffled()
    while True:
        try:
            socket = await EventSocket.connect(esl.host, esl.port, esl.password, "CHANNEL_ANSWER")
        except (OSError, EslError):
            await asyncio.sleep(RECONNECT)
            continue
        try:
            room = asyncio.Semaphore(AT_ONCE)
            async with asyncio.TaskGroup() as calls:
                for person in people:
                    await room.acquire()
                    call = calls.create_task(_one(socket, secretary, person, say))
                    call.add_done_callback(lambda _, room=room: room.release())
                    await asyncio.sleep(every)
        except* EslError:
            await asyncio.sleep(RECONNECT)
        finally:
            await socket.close()


def _shuffled():
    """Everybody once, in another order every round."""
    for _ in itertools.count():
        yield from random.sample(PEOPLE, len(PEOPLE))


async def _one(socket: EventSocket, secretary: Secretary, person: Person, say: Callable[[str], None]) -> None:
    try:
        call = await ring_in(socket, **CALLER)
        await asyncio.sleep(random.uniform(*SECRETARY_TALKS))
        transfer = await secretary.ask(call, person)
        result = await secretary.result(transfer["id"], GIVE_UP)
    except (httpx.HTTPError, TimeoutError) as error:
        said = (
            f"HTTP {error.response.status_code}" if isinstance(error, httpx.HTTPStatusError) else type(error).__name__
        )
        outcome = f"no result ({said})"
    else:
        ticket = result.get("ticket")
        outcome = result["outcome"] + (f", ticket {ticket['protocol']}" if ticket else "")
    say(f"{time.strftime('%H:%M:%S')}  {person.name} asked for {person.department}: {outcome}")
