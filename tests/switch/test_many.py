"""The switch process with several transfers at once, and with what it may forget."""

import asyncio

import pytest

from calls.transfer.states import State


@pytest.mark.parametrize("count", [6])
async def test_many_transfers_at_once_do_not_mix(world, count):
    await world.start()
    numbers = [f"21{n:02}" for n in range(count)]
    for number in numbers:
        world.lab.directory.extra[number] = [{}]
    department = await world.department(*numbers)
    transfers = await asyncio.gather(*[world.ask(department, await world.caller()) for _ in numbers])
    await asyncio.gather(*[world.announcing(transfer) for transfer in transfers])
    rooms = [world.inside(await world.transfer(transfer)) for transfer in transfers]
    assert all(len(room) == 2 for room in rooms)
    for transfer, room in zip(transfers, rooms, strict=True):
        current = await world.transfer(transfer)
        assert room == {current.caller_uuid, current.agent_uuid}


async def test_what_has_long_ended_is_forgotten(world):
    await world.start()
    caller = await world.caller()
    transfer = await world.ask(await world.department("2001"), caller)
    await world.announcing(transfer)
    operator = world.process.operator
    operator.forget_the_old(0, {transfer.pk})
    assert operator.index.by_caller(caller)  # still open
    await world.api(f"uuid_kill {caller}")
    await world.reaches(transfer, State.ENDED)
    operator.forget_the_old(60, set())
    assert operator.index.by_caller(caller)  # his agent's leg may still be up
    await asyncio.sleep(0.01)
    operator.forget_the_old(0, set())
    assert operator.index.by_caller(caller) is None
