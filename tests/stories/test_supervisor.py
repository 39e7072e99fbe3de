"""A supervisor steps into real calls of the whole product: what he does at the console happens to the people."""

import httpx
import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.test import Client

from calls.models import Trial
from calls.simulator.realtime_faults import Fault
from tests.factories import make_user

pytestmark = pytest.mark.asyncio(loop_scope="module")


def session_of(name: str, *permissions: str) -> str:
    browser = Client()
    browser.force_login(make_user(name, *permissions or ("calls.view_transfer", "calls.act_on_transfers")))
    return browser.session.session_key


@pytest.fixture
async def press(stack, request):
    """press(transfer, action): the second press of a button that was drawn for the stage of now."""
    key = await sync_to_async(session_of)(request.node.name[:100])
    cookies = {settings.SESSION_COOKIE_NAME: key}
    async with httpx.AsyncClient(base_url=stack.url, cookies=cookies, trust_env=False) as http:

        async def act(transfer, action: str, **form: str) -> httpx.Response:
            page = await http.get(f"/transfers/{transfer['id']}/")
            [stage] = {part.split('"')[0] for part in page.text.split('data-stage="')[1:]}
            address = f"/transfers/{transfer['id']}/{action}/?stage={stage}"
            headers = {"X-CSRFToken": http.cookies["csrftoken"], "Accept": "application/json"}
            return await http.post(address, data={"confirmed": "1"} | form, headers=headers)

        yield act


async def test_puts_them_through_and_ends_their_conversation_without_any_realtime_api(stack, press):
    stack.realtime.faults.append(Fault("refuse", status=503))
    department = await stack.department("silent")
    call = await stack.caller()
    transfer = await stack.request(call, department=department)
    transfer = await stack.reached(transfer, "announcing")
    assert (await press(transfer, "accept")).status_code == 200
    transfer = await stack.reached(transfer, "connected")
    assert (transfer["decision"], transfer["decided_by"]) == ("accepted", "console")
    refused = await press(transfer, "accept")
    assert refused.status_code == 409 and refused.json()["words"]
    assert (await press(transfer, "end")).status_code == 200
    transfer = await stack.ended(transfer)
    assert transfer["outcome"] == "accepted"
    assert transfer["agent_uuid"] not in stack.switch.channels
    assert stack.where(call) == "returned" and stack.returns(call) == 1
    stack.realtime.faults.clear()
    await stack.tidy()


async def test_rejects_for_one_agent_skips_another_and_takes_the_caller_back(stack, press):
    department = await stack.department("silent", "no_answer", "no_answer")
    call = await stack.caller()
    transfer = await stack.request(call, department=department)
    transfer = await stack.reached(transfer, "announcing")
    assert (await press(transfer, "reject", reason="em reunião")).status_code == 200
    transfer = await stack.reached(transfer, "dialling")
    assert transfer["attempts"][0]["reason"] == "em reunião"
    assert (await press(transfer, "skip")).status_code == 200
    transfer = await stack.reached(transfer, "dialling")
    assert [each["outcome"] for each in transfer["attempts"]] == ["rejected", "skipped", None]
    assert (await press(transfer, "take_back")).status_code == 200
    transfer = await stack.ended(transfer)
    assert transfer["outcome"] == "cancelled"
    assert stack.where(call) == "returned" and stack.returns(call) == 1
    await stack.tidy()


@pytest.mark.slow  # seen through in the browser's tests too
async def test_tries_a_department_while_its_telephones_go_on_working(stack):
    """From the page to the verdict, in a process of its own; the FreeSWITCH of the house never hears of it."""
    slug = await stack.department("silent")
    channels, asked = set(stack.switch.channels), stack.realtime.attempts
    key = await sync_to_async(session_of)("tries", "calls.view_transfer", "calls.try_departments")
    cookies = {settings.SESSION_COOKIE_NAME: key}
    async with httpx.AsyncClient(base_url=stack.url, cookies=cookies, trust_env=False, timeout=40) as http:
        await http.get("/trials/")
        form = {"department": slug, "temperament": "presses_1", "csrfmiddlewaretoken": http.cookies["csrftoken"]}
        begun = await http.post("/trials/", data=form)
        assert begun.status_code == 302

        async def called() -> str:
            return (await http.get(begun.headers["location"])).headers.get("location", "")

        page = await stack.until(called, 60)

        async def over() -> str:
            text = (await http.get(page)).text
            return text if "ao todo" in text else ""

        text = await stack.until(over, 60)
    assert "Aceita, como previsto; primeira palavra " in text
    trial = await Trial.objects.select_related("transfer").aget()
    transfer = trial.transfer
    assert (transfer.outcome, transfer.decided_by, transfer.is_trial) == ("accepted", "key", True)
    assert [u.who async for u in transfer.utterances.all()][0] == "announcer"
    assert set(stack.switch.channels) == channels and stack.realtime.attempts == asked
    assert (await stack.http.get(f"/transfers/{transfer.pk}")).status_code == 404
    assert str(transfer.pk) not in (await stack.http.get("/transfers")).text

    async def gone() -> bool:
        return (await Trial.objects.aget()).ended_at is not None

    await stack.until(gone, 20)
