"""SIGTERM to a web process: nothing new is taken, what is in hand comes to its end."""

import asyncio
import os
import signal
import time

import pytest

from calls import drain
from tests.api.conftest import api, company, key  # noqa: F401
from tests.services import world
from tests.voice.world import until


@pytest.fixture(autouse=True)
def going_on():
    yield
    drain.forget()


async def begin():
    async def at_once():
        return None

    await drain.drain(at_once)


@pytest.fixture
def draining(monkeypatch):
    monkeypatch.setattr(drain, "LAST_ANSWERS_SECONDS", 0)
    asyncio.run(begin())


def test_a_new_transfer_is_refused_and_told_to_come_back_soon(api, draining):  # noqa: F811
    refused = api.post({"call_uuid": "call-1", "department": "vendas"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "stopping")
    assert refused["Retry-After"] == "1"


def test_a_balancer_is_told_to_move_away(client, db, draining):
    answer = client.get("/readyz")
    assert answer.status_code == 503 and "web" in answer.json()["down"]
    assert client.get("/healthz").status_code == 503  # the address that docs/operating.md tells a balancer to ask


def test_whoever_waits_for_a_result_is_answered_before_the_end(api, draining):  # noqa: F811
    transfer = world.dialling("vendas")
    began = time.monotonic()
    assert api.get(f"/transfers/{transfer.pk}", wait=25).status_code == 200
    assert time.monotonic() - began < 5


async def test_sigterm_reaches_the_server_only_after_the_drain(monkeypatch):
    monkeypatch.setattr(drain, "LAST_ANSWERS_SECONDS", 0)
    stopped, go_on = asyncio.Event(), asyncio.Event()
    before = signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    try:
        drain.before_sigterm(go_on.wait)
        os.kill(os.getpid(), signal.SIGTERM)
        await until(drain.begun, what="the drain")
        await asyncio.sleep(0.05)
        assert not stopped.is_set()
        go_on.set()
        await asyncio.wait_for(stopped.wait(), 2)
    finally:
        signal.signal(signal.SIGTERM, before)


async def test_a_second_sigterm_stops_at_once(monkeypatch):
    stopped = asyncio.Event()
    before = signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    try:
        drain.before_sigterm(asyncio.Event().wait)
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGTERM)
            await until(drain.begun, what="the drain")
            await asyncio.sleep(0.01)
        await asyncio.wait_for(stopped.wait(), 2)
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_process_whose_server_has_ended_obeys_as_it_did_before():
    told = []
    before = signal.signal(signal.SIGTERM, lambda *_: told.append("stop"))

    async def server():
        drain.before_sigterm(asyncio.Event().wait)

    try:
        asyncio.run(server())
        os.kill(os.getpid(), signal.SIGTERM)
        assert told == ["stop"]
    finally:
        signal.signal(signal.SIGTERM, before)
