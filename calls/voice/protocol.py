"""The Realtime API's messages as text out and small dataclasses in; no socket, no clock.

Shapes: OpenAI Realtime (GA), types of openai-python 3.54.0; the tests hold every client event against those types with
extra fields forbidden. Server events are read leniently by `type`: new ones appear without notice, and a call must not
break on them.
"""

import binascii
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import pybase64

from calls.transfer.decision import ACCEPT, MODEL_SILENCE_MS, REDIRECT, REJECT, VOICEMAIL, ToolCall

RATE = 24_000
"""audio/pcm of the API is 24 kHz only, 16-bit little-endian mono."""
BYTES_PER_MS = RATE * 2 // 1000
PREFIX_PADDING_MS = 300

_APPEND_HEAD, _APPEND_TAIL = b'{"type":"input_audio_buffer.append","audio":"', b'"}'


# ---------------------------------------------------------------- client events
def session_update(
    *, model: str, instructions: str, voice: str, language: str, transcribe: str, tools: bool = True
) -> bytes:
    """The whole session. `transcribe` "none" (or "") turns transcription off; `language` is a tag such as pt-BR.

    Turn detection only *tells* of speech: create_response and interrupt_response stay off, because an "alô?" in the
    first moments of the announcement must neither be answered nor cut anything, and the server cannot know that. We ask
    for every response ourselves after `committed`, which costs one round trip a turn and also makes it impossible that
    a response of the server's own collides with one of ours.
    """
    transcription = None
    if transcribe not in ("", "none"):
        transcription = {"model": transcribe, "language": language.split("-")[0].lower()}
    session: dict[str, Any] = {
        "type": "realtime",
        "output_modalities": ["audio"],
        "instructions": instructions,
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": RATE},
                "noise_reduction": {"type": "near_field"},
                "transcription": transcription,
                "turn_detection": {
                    "type": "server_vad",
                    "threshold": 0.5,
                    "prefix_padding_ms": PREFIX_PADDING_MS,
                    "silence_duration_ms": MODEL_SILENCE_MS,
                    "create_response": False,
                    "interrupt_response": False,
                },
            },
            "output": {"format": {"type": "audio/pcm", "rate": RATE}, "voice": voice},
        },
        "tools": _TOOLS if tools else [],
        "tool_choice": "auto",
    }
    if is_reasoning(model):  # refused by the others
        session["reasoning"] = {"effort": "low"}
        session["parallel_tool_calls"] = False
    return _event("session.update", session=session)


def is_reasoning(model: str) -> bool:
    """gpt-realtime-2, gpt-realtime-2.1, gpt-realtime-2.1-mini …; not gpt-realtime-2025-08-28."""
    rest = model.removeprefix("gpt-realtime-2")
    return rest != model and not rest[:1].isdigit()


def response_create(event_id: str, instructions: str = "", *, tools: bool = True, out_of_band: bool = False) -> bytes:
    """Ask for a response. `instructions` replace the session's for this one; `tools` False forbids tool calls in it;
    `out_of_band` keeps it out of the conversation, with an empty context."""
    response: dict[str, Any] = {}
    if instructions:
        response["instructions"] = instructions
    if not tools:
        response["tool_choice"] = "none"
    if out_of_band:
        response.update(conversation="none", input=[])
    return _event("response.create", event_id=event_id, **({"response": response} if response else {}))


def system_item(text: str) -> bytes:
    """Something the model shall know, of a higher rank than what the agent says."""
    content = [{"type": "input_text", "text": text}]
    return _event("conversation.item.create", item={"type": "message", "role": "system", "content": content})


def append(pcm: bytes) -> bytes:
    """20 ms of the agent's voice, L16 at 24 kHz."""
    return _APPEND_HEAD + pybase64.b64encode(pcm) + _APPEND_TAIL


def cancel(response_id: str) -> bytes:
    return _event("response.cancel", response_id=response_id)


