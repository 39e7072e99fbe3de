"""Who gets what pushed, over the socket that the product mounts: rights, departments, numbers, forged messages."""

import asyncio

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import Group
from django.test import Client

from calls import bus
from calls.console.sockets import NOT_ALLOWED
from calls.models import Department, DepartmentScope, SupervisorAction, Transfer, TransferEvent
from calls.transfer.states import State
from tests.factories import make_company, make_transfer, make_user
from transferhub.asgi import Application

pytestmark = pytest.mark.django_db(transaction=True)


class NoHub:
    def start(self) -> None:
        pass


@sync_to_async
def socket_of(user, path="/ws/board/", origin=b"http://localhost", language=""):
    """A socket with the session of `user` (None: nobody)."""
    browser = Client()
    if user:
        browser.force_login(user)
    cookies = {name: each.value for name, each in browser.cookies.items()}
    if language:
        cookies["django_language"] = language
    line = "; ".join(f"{name}={value}" for name, value in cookies.items())
    headers = [(b"origin", origin), (b"host", b"localhost"), (b"cookie", line.encode())]
    return WebsocketCommunicator(Application(NoHub), path, headers)


async def snapshot(socket) -> dict:
    connected, _ = await socket.connect(timeout=5)
    assert connected
    message = await socket.receive_json_from(timeout=5)
    assert message["type"] == "snapshot"
    return message


async def until(socket, kind, patience=5.0) -> dict:
    async with asyncio.timeout(patience):
        while (message := await socket.receive_json_from(timeout=patience))["type"] != kind:
            pass
    return message


@pytest.fixture
def alice(transactional_db):
    make_company()
    return make_user("alice", "calls.view_transfer")


arow = sync_to_async(make_transfer)
auser = sync_to_async(make_user)


async def test_strangers_and_people_without_the_right_get_nothing(alice):
    for user in (None, await auser("charlie")):
        for path in ("/ws/board/", "/ws/changes/"):
            socket = await socket_of(user, path)
            await socket.connect(timeout=5)
            assert (await socket.receive_output(timeout=5))["code"] == NOT_ALLOWED


async def test_a_page_of_another_site_cannot_open_it(alice):
    socket = await socket_of(alice, origin=b"http://elsewhere.example")
    connected, _ = await socket.connect(timeout=5)
    assert not connected


async def test_each_viewer_gets_what_he_may_see(alice):
    await arow(State.DIALLING)
    bob = await auser("bob", "calls.view_transfer", "calls.see_numbers", "calls.act_on_transfers")
    for user, number, menu in ((alice, False, False), (bob, True, True)):
        socket = await socket_of(user)
        [row] = (await snapshot(socket))["live"]
        assert ("5511987654321" in row["html"]) is number
        assert ("<details" in row["html"]) is menu
        await socket.disconnect()


async def test_a_change_is_pushed_as_the_row_of_the_page(alice):
    transfer = await arow(State.DIALLING)
    socket = await socket_of(alice)
    await snapshot(socket)
    await Transfer.objects.filter(pk=transfer.pk).aupdate(state=State.ANNOUNCING.value, version=9)
    await bus.asend(bus.BOARD, {"type": "transfer.changed", "id": transfer.id.hex, "version": 9, "state": "x"})
    [row] = (await until(socket, "rows"))["rows"]
    assert (row["id"], row["version"], row["live"]) == (transfer.id.hex, 9, True)
    assert "anunciando" in row["html"]
    await socket.disconnect()


async def test_a_change_that_no_message_tells_of_is_found_within_a_second_or_two(alice):
    transfer = await arow(State.DIALLING)
    socket = await socket_of(alice)
    await snapshot(socket)
    await Transfer.objects.filter(pk=transfer.pk).aupdate(state=State.ENDED.value, outcome="busy", version=9)
    message = await until(socket, "rows")
    assert [row["live"] for row in message["rows"]] == [False]
    await socket.disconnect()


async def test_rows_that_no_longer_fit_the_filters_are_taken_away(alice):
    transfer = await arow(State.DIALLING)
    socket = await socket_of(alice, "/ws/board/?outcome=live")
    await snapshot(socket)
    await Transfer.objects.filter(pk=transfer.pk).aupdate(state=State.ENDED.value, outcome="busy", version=9)
    assert (await until(socket, "rows"))["gone"] == [transfer.id.hex]
    await socket.disconnect()


async def test_a_department_of_others_is_not_seen_nor_heard(alice):
    def limit():
        team = Group.objects.create(name="Suporte")
        alice.groups.add(team)
        DepartmentScope.objects.create(group=team, department=Department.objects.get(slug="suporte"))

    await sync_to_async(limit)()
    foreign = await arow(State.ANNOUNCING)
    socket = await socket_of(alice)
    assert (await snapshot(socket))["live"] == []
    talking = {"type": "leg.state", "id": foreign.id.hex, "leg": "agent", "what": "talking", "on": True}
    await bus.asend(bus.BOARD, talking)
    for _ in range(2):
        assert (await socket.receive_json_from(timeout=5))["type"] == "beat"
    await socket.disconnect()
    one = await socket_of(alice, f"/ws/changes/{foreign.pk}/")
    await one.connect(timeout=5)
    assert (await one.receive_output(timeout=5))["code"] == NOT_ALLOWED


async def test_a_forged_message_does_nothing(alice):
    transfer = await arow(State.ANNOUNCING)
    before = await TransferEvent.objects.acount()
    socket = await socket_of(alice)
    await snapshot(socket)
    for forged in ({"type": "act", "action": "accept", "id": str(transfer.pk)}, {"type": "leg.state"}, []):
        await socket.send_json_to(forged)
    await socket.send_to(text_data="not even JSON")
    assert (await until(socket, "beat"))["now"]
    assert await TransferEvent.objects.acount() == before
    assert not await SupervisorAction.objects.aexists()
    await socket.disconnect()


async def test_rows_speak_the_language_of_their_viewer(alice):
    await arow(State.DIALLING)
    for language, word in (("", "tocando"), ("en", "ringing")):
        socket = await socket_of(alice, language=language)
        [row] = (await snapshot(socket))["live"]
        assert word in row["html"]
        await socket.disconnect()


async def test_rights_that_are_taken_away_close_the_socket(alice, monkeypatch):
    monkeypatch.setattr("calls.console.sockets.RIGHTS_SECONDS", 0.1)
    socket = await socket_of(alice)
    await snapshot(socket)
    await alice.user_permissions.aclear()
    async with asyncio.timeout(5):
        while (output := await socket.receive_output(timeout=5))["type"] != "websocket.close":
            pass
    assert output["code"] == NOT_ALLOWED
