"""The stack of a company that has grown: two FreeSWITCH servers, two web processes, two switch processes, one worker.

Processes are called "web", "web2", "switch", "switch2", "worker"; telephones are the same on both switches.
"""

import sys
from dataclasses import replace
from typing import Any

import httpx
from django.conf import settings

from calls.demo.callers import SimulatedCall, ring_in
from calls.demo.esl import EventSocket
from calls.demo.parts import product, url_of
from calls.demo.ports import free_port
from calls.demo.supervisor import Part
from calls.models import Switch
from calls.simulator.switch import SimulatedSwitch
from calls.switch.chosen import FROM_ENVIRONMENT
from tests.stack import LOCAL, Stack

SECOND = "second"


class WideStack(Stack):
    """As Stack; `switch2`, `esl2`, `http2` are the second ones."""

    def __init__(self, *, speed: float = 1.0, **options: Any):
        super().__init__(speed=speed, **options)
        self.switch2 = SimulatedSwitch(LOCAL, 0, "the second's password", phonebook=self.book, speed=speed)
        self.esl2: EventSocket
        self.http2: httpx.AsyncClient
        self._port2 = free_port()

    async def __aenter__(self) -> "WideStack":
        await super().__aenter__()
        self.esl2 = await EventSocket.connect(LOCAL, self.switch2.port, self.switch2.password, "CHANNEL_ANSWER")
        self.http2 = httpx.AsyncClient(
            base_url=f"{url_of(LOCAL, self._port2)}/api/v1", headers=self.http.headers, timeout=40, trust_env=False
        )
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.esl2.close()
        await self.http2.aclose()
        await super().__aexit__(*error)

    async def caller_on_the_second(self, **variables: Any) -> SimulatedCall:
        """A caller who has reached the menu of the second switch."""
        return await ring_in(self.esl2, **variables)

    def _simulated(self) -> list[Any]:
        return [*super()._simulated(), self.switch2]

    def _product(self) -> list[Part]:
        one, two = FROM_ENVIRONMENT, SECOND
        Switch.objects.create(slug=one, name="First")
        Switch.objects.create(
            slug=two, name="Second", host=LOCAL, port=self.switch2.port, domain=self.switch2.domain,
            password_variable="SECOND_PASSWORD",
        )  # fmt: skip
        web, switch, worker = super()._product()
        audio2 = {"AUDIO_BASE_URL": url_of(LOCAL, self._port2).replace("http://", "ws://")}
        web2 = product(LOCAL, self._port2, settings.REDIS_URL, self._whole_environment() | audio2)[0]
        return [web, replace(web2, name="web2"), self._switch(switch, one), self._switch(switch, two), worker]

    def _switch(self, part: Part, slug: str) -> Part:
        async def healthy(_: Part) -> bool:
            async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
                return (await client.get(f"{self.url}/readyz")).json()["parts"].get(f"switch:{slug}") == "ok"

        command = [sys.executable, "manage.py", "run_switch", "--switch", slug]
        name = "switch" if slug == FROM_ENVIRONMENT else "switch2"
        return Part(name, command, healthy, self._whole_environment() | {"SECOND_PASSWORD": self.switch2.password})
