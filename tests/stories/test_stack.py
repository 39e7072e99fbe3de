"""The stack itself: what stories stand on."""

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_transfer_goes_all_the_way_and_the_two_hear_each_other(stack):
    department = await stack.department("presses_1", instructions="{caller}. Pode atender?")
    call = await stack.caller(sim_menu_seconds=1)
    assert stack.where(call) == "menu"

    transfer = await stack.request(call, department=department)
    await stack.reached(transfer, "announcing")
    assert stack.where(call) == "conference"
    transfer = await stack.ended(transfer)

    assert (transfer["outcome"], transfer["decided_by"]) == ("accepted", "key")
    assert stack.heard_each_other(call.uuid, transfer["agent_uuid"])
    await stack.tidy()


async def test_a_process_that_was_killed_serves_again_once_started_again(stack):
    await stack.kill("web")
    await stack.start_again("web")
    assert (await stack.http.get("/departments")).status_code == 200
