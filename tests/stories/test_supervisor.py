"""A supervisor steps into real calls of the whole product: what he does at the console happens to the people."""

import httpx
import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.test import Client

from tests.factories import make_user

pytestmark = pytest.mark.asyncio(loop_scope="module")


def session_of(name: str) -> str:
    browser = Client()
    browser.force_login(make_user(name, "calls.view_transfer", "calls.act_on_transfers"))
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


async def test_puts_them_through_and_ends_their_conversation(stack, press):
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
