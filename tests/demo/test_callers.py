import asyncio

import pytest

from calls.demo.callers import ring_in
from calls.demo.esl import EslError, EventSocket
from calls.simulator.switch import SimulatedSwitch


@pytest.fixture
async def switch():
    switch = SimulatedSwitch(password="secret", phonebook={"2001": "busy"}, speed=5)
    await switch.start()
    yield switch
    await switch.stop()


@pytest.fixture
async def esl(switch):
    esl = await EventSocket.connect(switch.host, switch.port, "secret", "CHANNEL_ANSWER")
    yield esl
    await esl.close()


async def test_a_simulated_caller_arrives_in_the_menu(switch, esl):
    call = await ring_in(esl)
    assert switch.channels[call.uuid].profile.caller_number == call.number
    assert await esl.api(f"uuid_getvar {call.uuid} ivr_visits") == "1"


async def test_twenty_callers_at_once_are_told_apart(switch, esl):
    calls = await asyncio.gather(*(ring_in(esl) for _ in range(20)))
    assert len({call.uuid for call in calls}) == 20
    assert all(switch.channels[call.uuid].profile.caller_number == call.number for call in calls)


async def test_a_wrong_password_is_said(switch):
    with pytest.raises(EslError, match="auth"):
        await EventSocket.connect(switch.host, switch.port, "wrong")


async def test_a_refused_command_is_said(esl):
    with pytest.raises(EslError, match="No such channel"):
        await esl.api("uuid_kill 00000000-0000-0000-0000-000000000000")


async def test_a_switch_that_goes_away_keeps_nobody_waiting(switch, esl):
    waiting = esl.expect(lambda event: False)
    switch.cut_event_sockets()
    with pytest.raises(EslError):
        await asyncio.wait_for(waiting, 5)
    with pytest.raises(EslError):
        await esl.api("status")
