"""A task that is told to end, ends."""

import asyncio

import pytest

from calls import tasks
from calls.tasks import cancelled


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr(tasks, "AGAIN_AFTER_SECONDS", 0.05)


async def test_all_have_ended_whatever_they_ended_with():
    async def fails():
        raise ValueError

    ended = [asyncio.create_task(each) for each in (asyncio.sleep(60), fails(), asyncio.sleep(0))]
    await asyncio.sleep(0)
    await asyncio.wait_for(cancelled(*ended), 2)
    assert all(task.done() for task in ended)


async def test_nobody_to_end_is_no_error():
    await cancelled()


async def test_a_loop_that_takes_its_cancellation_for_an_error_ends_all_the_same():
    async def receive():
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            raise ConnectionError("closed by a library") from None

    async def listen():
        while True:
            try:
                await receive()
            except Exception:
                await asyncio.sleep(60)

    listening = asyncio.create_task(listen())
    await asyncio.sleep(0)
    await asyncio.wait_for(cancelled(listening), 2)
    assert listening.cancelled()
