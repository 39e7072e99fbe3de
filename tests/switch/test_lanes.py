"""Lanes keep an order, and never more than they can hold."""

import asyncio

from calls.switch.lanes import KEPT, Lanes


async def test_a_lane_that_stands_still_keeps_what_came_first_and_others_go_on():
    lanes, go_on, done = Lanes("test"), asyncio.Event(), []

    async def stand_still():
        await go_on.wait()

    async def note(number):
        done.append(number)

    lanes.put("flooded", stand_still)
    await asyncio.sleep(0)
    for number in range(KEPT + 50):
        lanes.put("flooded", lambda number=number: note(number))
    lanes.put("other", lambda: note("other"))
    await asyncio.sleep(0.01)
    assert done == ["other"]
    go_on.set()
    assert await lanes.drained(2)
    assert done[1:] == list(range(KEPT))
