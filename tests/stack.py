"""The whole product, end to end, for stories: its three processes against simulated parts a test can look into.

Web server, switch process and worker are started with the commands of the demo, on ports chosen by the system, on the
test database and the tests' Redis. FreeSWITCH, the Realtime API and OmniPlay are simulated in the test's own process:

    async with Stack() as stack:
        department = await stack.department("busy", "accepts")
        call = await stack.caller()
        transfer = await stack.request(call, department=department)
        transfer = await stack.ended(transfer)
        assert transfer["outcome"] == "accepted"
        assert stack.heard_each_other(call.uuid, transfer["agent_uuid"])
        await stack.tidy()

One stack can carry many stories, also at the same time. It commits to the test database, so no other test that uses the
database may run while it lives: use it through the module-scoped fixture `stack` of tests/stories/conftest.py.
"""

import asyncio
import itertools
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import redis
from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.management import call_command
from django.db import connections

from calls import services
from calls.demo.callers import SimulatedCall, ring_in
from calls.demo.esl import EventSocket
from calls.demo.parts import product, url_of
from calls.demo.ports import free_port
from calls.demo.supervisor import Part, Supervisor
from calls.models import Department, Extension, Membership
from calls.simulator.ledger import Span
from calls.simulator.omniplay import OmniPlay
from calls.simulator.realtime import RealtimeServer
from calls.simulator.switch import SimulatedSwitch
from calls.simulator.telephones import PhoneBook
from tests.database import address_of_test_database

LOCAL = "127.0.0.1"
KEPT_SECONDS = 2.0
"""An idle connection is not used again after so long: the server closes it after 5."""
LASTING = {"playback", "park"}
"""The applications in which a caller stays; every other one is on his way there."""