def truncate(event_id: str, item_id: str, heard_ms: int) -> bytes:
    """The agent heard only the first `heard_ms` of this item. Must be above 0 and not beyond what was received."""
    return _event(
        "conversation.item.truncate", event_id=event_id, item_id=item_id, content_index=0, audio_end_ms=heard_ms
    )


def delete(item_id: str) -> bytes:
    """Out of the conversation: it never was."""
    return _event("conversation.item.delete", item_id=item_id)


def retrieve(item_id: str) -> bytes:
    """Harmless, and always answered: shows whether the session still listens."""
    return _event("conversation.item.retrieve", item_id=item_id)


def tool_output(call_id: str, output: Mapping[str, Any]) -> bytes:
    """The model waits for it, and then says nothing until the next response_create()."""
    item = {"type": "function_call_output", "call_id": call_id, "output": orjson.dumps(output).decode()}
    return _event("conversation.item.create", item=item)


def _event(kind: str, **fields: Any) -> bytes:
    return orjson.dumps({"type": kind, **fields})


def _tool(name: str, description: str, **properties: Any) -> dict[str, Any]:
    return {
        "type": "function",
        "name": name,
        "description": description,
        "parameters": {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        },
    }


_TOOLS = [
    _tool(ACCEPT, "O atendente disse com clareza que atende a ligação agora."),
    _tool(
        REJECT,
        "O atendente não pode ou não quer atender agora.",
        reason={"type": "string", "description": "O motivo, em poucas palavras do atendente."},
    ),
    _tool(
        REDIRECT,
        "O atendente não atende e deu o número de outro ramal para onde passar a ligação.",
        number={"type": "string", "description": "O ramal que ele disse, só algarismos, por exemplo 2003."},
    ),
    _tool(VOICEMAIL, "Quem fala é uma gravação, uma caixa postal ou uma secretária eletrônica."),
]


# ---------------------------------------------------------------- server events
@dataclass(frozen=True, slots=True)
class SessionCreated:
    """Only now the link is up: a refusal may come after a successful handshake."""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    item_id: str
    at_ms: int  # of the audio appended, PREFIX_PADDING_MS before the speech itself


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    item_id: str
    at_ms: int  # MODEL_SILENCE_MS after the speech itself


@dataclass(frozen=True, slots=True)
class Committed:
    """The agent's turn is an item of the conversation: now it can be answered."""

    item_id: str


@dataclass(frozen=True, slots=True)
class ResponseCreated:
    response_id: str


@dataclass(slots=True)  # not frozen, which would triple the cost of making one
class AudioDelta:
    response_id: str
    item_id: str
    pcm: bytes


@dataclass(frozen=True, slots=True)
class Transcript:
    """Of the agent (`who` "agent", item of his turn; "" when it failed) or of the announcer."""

    who: str
    item_id: str
    text: str


@dataclass(frozen=True, slots=True)
class ResponseDone:
    response_id: str
    status: str  # completed, cancelled, failed, incomplete
    reason: str = ""  # code or reason of status_details
    calls: tuple[ToolCall, ...] = ()
    usage: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refused:
    """An `error` event: mostly harmless, the session goes on. `event_id` is our own, "" when it names none."""

    code: str
    event_id: str


ServerEvent = (
    SessionCreated | SpeechStarted | SpeechStopped | Committed | ResponseCreated | AudioDelta | Transcript
    | ResponseDone | Refused
)  # fmt: skip


class Reader:
    """Server events of one session; what is not for us is counted in `ignored` by its type, "?" for nonsense."""

    def __init__(self) -> None:
        self.ignored: Counter[str] = Counter()

    def read(self, raw: str | bytes) -> ServerEvent | None:
        """One message; None for what is unknown, of no interest, or no event at all. Never raises."""
        kind = "?"
        try:
            if type(raw) is bytes and raw.startswith(_DELTA):
                delta = _delta_by_slices(raw)
                if delta:
                    return delta
            message = orjson.loads(raw)
            kind = message["type"]
            read = _READERS.get(kind)
            if read:
                return read(message)
        except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
            kind = "?"
        self.ignored[kind if isinstance(kind, str) else "?"] += 1
        return None


