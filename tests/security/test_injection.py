"""From what a stranger wrote to the bytes on the Event Socket: nothing of it becomes part of a command.

Whole transfers through the API and the switch process to a simulated FreeSWITCH over real sockets, with a tap between.
"""

import asyncio
import re

import pytest
from asgiref.sync import sync_to_async
from django.test import Client

from calls import services
from calls.models import SwitchCommand, Transfer
from calls.switch.safe import clean_text
from calls.transfer import events as e
from calls.transfer.states import Source, State
from tests.security.tap import Tap

MARK = "KANARI"
PAYLOADS = {
    "newline": f"a\napi uuid_kill {MARK}\n\n",
    "carriage_return": f"a\r\n\r\nbgapi originate user/666 {MARK}\r\n\r\n",
    "expansion": f"${{{MARK}}} ${{sched_api(+1 none system {MARK})}}",
    "quotes": f"' \" ' inline {MARK} \\' \\\"",
    "commas": f"a,{MARK}=1,b^{MARK}^c|{MARK}",
    "braces": f"{{{MARK}=1}}[{MARK}=2]<{MARK}=3>",
    "percent": f"%0Aapi%20uuid_kill%20{MARK}%0A%0A %24%7B{MARK}%7D",
    "unicode_line_ends": f"a\u2028api {MARK}\u2029b\x85c\x0b\x0cd\u200b{MARK}",
    "controls": f"a\x00{MARK}\x1b[2J\x08",
    "separators": f"; && || ` $( {MARK} ) # -- :_: ^^ ::",
}
AT_ONCE = 5
"""Transfers: a caller is told OmniPlay's number only if it comes within two seconds."""
HARMLESS_VERBS = {
    "uuid_getvar", "uuid_setvar", "uuid_exists", "uuid_transfer", "uuid_audio_stream", "uuid_kill", "uuid_break",
    "conference", "sched_api", "sched_del", "hupall", "originate", "show", "uuid_broadcast", "global_getvar",
}  # fmt: skip
TICKET = re.compile(rb"api uuid_setvar [0-9a-f-]{36} transferhub_protocol [^\n{}\\]*\Z")


def post(key: str, body: dict) -> tuple[int, dict]:
    answer = Client().post(
        "/api/v1/transfers", body, content_type="application/json", headers={"Authorization": f"Bearer {key}"}
    )
    return answer.status_code, answer.json()


@pytest.fixture
async def key(transactional_db) -> str:
    return (await sync_to_async(services.create_api_client)("secretary"))[1]


@pytest.fixture
async def tapped(world):
    async with Tap(world.row.port) as tap:
        world.row.port = tap.port
        await world.row.asave()
        await world.start()
        yield world, tap
        await world.stop()


async def lived(world, key: str, number: str, caller: str, payload: str) -> Transfer:
    """A transfer full of the payload, to the end: rejected in its words, its ticket numbered in its words."""
    world.lab.directory.extra[number] = [{}]
    department = await world.department(number, slug=f"d{number}", ticket_on=["rejected"])
    stored = payload.replace("\x00", "")  # PostgreSQL takes no NUL; whoever writes these has no way to send one
    await sync_to_async(lambda: department.members.update(name=stored[:80]))()
    texts = {"summary": payload, "context": payload, "metadata": {"note": stored}}
    body = {"call_uuid": caller, "department": department.slug, "caller": {"name": payload}} | texts
    status, document = await sync_to_async(post)(key, body)
    assert status == 202, document
    transfer = await Transfer.objects.aget(pk=document["id"])
    await world.announcing(transfer)
    await world.tell(transfer, e.RedirectRequested(stored, Source.VOICE))
    await world.tell(transfer, e.DecisionMade("", e.Choice.REJECT, Source.VOICE, reason=stored))
    protocol = await world.until(sync_to_async(lambda: Transfer.objects.get(pk=transfer.pk).ticket.protocol))
    await sync_to_async(services.ticket_sent)(protocol, stored[:64])
    await world.tell(transfer, e.PromptFailed("no_audio"))
    ended = await world.reaches(transfer, State.ENDED)
    await world.until(lambda: world.in_the_menu(caller))
    return ended


async def test_a_strangers_words_never_become_part_of_a_command(tapped, key, settings):
    settings.OMNIPLAY_URL = "http://127.0.0.1:1"
    world, tap = tapped
    numbers = [str(3001 + n) for n in range(len(PAYLOADS))]
    callers = [await world.caller() for _ in PAYLOADS]
    places = asyncio.Semaphore(AT_ONCE)

    async def one(*story: str) -> None:
        async with places:
            await lived(world, key, *story)

    await asyncio.gather(*(one(*story) for story in zip(numbers, callers, PAYLOADS.values(), strict=True)))
    assert len(tap.commands) > 20 * len(PAYLOADS)
    for command in tap.commands:
        lines = command.split(b"\n")
        verb = lines[0].split(b" ")[0].decode()
        assert verb in {"auth", "api", "bgapi", "event", "filter", "nixevent", "exit"}, command
        assert len(lines) == 1 or (verb == "bgapi" and len(lines) == 2 and lines[1].startswith(b"Job-UUID: ")), command
        if verb in {"api", "bgapi"}:
            assert lines[0].split(b" ")[1].decode() in HARMLESS_VERBS, command
        if MARK.encode() in command:
            assert TICKET.match(command), command  # OmniPlay's number is told to the dialplan, cleaned
            assert command.decode().isprintable()
    for caller, payload in zip(callers, PAYLOADS.values(), strict=True):
        variables = world.lab.channels[caller].variables
        found = {name: value for name, value in variables.items() if MARK in f"{name} {value}"}
        number = clean_text(payload[:64].replace("\x00", ""))
        assert found == ({"transferhub_protocol": number} if MARK in number else {})
    assert not [channel for channel in world.lab.channels.values() if "666" in channel.name]


@pytest.mark.parametrize("name", PAYLOADS)
@pytest.mark.parametrize("field", ["call_uuid", "destination", "department", "switch", "callback_url"])
async def test_a_field_that_reaches_a_command_or_a_request_is_refused(world, key, name, field):
    payload = PAYLOADS[name]
    await world.department("2001")
    await sync_to_async(type(world.row).objects.update)(connected=True, lease_until="2999-01-01T00:00:00Z")
    body = {"call_uuid": "call-1", "department": "vendas"} | {field: payload}
    status, document = await sync_to_async(post)(key, body)
    assert status in (404, 422), document
    assert MARK not in str(document)
    assert not await SwitchCommand.objects.aexists() and not await Transfer.objects.aexists()


@pytest.mark.parametrize("name", PAYLOADS)
async def test_a_callers_number_is_digits_or_nothing(world, key, name):
    await world.department("2001")
    await sync_to_async(type(world.row).objects.update)(connected=True, lease_until="2999-01-01T00:00:00Z")
    body = {"call_uuid": "call-1", "department": "vendas", "caller": {"number": PAYLOADS[name]}}
    status, document = await sync_to_async(post)(key, body)
    assert status == 422 or (await Transfer.objects.aget(pk=document["id"])).caller_number == ""
