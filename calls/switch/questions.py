"""Answers whether this switch holds a call, for the processes that have no Event Socket."""

import asyncio
from contextlib import suppress

from calls import services
from calls.switch import wording
from calls.switch.connection import Connection, SwitchGone
from calls.switch.database import DatabaseError, after_error
from calls.switch.safe import WordingError

LOOK_EVERY = 0.5  # seconds, should the bus not wake us


async def answer_questions(switch_id: int, connection: Connection, asked: asyncio.Event) -> None:
    """Until cancelled, or the connection ends."""
    while True:
        asked.clear()
        try:
            for question in await services.aopen_questions(switch_id):
                await services.aanswer_question(question.pk, await _holds(connection, question.call_uuid))
        except DatabaseError as error:
            await after_error(error, "answering")
        except SwitchGone:
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(asked.wait(), LOOK_EVERY)


async def _holds(connection: Connection, call_uuid: str) -> bool:
    try:
        line = wording.exists(call_uuid)
    except WordingError:
        return False  # no call can have such a name
    return (await connection.api(line.text)).startswith(line.good)