def _response_done(message: dict[str, Any]) -> ResponseDone:
    response = message["response"]
    details = response.get("status_details") or {}
    error = details.get("error") or {}
    calls = tuple(
        ToolCall(str(item["call_id"]), str(item["name"]), str(item.get("arguments") or ""))
        for item in response.get("output") or []
        # the type of the item, not of a delta: an item that was cut off is "incomplete"
        if item.get("type") == "function_call" and item.get("status", "completed") == "completed"
    )
    return ResponseDone(
        str(response["id"]),
        str(response.get("status")),
        str(error.get("code") or error.get("type") or details.get("reason") or ""),
        calls,
        response.get("usage") or {},
    )


def _delta(message: dict[str, Any]) -> AudioDelta:
    pcm = pybase64.b64decode(message["delta"], validate=True)
    return AudioDelta(str(message["response_id"]), str(message["item_id"]), pcm[: len(pcm) // 2 * 2])


_DELTA = b'{"type":"response.output_audio.delta",'
_RESPONSE, _ITEM, _AUDIO = b'"response_id":"', b'"item_id":"', b'"delta":"'


def _delta_by_slices(raw: bytes) -> AudioDelta | None:
    """The event that comes fifty times a second, without a JSON decoder. None when it is not written as it always is;
    ids and base64 hold no escapes."""
    response, item, audio = raw.find(_RESPONSE), raw.find(_ITEM), raw.find(_AUDIO)
    if response < 0 or item < 0 or audio < 0 or not raw.endswith(b'"}') or b"\\" in raw:
        return None
    response, item, audio = response + len(_RESPONSE), item + len(_ITEM), audio + len(_AUDIO)
    end = raw.find(b'"', audio)
    if end != len(raw) - 2:  # the audio is the last field
        return None
    pcm = pybase64.b64decode(raw[audio:end], validate=True)
    if len(pcm) % 2:
        pcm = pcm[:-1]
    return AudioDelta(raw[response : raw.find(b'"', response)].decode(), raw[item : raw.find(b'"', item)].decode(), pcm)


def _refused(message: dict[str, Any]) -> Refused:
    error = message["error"]
    return Refused(str(error.get("code") or error.get("type") or ""), str(error.get("event_id") or ""))


_READERS = {
    "session.created": lambda m: SessionCreated(),
    "input_audio_buffer.speech_started": lambda m: SpeechStarted(str(m["item_id"]), int(m["audio_start_ms"])),
    "input_audio_buffer.speech_stopped": lambda m: SpeechStopped(str(m["item_id"]), int(m["audio_end_ms"])),
    "input_audio_buffer.committed": lambda m: Committed(str(m["item_id"])),
    "conversation.item.input_audio_transcription.completed": lambda m: Transcript(
        "agent", str(m["item_id"]), str(m["transcript"])
    ),
    "conversation.item.input_audio_transcription.failed": lambda m: Transcript("agent", str(m["item_id"]), ""),
    "response.created": lambda m: ResponseCreated(str(m["response"]["id"])),
    "response.output_audio.delta": _delta,
    "response.output_audio_transcript.done": lambda m: Transcript("announcer", str(m["item_id"]), str(m["transcript"])),
    "response.done": _response_done,
    "error": _refused,
}


def add_usage(total: Mapping[str, Any], usage: Mapping[str, Any]) -> dict[str, Any]:
    """Token counts of two responses summed, nested ones too; what is no number is left out."""
    summed = dict(total)
    for key, value in usage.items():
        if isinstance(value, Mapping):
            before = summed.get(key)
            summed[key] = add_usage(before if isinstance(before, Mapping) else {}, value)
        elif isinstance(value, int) and not isinstance(value, bool):
            summed[key] = summed.get(key, 0) + value
    return summed
