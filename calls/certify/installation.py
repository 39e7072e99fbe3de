"""A TransferHub of our own beside the real one: scratch database, own Valkey, own web and switch process.

It is the product's very code; only the extensions are loopback legs, and the Realtime API is ours. The worker is left
out: there is no OmniPlay, so tickets stay here.
"""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import replace as replaced
from pathlib import Path

import httpx
from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.management import call_command

from calls import services
from calls.certify import tones
from calls.certify.legs import HOME
from calls.certify.relay import LOCAL
from calls.demo import valkey
from calls.demo.parts import product
from calls.demo.ports import free_port
from calls.demo.supervisor import Part, Supervisor
from calls.models import AudioSession, Department, Extension, Membership
from calls.simulator.realtime import RealtimeServer

LIMITS_DIVISOR = 4
COMPANY = {
    "ring_seconds": 20,
    "decision_seconds": 20,
    "total_seconds": 240,
    "max_attempts": 1,
    "instructions": tones.ANNOUNCEMENT_TEXT,
    "ticket_text": tones.PROMPT_TEXT,
    "no_ticket_text": tones.PROMPT_TEXT,
    "return_to": HOME,
}
"""Limits before LIMITS_DIVISOR: five seconds to answer, five to decide."""


@dataclass(frozen=True)
class Desk:
    """A department with one agent."""

    slug: str
    number: str


class Installation:
    """start(), then hire() and the API by `http`; stop() in any case."""

    def __init__(self, folder: Path, audio_url: str, mark: str, say: Callable[[str], None]):
        self._folder, self._audio_url, self._mark = folder, audio_url, mark
        self._supervisor = Supervisor(folder / "log", say, restarts=False)
        self._parts: dict[str, Part] = {}
        self.port = free_port()
        self.realtime = RealtimeServer(LOCAL, key=mark, manner=tones.TONES)
        self.http: httpx.AsyncClient

    async def start(self) -> None:
        """Raises PartFailed, valkey.NoValkey."""
        await sync_to_async(call_command)("migrate", verbosity=0, interactive=False)
        _, key = await sync_to_async(services.create_api_client)("certificate")
        await self.realtime.start()
        command = [valkey.find_server(), str((self._folder / "valkey" / valkey.CONFIGURATION).resolve())]

        async def valkey_answers(part: Part) -> bool:
            return valkey.answers(settings.REDIS_URL)

        await self._supervisor.start(Part("valkey", command, valkey_answers))
        parts = {p.name: p for p in product(LOCAL, self.port, settings.REDIS_URL, self._environment())}
        switch = [sys.executable, "-m", "calls.certify.switch_process", self._mark]
        self._parts = {"web": parts["web"], "switch": replaced(parts["switch"], command=switch)}
        await self._supervisor.start(*self._parts.values())
        self.http = httpx.AsyncClient(
            base_url=f"http://{LOCAL}:{self.port}/api/v1",
            headers={"Authorization": f"Bearer {key}"},
            timeout=30,
            trust_env=False,
        )

    async def stop(self) -> None:
        if hasattr(self, "http"):
            await self.http.aclose()
        await self._supervisor.stop()
        await self.realtime.stop()

    async def hire(self, desk: Desk) -> None:
        department = await Department.objects.acreate(slug=desk.slug, name=desk.slug, **COMPANY)
        extension = await Extension.objects.acreate(number=desk.number, name=desk.number)
        await Membership.objects.acreate(department=department, extension=extension)

    def kill(self, *names: str) -> None:
        """SIGKILL, as a machine that dies."""
        for name in names:
            process = self._parts[name].process
            if process is not None:
                process.kill()

    async def token_of(self, transfer_id: str) -> str:
        """Hash of the token of the agent's live audio socket, "" without one."""
        live = AudioSession.objects.filter(
            transfer_id=transfer_id, leg=AudioSession.Leg.AGENT, state=AudioSession.State.LIVE
        )
        return await live.order_by("-id").values_list("token_hash", flat=True).afirst() or ""

    def log(self, name: str) -> str:
        return self._supervisor.log_of(self._parts[name]).read_text(encoding="utf-8", errors="replace")

    def _environment(self) -> Mapping[str, str]:
        return os.environ | {
            "AUDIO_BASE_URL": self._audio_url,
            "OPENAI_API_KEY": self._mark,
            "OPENAI_REALTIME_URL": self.realtime.url,
            "LIMITS_DIVISOR": str(LIMITS_DIVISOR),
            "PROMPT_VOICE": "realtime",
        }
