"""An upgrade under load: every process stopped and started again, one after the other, and no caller notices.

Two web processes and two switch processes of one FreeSWITCH, as an installation that is never down has them.
"""

import asyncio
import time
from dataclasses import replace
from typing import Any

import httpx
import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async

from calls.demo.callers import SimulatedCall
from calls.demo.parts import product, url_of
from calls.demo.ports import free_port
from calls.demo.supervisor import Part
from tests.chaos import company
from tests.chaos.rig import ChaosStack
from tests.chaos.run import Report, Run
from tests.stack import LOCAL

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

TRANSFERS, AT_ONCE = 40, 6
TAKING = {"accepts": 3, "interrupts": 1, "hesitates": 1}
"""Who says yes by voice: a key pressed in the second between two switch processes is heard by nobody."""
STOPS_WITHIN = {"web": 45, "web2": 45, "switch": 15, "standby": 15, "worker": 130}  # as in deploy/systemd


class TwoOfEach(ChaosStack):
    """Requests go to the two web processes by turns, as a balancer sends them."""

    def __init__(self) -> None:
        super().__init__(1, divisor=1)
        self._port2, self._turn = free_port(), 0

    async def __aenter__(self) -> "TwoOfEach":
        await super().__aenter__()
        self.http2 = httpx.AsyncClient(
            base_url=f"{url_of(LOCAL, self._port2)}/api/v1", headers=self.http.headers, timeout=40, trust_env=False
        )
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.http2.aclose()
        await super().__aexit__(*error)

    async def request(self, call: SimulatedCall, **options: Any) -> dict[str, Any]:
        self._turn += 1
        return await super().request(call, through=self.http2 if self._turn % 2 else self.http, **options)

    def _product(self) -> list[Part]:
        web, switch, worker = super()._product()
        audio2 = {"AUDIO_BASE_URL": url_of(LOCAL, self._port2).replace("http://", "ws://")}
        web2 = product(LOCAL, self._port2, self.redis_url, self._whole_environment() | audio2)[0]
        return [web, replace(web2, name="web2"), switch, replace(switch, name="standby"), worker]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        async with TwoOfEach() as stack:
            yield stack


async def roll(stack: ChaosStack, name: str) -> tuple[int | None, float]:
    """Stop one process as systemd does and start it again; its exit code, and how long it took."""
    process, began = stack.parts[name].process, time.monotonic()
    process.terminate()
    await asyncio.wait_for(process.wait(), STOPS_WITHIN[name])
    took = time.monotonic() - began
    await stack.start_again(name)
    return process.returncode, took


async def test_a_rolling_restart_under_load_loses_nothing(stack, monkeypatch):
    monkeypatch.setattr(company, "AGENTS", TAKING)
    monkeypatch.setattr(company, "CALLERS", {"patient": 1})
    monkeypatch.setattr(company, "SHARED", 0)
    monkeypatch.setattr(company, "SHARE_OF_SHARED", 0.0)
    monkeypatch.setattr(company, "CANCELLED", 0.0)
    callings = await sync_to_async(company.prepare)(stack.book, TRANSFERS, 1)
    report, said = Report(1, TRANSFERS, AT_ONCE), []
    load = asyncio.create_task(Run(stack, report, said.append, 1).live(callings, iter(())))
    await asyncio.sleep(5)
    rolled = {}
    for name in ("worker", "switch", "standby", "web", "web2"):
        rolled[name] = await roll(stack, name)
        assert not load.done() or name == "web2", f"all was over before {name} was restarted"
    await load
    assert report.good, report.table()
    assert report.outcomes == {"accepted": TRANSFERS}, report.table()
    assert {name: code for name, (code, _) in rolled.items()} == dict.fromkeys(rolled, 0), rolled
