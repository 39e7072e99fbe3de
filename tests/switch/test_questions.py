"""The switch process answers for those who have no Event Socket."""

import pytest
from asgiref.sync import sync_to_async
from django.db import connection

from calls import bus
from calls.services import questions


@pytest.fixture
def locate(world):
    def ask(call_uuid):
        try:
            return questions.locate(call_uuid, [world.row])
        finally:
            connection.close()

    return sync_to_async(ask, thread_sensitive=False)  # it waits, and the process needs the other thread


async def test_a_switch_process_says_whether_its_switch_holds_a_call(world, locate):
    await world.start()
    assert await locate(await world.caller()) == (world.row, True)
    assert await locate("no-such-call") == (None, True)


async def test_what_can_be_no_call_is_on_no_switch(world, locate):
    await world.start()
    assert await locate("a b; status") == (None, True)


async def test_a_question_is_answered_though_nobody_was_woken(world, locate, monkeypatch):
    monkeypatch.setattr(bus, "send", lambda *_: False)
    await world.start()
    assert await locate(await world.caller()) == (world.row, True)


async def test_without_a_switch_process_there_is_no_answer(world, locate, monkeypatch):
    monkeypatch.setattr(questions, "PATIENCE_SECONDS", 0.1)
    caller = await world.caller()
    assert await locate(caller) == (None, False)
