"""A switch process on a simulated FreeSWITCH (real sockets) and the tests' database; the test plays the web process."""

import asyncio
import base64
import io
import json
import uuid
import wave
from contextlib import suppress
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from websockets.asyncio.server import serve

from calls import services
from calls.models import Attempt, Department, Extension, Membership, Switch, SwitchCommand, Transfer
from calls.switch.runner import SwitchProcess
from calls.transfer import events as e
from calls.transfer.states import State
from tests.simulator.lab import LabSwitch, call_in, lab_switch

HOME = "ivr_return XML public"


class AudioServer:
    """Where the streams of mod_audio_stream arrive: one socket a path."""

    def __init__(self) -> None:
        self.sockets: dict[str, Any] = {}

    async def __aenter__(self) -> "AudioServer":
        self._server = await serve(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, socket: Any) -> None:
        self.sockets[socket.request.path] = socket
        with suppress(Exception):
            async for _ in socket:
                pass

    def url(self, path: str) -> str:
        return f"ws://127.0.0.1:{self.port}{path}"

    async def play(self, path: str, milliseconds: int) -> None:
        """A clip of silence, as the web process sends it."""
        file = io.BytesIO()
        with wave.open(file, "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(24000)
            sound.writeframes(bytes(48 * milliseconds))
        sound = base64.b64encode(file.getvalue()).decode()
        data = {"audioDataType": "wav", "sampleRate": 24000, "audioData": sound}
        await self.sockets[path].send(json.dumps({"type": "streamAudio", "data": data}))


class World:
    """The lab's switch, a row for it, a department, and run_switch's process in a task."""

    def __init__(self, lab: LabSwitch, row: Switch, audio: AudioServer) -> None:
        self.lab, self.row, self.audio = lab, row, audio
        self.process: SwitchProcess | None = None
        self._task: asyncio.Task | None = None

    # ------------------------------------------------------------ the process
    async def start(self, **options: Any) -> SwitchProcess:
        self.process = SwitchProcess(self.row, "ClueCon", timeout=2.0, **options)
        self._task = asyncio.create_task(self.process.run())
        await self.until(self.connected)
        return self.process

    async def stop(self) -> None:
        """As SIGTERM does."""
        if self._task is not None:
            self.process.stop()
            await asyncio.wait_for(self._task, 5)
            self._task = None

    async def kill(self) -> None:
        """As kill -9 does: nothing is finished, nothing is given back."""
        release = self.process.lease.release

        async def forget() -> None:
            pass

        self.process.lease.release = forget
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self.process.lease.release = release
        self._task = None
        # Its lease runs out.
        await sync_to_async(Switch.objects.filter(pk=self.row.pk).update)(lease_holder="", lease_until=None)

    async def connected(self) -> bool:
        return (await sync_to_async(Switch.objects.get)(pk=self.row.pk)).connected

    # ------------------------------------------------------------ people
    async def department(self, *numbers: str, **fields: Any) -> Department:
        return await sync_to_async(_department)(numbers, fields)

    async def caller(self) -> str:
        return await call_in(self.lab)

    async def ask(self, department: Department, caller: str, **fields: Any) -> Transfer:
        new = services.NewTransfer(call_uuid=caller, department=department.slug, **fields)
        transfer, _ = await sync_to_async(services.create_transfer)(new)
        return transfer

    # ------------------------------------------------------------ looking
    async def until(self, condition: Any, seconds: float = 8.0) -> Any:
        """What `condition()` (a coroutine function, or a plain one) returns once it is true."""
        async with asyncio.timeout(seconds):
            while True:
                found = condition()
                found = await found if asyncio.iscoroutine(found) else found
                if found:
                    return found
                await asyncio.sleep(0.01)

    async def transfer(self, transfer: Transfer) -> Transfer:
        return await sync_to_async(Transfer.objects.get)(pk=transfer.pk)

    async def reaches(self, transfer: Transfer, state: State, seconds: float = 8.0) -> Transfer:
        async def there() -> Transfer | None:
            found = await self.transfer(transfer)
            return found if found.state == state.value else None

        try:
            return await self.until(there, seconds)
        except TimeoutError:
            log = await sync_to_async(_log)(transfer)
            raise AssertionError(f"never {state.value}:\n{log}") from None

    async def attempt(self, transfer: Transfer) -> Attempt:
        return await sync_to_async(lambda: transfer.attempts.order_by("-number").first())()

    async def commands(self, transfer: Transfer, kind: str = "") -> list[SwitchCommand]:
        rows = SwitchCommand.objects.filter(transfer=transfer).order_by("id")
        return await sync_to_async(lambda: list(rows.filter(kind=kind) if kind else rows))()

    async def tell(self, transfer: Transfer, event: e.Event) -> None:
        await services.aapply_event(transfer.pk, event)

    async def announce(self, transfer: Transfer) -> str:
        """The web process is ready for the agent's stream; returns the path it comes to."""
        attempt = await self.attempt(transfer)
        path = f"/audio/{uuid.uuid4().hex}"
        await self.tell(transfer, e.AnnouncerReady(attempt.mark, self.audio.url(path)))
        return path

    async def announcing(self, transfer: Transfer) -> str:
        """The agent listens to the announcer; returns the path of the stream."""
        await self.reaches(transfer, State.ANNOUNCING)
        path = await self.announce(transfer)
        await self.until(lambda: path in self.audio.sockets)
        return path

    async def api(self, line: str) -> str:
        return (await self.lab.api(line)).strip()

    def leg(self, uuid_: str) -> Any:
        return self.lab.channels.get(uuid_)

    def in_the_menu(self, caller: str) -> bool:
        channel = self.leg(caller)
        return channel is not None and channel.profile.destination == "ivr_return"

    def inside(self, transfer: Transfer) -> set[str]:
        conference = self.lab.conferences.get(transfer.conference)
        return {member.channel.uuid for member in conference.members} if conference else set()


def _department(numbers: tuple[str, ...], fields: dict[str, Any]) -> Department:
    slug = fields.pop("slug", "vendas")
    settings = {"name": slug, "ring_seconds": 10, "ticket_on": [], "return_to": HOME} | fields
    department = Department.objects.create(slug=slug, is_default=slug == "vendas", **settings)
    for position, number in enumerate(numbers):
        extension, _ = Extension.objects.get_or_create(number=number, defaults={"name": number})
        Membership.objects.create(department=department, extension=extension, position=position)
    return department


def _log(transfer: Transfer) -> str:
    events = [f"  {event} ({event.verdict}) {event.detail}" for event in transfer.events.all()]
    rows = [f"  {row.kind} {row.state} {row.result}" for row in transfer.commands.order_by("id")]
    return "\n".join([*events, "commands:", *rows])


@pytest.fixture
async def world(transactional_db, tmp_path):
    # Twice as fast: dead man's timers of 10 s and more never fire in a test that goes well.
    lab = lab_switch(speed=2, tmp_dir=tmp_path)
    await lab.start()
    row = await sync_to_async(Switch.objects.create)(slug="main", name="main", port=lab.port, domain="lab")
    async with AudioServer() as audio:
        world = World(lab, row, audio)
        try:
            yield world
        finally:
            with suppress(Exception):
                await world.stop()
            await lab.stop()
