"""The audio path end to end: our web server with its hub, a simulated Realtime API, and an agent at a simulated switch
who hears and speaks. Real sockets, the real bus; only the database's door is a stand-in, so that a test can look in and
take it away."""

import asyncio
import contextlib
import json
import socket
import time
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from channels.layers import get_channel_layer

from calls import bus
from calls.services import ClaimedAudio, LiveAudio
from calls.simulator.audiostream import AudioStream
from calls.simulator.handset import Handset
from calls.simulator.media import Leg, Media
from calls.simulator.speech import spoken
from calls.transfer.events import Event
from calls.voice.hub import Hub
from transferhub.asgi import Application

LOCAL = "127.0.0.1"
MEMBER = 1
BRIEF = {
    "kind": "announcement",
    "department": "Vendas",
    "agent_name": "João",
    "caller_name": "Maria",
    "caller_number_spoken": "",
    "summary": "Quer um orçamento.",
    "context": "",
    "voice": "marin",
    "language": "pt-BR",
    "decision_seconds": 15,
    "announcement_text": "Olá, João. Maria quer um orçamento. Você pode atender agora?",
}


async def until(condition, seconds=8.0, what="the condition"):
    """Wait for it; its value when it is true."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, f"{what} did not come true in {seconds} s"
        await asyncio.sleep(0.005)
    return value


@dataclass
class Door:
    """calls.voice.door with everything it was told kept here. `fail_with` is raised by every call while it is set."""

    open: list[ClaimedAudio] = field(default_factory=list)
    unneeded: set[int] = field(default_factory=set)
    events: list[Event] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    utterances: list[tuple[str, str]] = field(default_factory=list)
    ready: list[tuple[int, str, int]] = field(default_factory=list)
    closed: dict[int, dict[str, Any]] = field(default_factory=dict)
    beats: int = 0
    judged: int = 0  # times it was looked whose sessions are dead
    left: bool = False
    listening: set[int] = field(default_factory=set)
    words: dict[int, str] = field(default_factory=dict)  # of supervisors, by their actions' ids
    fail_with: Exception | None = None
    refused: int = 0
    uuids: dict[int, str] = field(default_factory=dict)  # of legs, by their sessions; "leg-b" where none is given
    _used: set[str] = field(default_factory=set)

    def _check(self):
        if self.fail_with:
            self.refused += 1
            raise self.fail_with

    async def is_audio_unclaimed(self):
        return bool(self.open)

    async def claim_audio(self, process_id, limit=10, waited=0.0):
        self._check()
        claimed, self.open = self.open[:limit], self.open[limit:]
        return claimed

    async def audio_connected(self, process_id, token):
        self._check()
        if token in self._used:
            return None
        self._used.add(token)
        number = int(token.split("-")[1])
        return LiveAudio(number, "", "transfer", agent_uuid=self.uuids.get(number, "leg-b"), caller_uuid="leg-a")

    async def apply_event(self, transfer_id, event):
        self._check()
        self.events.append(event)
        self.times.append(time.monotonic())

    async def add_utterance(self, session_id, who, text, item_id=""):
        self._check()
        self.utterances.append((who, text))

    async def announce_ready(self, session_id, url, length_ms=0):
        self._check()
        self.ready.append((session_id, url, length_ms))

    async def close_audio(self, session_id, usage=None):
        self.closed[session_id] = usage

    async def open_listening(self, process_id, token):
        """Of the session whose number the token is."""
        self._check()
        if not token.isdigit():
            return None
        self.listening.add(int(token))
        return int(token), int(token)

    async def told_words(self, action):
        return self.words.get(action, "")

    async def may_listen_on(self, listening):
        return listening in self.listening

    async def close_listening(self, listening):
        self.listening.discard(listening)

    async def heartbeat(self, process_id, base_url, sessions):
        self._check()
        self.beats += 1

    async def reopen_dead_audio(self):
        self._check()
        self.judged += 1

    async def no_longer_needed(self, session_ids):
        return self.unneeded & set(session_ids)

    async def leave(self, process_id):
        self.left = True

    def offer(self, number: int, /, leg: str = "agent", transfer: str = "", **brief: Any) -> None:
        """A session somebody must claim; its token is "token-<number>"."""
        transfer = transfer or f"transfer-{number}"
        whole = (BRIEF if leg == "agent" else {}) | brief
        self.open.append(ClaimedAudio(number, leg, transfer, "abc123", "main", "mark", whole, f"token-{number}"))

    def of(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]


class Web:
    """uvicorn with our application in this event loop."""

    def __init__(self, door: Door, protocol: str = "calls.voice.server:AudioProtocol"):
        self.door = door
        self._socket = socket.create_server((LOCAL, 0))
        self.url = f"ws://{LOCAL}:{self._socket.getsockname()[1]}"
        self.app = Application(lambda: Hub(door, self.url))
        config = uvicorn.Config(self.app, lifespan="on", ws=protocol, log_level="warning", log_config=None)
        self._server = uvicorn.Server(config)
        self._server.capture_signals = contextlib.nullcontext  # the signals are pytest's
        self._task: asyncio.Task | None = None

    async def __aenter__(self) -> "Web":
        self._task = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        await until(lambda: self._server.started, what="the web server")
        return self

    async def stop(self) -> None:
        """As a SIGTERM does."""
        self._server.should_exit = True
        await self._task

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def hub(self) -> Hub:
        return self.app.hub

    async def claimed(self, number: int, /, leg: str = "agent", **brief: Any) -> str:
        """Offer a session and wait until this process has taken it; the URL for FreeSWITCH."""
        self.door.offer(number, leg, **brief)
        await bus.asend(bus.AUDIO, {"type": "audio.wake"})
        ready = await until(lambda: [each for each in self.door.ready if each[0] == number], what="the claim")
        return ready[0][1]


class AgentLine:
    """A leg in a simulated conference, with a person on it; this class is its switch process."""

    def __init__(self, web: Web, folder, speed: float, uuid: str = "leg-b"):
        self.media = Media(speed)
        self.leg = Leg(uuid)
        self.agent = Handset(self.leg, "pt-br+f2", spoken)
        self.clips: list[float] = []  # when each arrived
        self.stops: list[float] = []  # when we were told to be silent
        self.ended: list[str] = []
        self._web, self._folder = web, folder
        self._outbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._tasks: list[asyncio.Task] = []
        self.stream: AudioStream | None = None
        self._channel = ""

    async def __aenter__(self) -> "AgentLine":
        self._channel = await get_channel_layer().new_channel()
        await get_channel_layer().group_add(bus.switch_group("main"), self._channel)
        self.media.add_leg(self.leg)
        self._room = self.media.open_room("room", None)
        self._room.enter(MEMBER, self.leg, muted=False)
        self._room.on_clip = lambda member, path, what: self._report(what, path)
        self._tasks = [asyncio.create_task(self._orders()), asyncio.create_task(self._reports())]
        await self.media.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.stream:
            await self.stream.stop()
        await self.media.stop()
        while left := [task for task in self._tasks if not task.done()]:
            for task in left:
                task.cancel()
            await asyncio.wait(left, timeout=0.5)

    def connect(self, url: str, rate: int = 24_000) -> None:
        self.stream = AudioStream(
            self.leg, url, rate, "metadata", {}, self._folder, self._happened, speed=self.media.speed
        )
        self.stream.start()

    async def hears(self, seconds: float = 0.4) -> None:
        """Until the agent has heard so much of us."""
        self.agent.forget()
        assert await self.agent.until(lambda: self.agent.heard >= seconds, 20), "the agent hears nothing"

    async def hears_out(self) -> None:
        """Until we have spoken and fallen silent."""
        assert await self.agent.finished_speech(30), "nobody speaks to the agent, or without end"

    def _happened(self, kind: str, body: str) -> None:
        if kind != "play":
            self.ended.append(kind)
            return
        path = json.loads(body)["file"]
        self.clips.append(time.monotonic())
        self._report("ready", path)
        self._room.play(MEMBER, path)

    def _report(self, what: str, path: str) -> None:
        self._outbox.put_nowait({"type": "playback", "uuid": self.leg.uuid, "path": path, "what": what, "at_ms": 0})

    async def _reports(self) -> None:
        while True:
            await bus.asend(bus.process_group(self._web.hub.process_id), await self._outbox.get())

    async def _orders(self) -> None:
        while True:
            message = await get_channel_layer().receive(self._channel)
            if message["type"] == "clips.stop" and message["uuid"] == self.leg.uuid:
                self.stops.append(time.monotonic())
                self._room.stop(MEMBER)
