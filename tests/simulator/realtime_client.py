"""A client of the simulated Realtime server that holds every event it gets to the shapes of the openai package."""

import asyncio
import base64
import json
from typing import Any, get_args

from openai.types.realtime import RealtimeServerEvent
from openai.types.realtime.realtime_session_create_response import RealtimeSessionCreateResponse
from pydantic import TypeAdapter
from websockets.asyncio.client import connect

from calls.simulator.realtime import RealtimeServer

_EVENTS = {
    get_args(model.model_fields["type"].annotation)[0]: TypeAdapter(model)
    for model in get_args(get_args(RealtimeServerEvent)[0])
}
_SESSION = TypeAdapter(RealtimeSessionCreateResponse)

TOOLS = [
    {
        "type": "function",
        "name": name,
        "description": "…",
        "parameters": {"type": "object", "properties": properties, "additionalProperties": False},
    }
    for name, properties in {
        "accept_transfer": {},
        "reject_transfer": {"reason": {"type": "string"}},
        "voicemail_detected": {},
    }.items()
]


def settings(**changes: Any) -> dict:
    """A session as TransferHub wants it: 24 kHz, Portuguese transcripts, our tools."""
    return {
        "type": "realtime",
        "output_modalities": ["audio"],
        "instructions": "Você anuncia uma ligação. «Bom dia. Maria quer falar com vendas. Pode atender?»",
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": 24000},
                "transcription": {"model": "gpt-transcribe", "language": "pt"},
                "turn_detection": {"type": "server_vad", "silence_duration_ms": 400},
            },
            "output": {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "marin"},
        },
        "tools": TOOLS,
        **changes,
    }


class Client:
    def __init__(self, server: RealtimeServer, **options: Any):
        self._server = server
        self._options = {"model": "gpt-realtime-2.1", "headers": {"Authorization": "Bearer sk-test"}} | options
        self.events: list[dict] = []

    async def __aenter__(self) -> "Client":
        self.socket = await connect(
            f"{self._server.url}?model={self._options['model']}",
            additional_headers=self._options["headers"],
            proxy=None,
            compression=None,
            max_size=None,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.socket.close()

    @property
    def record(self):
        return self._server.sessions[-1]

    async def send(self, **event: Any) -> None:
        await self.socket.send(json.dumps(event))

    async def next(self) -> dict:
        event = json.loads(await asyncio.wait_for(self.socket.recv(), 10))
        check_shape(event)
        self.events.append(event)
        return event

    async def until(self, kind: str) -> dict:
        """The next event of that type; what came before it is in `events`."""
        while True:
            event = await self.next()
            if event["type"] == kind:
                return event

    async def begin(self, **changes: Any) -> None:
        await self.until("session.created")
        await self.send(type="session.update", session=settings(**changes))
        await self.until("session.updated")
        self.events.clear()

    async def announce(self, text: str = "Bom dia. Maria quer falar com vendas.") -> dict:
        await self.send(type="response.create", response={"instructions": f"Diga exatamente: «{text}»"})
        return (await self.until("response.done"))["response"]

    async def speak(self, pcm: bytes, *, frame: int = 960, silence: float = 0.6) -> None:
        """Bytes of the session's input format, in frames of 20 ms, then silence."""
        pcm += bytes(int(silence * 50) * frame)
        for at in range(0, len(pcm), frame):
            await self.send(type="input_audio_buffer.append", audio=base64.b64encode(pcm[at : at + frame]).decode())

    def kinds(self) -> list[str]:
        return [event["type"] for event in self.events]

    def of(self, kind: str) -> list[dict]:
        return [event for event in self.events if event["type"] == kind]

    def sound(self) -> bytes:
        return b"".join(base64.b64decode(event["delta"]) for event in self.of("response.output_audio.delta"))


def check_shape(event: dict) -> None:
    """Raises pydantic.ValidationError for a missing, unknown or ill-typed field."""
    if event["type"] in ("session.created", "session.updated"):
        assert set(event) == {"type", "event_id", "session"}
        _SESSION.validate_python(event["session"], extra="forbid", strict=True)
    else:
        _EVENTS[event["type"]].validate_python(event, extra="forbid", strict=True)
