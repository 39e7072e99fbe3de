import asyncio
import os
import socket
import subprocess
import sys
import time

import httpx
import pytest

from calls.simulator.omniplay import Mood, OmniPlay, problems

TICKET = {
    "caller_id": "+5511999990000",
    "context": "Vendas\norçamento",
    "reason": "no_answer",
    "uuid": "0b0c4d3e-0000-4000-8000-000000000001",
    "timestamp": "2026-11-22T19:00:00+00:00",
    "protocol": "20261122-0001",
}


@pytest.fixture
async def omniplay():
    async with OmniPlay(token="secret") as server:
        yield server


@pytest.fixture
async def client(omniplay):
    headers = {"Authorization": "Bearer secret"}
    async with httpx.AsyncClient(base_url=omniplay.url, headers=headers, trust_env=False, timeout=5) as client:
        yield client


async def test_a_ticket_gets_an_id_and_is_listed(client):
    answer = await client.post("/tickets", json=TICKET)
    assert (answer.status_code, answer.json()) == (201, {"id": "OMNI-10001"})
    assert (await client.get("/tickets")).json() == {"tickets": [{"id": "OMNI-10001", **TICKET}]}


async def test_the_same_protocol_again_is_the_same_ticket(client, omniplay):
    first = await client.post("/tickets", json=TICKET)
    again = await client.post("/tickets", json=TICKET)
    assert first.json() == again.json()
    assert len(omniplay.tickets) == 1
    other = await client.post("/tickets", json=TICKET | {"protocol": "20261122-0002"})
    assert other.json() == {"id": "OMNI-10002"}


async def test_the_same_protocol_for_another_caller_is_a_conflict(client):
    await client.post("/tickets", json=TICKET)
    answer = await client.post("/tickets", json=TICKET | {"caller_id": "+5511888880000"})
    assert answer.status_code == 409


async def test_without_the_token_nothing_is_told(omniplay):
    for headers in ({}, *({"Authorization": token} for token in ("Bearer other", "Basic secret", "secret"))):
        async with httpx.AsyncClient(base_url=omniplay.url, headers=headers, trust_env=False) as client:
            assert (await client.post("/tickets", json=TICKET)).status_code == 401
            assert (await client.get("/tickets")).status_code == 401
    assert omniplay.tickets == {}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"uuid": None}, "uuid"),
        ({"reason": ""}, "reason"),
        ({"timestamp": "2026-11-22 19:00"}, "timestamp"),
        ({"timestamp": "yesterday"}, "timestamp"),
        ({"protocol": "a b"}, "protocol"),
        ({"caller_id": 11999}, "caller_id"),
        ({"extra": "x"}, "extra"),
    ],
)
def test_what_is_wrong_with_a_ticket_is_said_field_by_field(change, field):
    assert problems(TICKET) == {}
    assert list(problems(TICKET | change)) == [field]


async def test_a_bad_ticket_is_refused(client, omniplay):
    answer = await client.post("/tickets", json=TICKET | {"reason": ""})
    assert (answer.status_code, answer.json()["fields"]) == (422, {"reason": "may not be empty"})
    for body in (b"", b"{", b"[]"):
        assert (await client.post("/tickets", content=body)).status_code == 422
    assert omniplay.tickets == {}


async def test_another_path_and_another_method_are_refused(client):
    assert (await client.get("/nothing")).status_code == 404
    assert (await client.delete("/tickets")).status_code == 405


async def test_it_can_be_told_to_fail(client, omniplay):
    omniplay.mood = Mood(status=500)
    assert (await client.post("/tickets", json=TICKET)).status_code == 500
    assert omniplay.tickets == {}


async def test_it_can_be_told_to_be_slow(client, omniplay):
    omniplay.mood = Mood(delay=5)
    with pytest.raises(httpx.ReadTimeout):
        await client.post("/tickets", json=TICKET, timeout=0.1)


async def test_it_can_be_told_to_answer_nonsense(client, omniplay):
    omniplay.mood = Mood(wrong_answer=True)
    assert (await client.post("/tickets", json=TICKET)).json() == ["not", "a", "ticket"]


async def test_a_lost_answer_leaves_a_ticket_that_another_try_finds(client, omniplay):
    omniplay.mood = Mood(lose_answers=1)
    with pytest.raises(httpx.RemoteProtocolError):
        await client.post("/tickets", json=TICKET)
    assert (await client.post("/tickets", json=TICKET)).json() == {"id": "OMNI-10001"}
    assert len(omniplay.tickets) == 1


async def test_it_can_be_down_and_come_back_on_the_same_port(client, omniplay):
    port = omniplay.port
    await omniplay.down()
    with pytest.raises(httpx.ConnectError):
        await client.post("/tickets", json=TICKET)
    await omniplay.up()
    assert omniplay.port == port
    assert (await client.post("/tickets", json=TICKET)).status_code == 201


async def test_it_runs_as_a_process_of_its_own():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "calls.simulator.omniplay", "--port", str(port), "--token", "t"]
    process = subprocess.Popen(command, env=os.environ, stderr=subprocess.DEVNULL)  # noqa: ASYNC220
    try:
        deadline = time.monotonic() + 10
        async with httpx.AsyncClient(headers={"Authorization": "Bearer t"}, trust_env=False) as client:
            while True:
                try:
                    answer = await client.post(f"http://127.0.0.1:{port}/tickets", json=TICKET)
                    break
                except httpx.ConnectError:
                    assert time.monotonic() < deadline
                    await asyncio.sleep(0.05)
        assert answer.status_code == 201
    finally:
        process.terminate()
        process.wait(5)
