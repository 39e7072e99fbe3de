"""Two FreeSWITCH servers, two web processes, one worker: calls are found, and no single death costs a caller."""

import asyncio

import httpx
import pytest
import pytest_asyncio

from calls.models import AudioSession, SwitchQuestion
from tests.wide_stack import SECOND, WideStack

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

QUIET = {"temperament": "silent"}
TAKES_IT = {"temperament": "presses_1", "talk_seconds": 4}
SHORT = "{caller}. Pode atender?"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        async with WideStack() as stack:
            yield stack


async def test_each_call_is_found_on_the_switch_that_holds_it(stack):
    departments = [await stack.department(TAKES_IT, instructions=SHORT) for _ in range(2)]
    first, second = await stack.caller(), await stack.caller_on_the_second()

    one, two = await asyncio.gather(
        stack.request(first, department=departments[0]), stack.request(second, department=departments[1])
    )
    assert one["switch"] != SECOND and two["switch"] == SECOND
    one, two = await asyncio.gather(stack.ended(one), stack.ended(two))

    assert one["outcome"] == two["outcome"] == "accepted"
    assert stack.heard_each_other(first.uuid, one["agent_uuid"])
    assert stack.switch2.media.ledger.heard_each_other(second.uuid, two["agent_uuid"])
    assert not await SwitchQuestion.objects.aexists()


async def test_a_call_that_no_switch_knows_ends_at_once_and_rings_nobody(stack):
    department = await stack.department(TAKES_IT, instructions=SHORT)
    body = {"call_uuid": "11111111-2222-3333-4444-555555555555", "department": department}
    answer = await stack.http2.post("/transfers", json=body)
    assert answer.status_code == 202
    transfer = await stack.ended(answer.json())
    assert transfer["outcome"] == "caller_left" and transfer["attempts"] == []


async def test_when_the_web_process_with_the_announcer_dies_the_other_one_begins_again(stack):
    department = await stack.department(QUIET, decision_seconds=60)
    call = await stack.caller()
    transfer = await stack.request(call, department=department)
    transfer = await stack.reached(transfer, "announcing")
    held = AudioSession.objects.filter(transfer_id=transfer["id"], leg="agent", state="live")

    async def live():
        return await held.select_related("process").afirst()

    session = await stack.until(live)
    died = "web" if session.process.audio_base_url.endswith(str(stack._port)) else "web2"
    living = stack.http2 if died == "web" else stack.http

    await stack.kill(died)

    async def again():
        return await held.exclude(pk=session.pk).aexists()

    await stack.until(again, 20)
    agent = stack.switch.channels[(await living.get(f"/transfers/{transfer['id']}")).json()["agent_uuid"]]
    agent.press("1")

    async def connected():
        return (await living.get(f"/transfers/{transfer['id']}")).json()["state"] == "connected"

    await stack.until(connected)
    await stack.start_again(died)
    agent.hangup()
    transfer = await stack.ended(transfer)
    assert transfer["outcome"] == "accepted" and stack.returns(call) == 1


async def test_when_one_switch_process_dies_the_other_switch_goes_on_and_its_own_calls_come_home(stack):
    department = await stack.department(QUIET, decision_seconds=60)
    call = await stack.caller_on_the_second()
    stuck = await stack.request(call, department=department)
    await stack.reached(stuck, "announcing")

    await stack.kill("switch2")

    other = await stack.caller()
    answer = await stack.request(other, department=await stack.department(TAKES_IT, instructions=SHORT))
    assert (await stack.ended(answer))["outcome"] == "accepted"

    late = await stack.caller_on_the_second()
    with pytest.raises(httpx.HTTPStatusError) as refused:  # its switch cannot be asked: not parked on a guess
        await stack.request(late, department=department)
    assert refused.value.response.status_code == 503

    await stack.start_again("switch2")
    await stack.http2.delete(f"/transfers/{stuck['id']}")
    stuck = await stack.ended(stuck)
    assert stuck["outcome"] == "cancelled"
    assert stack.switch2.channels[call.uuid].variables["ivr_returns"] == "1"


async def test_when_the_worker_dies_a_ticket_waits_for_it(stack):
    await stack.kill("worker")
    department = await stack.department("presses_2", max_attempts=1, instructions=SHORT)
    call = await stack.caller_on_the_second()
    transfer = await stack.ended(await stack.request(call, department=department))
    assert transfer["outcome"] == "rejected" and transfer["ticket"]["omniplay_id"] is None

    await stack.start_again("worker")

    async def sent():
        return (await stack.look(transfer))["ticket"]["omniplay_id"]

    assert await stack.until(sent, 20)