class Stack:
    """`speed` divides the delays of telephones and switch, `limits_divisor` the product's limits; `environment` is
    added to that of the three processes. `switch`, `realtime`, `omniplay` are the simulated parts, `http` a client of
    the API with its key, `esl` an Event Socket of the test's own."""

    look_every = 0.05
    """Seconds between two looks of until()."""

    def __init__(self, *, speed: float = 1.0, limits_divisor: float = 1.0, **environment: str):
        self._folder = tempfile.TemporaryDirectory(prefix="transferhub-stack-", ignore_cleanup_errors=True)
        self.folder = Path(self._folder.name)
        self.book = PhoneBook.from_dict({}, speed=speed)
        self.switch = SimulatedSwitch(LOCAL, 0, "the switch's password", phonebook=self.book, speed=speed)
        self.realtime = RealtimeServer(LOCAL, key="sk-stack")
        self.omniplay = OmniPlay(LOCAL, token="the ticket system's token")
        self.http: httpx.AsyncClient
        self.esl: EventSocket
        self._numbers = itertools.count(3001)
        self._port = free_port()
        self._environment = {"LIMITS_DIVISOR": f"{limits_divisor:g}"} | environment
        self._supervisor = Supervisor(self.folder, self._complain, restarts=False)
        self.parts: dict[str, Part] = {}
        self.complaints: list[str] = []

    @property
    def url(self) -> str:
        return url_of(LOCAL, self._port)

    async def __aenter__(self) -> "Stack":
        await asyncio.gather(*(part.start() for part in self._simulated()))
        try:
            await sync_to_async(redis.Redis.from_url(settings.REDIS_URL).flushdb)()
            _, key = await sync_to_async(services.create_api_client)(f"stack {self._port}")
            for part in await sync_to_async(self._product)():
                self.parts[part.name] = part
            await self._supervisor.start(*self.parts.values())
            headers = {"Authorization": f"Bearer {key}"}
            self.http = httpx.AsyncClient(
                base_url=f"{self.url}/api/v1", headers=headers, timeout=40, trust_env=False, verify=False,
                limits=httpx.Limits(keepalive_expiry=KEPT_SECONDS),
            )  # fmt: skip
            self.esl = await EventSocket.connect(LOCAL, self.switch.port, self.switch.password, "CHANNEL_ANSWER")
        except BaseException:
            await self._stop_all()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.esl.close()
        await self.http.aclose()
        await self._stop_all()
        await sync_to_async(self._empty_database)()
        self._folder.cleanup()

    # ------------------------------------------------------------ the company
    async def agents(self, *temperaments: str | dict[str, Any]) -> list[str]:
        """New extensions with people of these temperaments (names, or {"temperament": …, option: …}); their numbers."""
        numbers = []
        for temperament in temperaments:
            number = str(next(self._numbers))
            self.book.put(number, temperament)
            numbers.append(number)
            await Extension.objects.acreate(number=number, name=f"Agent {number}")
        return numbers

    async def department(self, *temperaments: str | dict[str, Any], **fields: Any) -> str:
        """A new department with new agents in this order; its slug. `fields` are those of the model."""
        numbers = await self.agents(*temperaments)
        slug = f"d{'-'.join(numbers)[:40] or next(self._numbers)}"  # a slug has 50 characters at most
        department = await Department.objects.acreate(slug=slug, name=f"Department {slug}", **fields)
        for position, number in enumerate(numbers):
            extension = await Extension.objects.aget(number=number)
            await Membership.objects.acreate(department=department, extension=extension, position=position)
        return slug

    # ------------------------------------------------------------ a transfer
    async def caller(self, behaviour: str = "patient", **variables: Any) -> SimulatedCall:
        """A caller who has reached the menu. `behaviour` and `variables` as in calls.simulator.callers."""
        return await ring_in(self.esl, behaviour=behaviour, **variables)

    async def request(
        self, call: SimulatedCall, *, key: str = "", through: httpx.AsyncClient | None = None, **body: Any
    ) -> dict[str, Any]:
        """The secretary asks for a transfer; the API's document. Raises httpx.HTTPStatusError when it refuses.

        `key` is an Idempotency-Key, `through` another client than `http`; everything else goes into the body.
        """
        body = {"call_uuid": call.uuid, "caller": {"number": call.number, "name": "Maria"}} | body
        client = through or self.http
        answer = await client.post("/transfers", json=body, headers={"Idempotency-Key": key} if key else {})
        answer.raise_for_status()
        return answer.json()

    async def look(self, transfer: dict[str, Any]) -> dict[str, Any]:
        """The transfer as it is now."""
        answer = await self.http.get(f"/transfers/{transfer['id']}")
        answer.raise_for_status()
        return answer.json()

    async def events(self, transfer: dict[str, Any]) -> list[dict[str, Any]]:
        answer = await self.http.get(f"/transfers/{transfer['id']}/events")
        answer.raise_for_status()
        return answer.json()["items"]

    async def states(self, transfer: dict[str, Any]) -> list[str]:
        """The states it has passed, each once for every time it was entered."""
        passed: list[str] = []
        for event in await self.events(transfer):
            for state in (event["from_state"], event["to_state"]):
                if not passed or passed[-1] != state:
                    passed.append(state)
        return passed

    async def reached(self, transfer: dict[str, Any], *states: str, patience: float = 30.0) -> dict[str, Any]:
        """The transfer, as soon as its state is one of `states`. Raises AssertionError when it ends in another one."""

        async def arrived() -> dict[str, Any] | None:
            now = await self.look(transfer)
            assert now["state"] in states or now["state"] != "ended", f"ended ({now['outcome']}) before {states}"
            return now if now["state"] in states else None

        return await self.until(arrived, patience)

    async def ended(self, transfer: dict[str, Any], patience: float = 90.0) -> dict[str, Any]:
        """The transfer, as soon as it has ended and its caller has arrived: the switch tells first, then he goes."""
        over = await self.reached(transfer, "ended", patience=patience)

        async def arrived() -> bool:
            return self._at(over["caller_uuid"]) != "on the way"

        await self.until(arrived)
        return over

    # ------------------------------------------------------------ what people experienced
    def heard(self, uuid: str) -> list[Span]:
        """What a leg has heard, in order, with who was audible."""
        return self.switch.media.ledger.heard(uuid)

    def seconds_heard(self, uuid: str, talker: str) -> float:
        """How long a leg heard another's uuid, "moh", or what begins so: "clip:", "broadcast:", "playback:"."""
        return self.switch.media.ledger.seconds_heard(uuid, talker)

    def heard_each_other(self, one: str, other: str) -> bool:
        return self.switch.media.ledger.heard_each_other(one, other)

    def where(self, call: SimulatedCall) -> str:
        """Where he is: "gone", "conference", "on the way", "returned" (in the menu after a transfer) or "menu"."""
        return self._at(call.uuid)

    def _at(self, uuid: str) -> str:
        channel = self.switch.channels.get(uuid)
        if channel is None:
            return "gone"
        if any(uuid in _members(conference) for conference in self.switch.conferences.values()):
            return "conference"
        if channel.application[0] not in LASTING:
            return "on the way"
        return "returned" if channel.variables.get("returned_to_ivr") == "true" else "menu"

    def returns(self, call: SimulatedCall) -> int:
        """How often the caller has come back to the menu; 0 when he is gone."""
        channel = self.switch.channels.get(call.uuid)
        return int(channel.variables.get("ivr_returns", 0)) if channel else 0

    async def variable(self, call: SimulatedCall, name: str) -> str:
        """A channel variable of the caller's leg, over the Event Socket."""
        return await self.esl.api(f"uuid_getvar {call.uuid} {name}")

    async def tidy(self, patience: float = 10.0) -> None:
        """Wait until no conference, agent's leg, timer or Realtime session is left. Raises AssertionError."""
        left: list[str] = []

        async def nothing_left() -> bool:
            left[:] = [f"conference {name}" for name in self.switch.conferences]
            left.extend(f"leg {channel.name}" for channel in self.switch.channels.values() if _is_agent(channel))
            left.extend(line for line in (await self.esl.api("show tasks")).splitlines() if "th_" in line)
            left.extend(f"session {s.number}" for s in self.realtime.sessions if s.close_code is None)
            return not left

        try:
            await self.until(nothing_left, patience)
        except TimeoutError:
            raise AssertionError(f"left over: {'; '.join(left)}") from None

    async def until(self, look: Callable[[], Awaitable[Any]], patience: float = 10.0) -> Any:
        """The first true thing that `look` finds. Raises TimeoutError."""
        ends = time.monotonic() + patience
        while not (found := await look()):
            if time.monotonic() > ends:
                raise TimeoutError(f"not within {patience:g} s: {look.__qualname__}")
            await asyncio.sleep(self.look_every)
        return found

    async def hears(self, uuid: str, talker: str, seconds: float = 0.5) -> None:
        """Wait until a leg has heard so much of a talker (named as in seconds_heard)."""

        async def enough() -> bool:
            return self.seconds_heard(uuid, talker) >= seconds

        await self.until(enough)

    def press(self, call: SimulatedCall, digit: str) -> None:
        """A key on the caller's telephone."""
        self.switch.channels[call.uuid].press(digit)

    # ------------------------------------------------------------ what goes wrong
    def cut_audio(self, uuid: str) -> None:
        """The network between FreeSWITCH and us loses a leg's audio socket."""
        stream = self.switch.channels[uuid].stream
        assert stream
        stream.cut()

    async def kill(self, name: str) -> None:
        """SIGKILL to "web", "switch" or "worker"; it stays dead until start_again()."""
        process = self.parts[name].process
        assert process
        process.kill()
        await process.wait()

    async def start_again(self, name: str) -> None:
        """Returns when the process is healthy."""
        await self._supervisor.start_again(self.parts[name])

    def log(self, name: str) -> str:
        """What a process has written."""
        return self._supervisor.log_of(self.parts[name]).read_text(encoding="utf-8", errors="replace")

    # ------------------------------------------------------------ inside
    def _simulated(self) -> list[Any]:
        return [self.switch, self.realtime, self.omniplay]

    def _product(self) -> list[Part]:
        """The processes; the database is there already."""
        return product(LOCAL, self._port, settings.REDIS_URL, self._whole_environment())

    def _whole_environment(self) -> dict[str, str]:
        return {
            "DJANGO_SETTINGS_MODULE": "transferhub.settings",
            "TRANSFERHUB_VAR_DIR": str(self.folder),
            "SECRET_KEY": settings.SECRET_KEY,
            "DATABASE_URL": address_of_test_database(),
            "REDIS_URL": settings.REDIS_URL,
            "PYTHONUNBUFFERED": "1",
            "FREESWITCH_HOST": LOCAL,
            "FREESWITCH_PORT": str(self.switch.port),
            "FREESWITCH_PASSWORD": self.switch.password,
            "FREESWITCH_DOMAIN": self.switch.domain,
            "AUDIO_BASE_URL": self.url.replace("http://", "ws://"),
            "OPENAI_API_KEY": "sk-stack",
            "OPENAI_REALTIME_URL": self.realtime.url,
            "OMNIPLAY_URL": self.omniplay.url,
            "OMNIPLAY_TOKEN": self.omniplay.token,
            "WEBHOOK_HOSTS": LOCAL,
            "API_REQUESTS_PER_MINUTE": "0",  # stories look every 50 ms
        } | self._environment

    def _complain(self, line: str) -> None:
        self.complaints.append(line)

    async def _stop_all(self) -> None:
        await self._supervisor.stop()
        await asyncio.gather(*(part.stop() for part in self._simulated()))

    @staticmethod
    def _empty_database() -> None:
        call_command("flush", verbosity=0, interactive=False)
        connections.close_all()


def _members(conference: Any) -> set[str]:
    return {member.channel.uuid for member in conference.members}


def _is_agent(channel: Any) -> bool:
    return "transferhub_attempt" in channel.variables
