"""What the Realtime API accepts from a client, checked strictly: a field it does not know is an error, never ignored.

The shapes are those of the `openai` package. Its models allow unknown fields, so they are read with extra="forbid";
and some rules are in no type at all (only in the documentation, or in what the API was seen to refuse), so they are
written here by hand. Pure: one JSON text in, a dict or a `Refusal` out.
"""

import base64
import binascii
import json
import re
from typing import Any

from openai.types.realtime import (
    ConversationItemCreateEvent,
    ConversationItemDeleteEvent,
    ConversationItemRetrieveEvent,
    ConversationItemTruncateEvent,
    InputAudioBufferAppendEvent,
    InputAudioBufferClearEvent,
    InputAudioBufferCommitEvent,
    RealtimeSessionCreateRequest,
    ResponseCancelEvent,
    ResponseCreateEvent,
)
from pydantic import BaseModel, TypeAdapter, ValidationError

VOICES = {"alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar"}
MAX_APPEND_BYTES = 15 * 1024 * 1024

_TYPES: dict[str, type[BaseModel]] = {
    "conversation.item.create": ConversationItemCreateEvent,
    "conversation.item.delete": ConversationItemDeleteEvent,
    "conversation.item.retrieve": ConversationItemRetrieveEvent,
    "conversation.item.truncate": ConversationItemTruncateEvent,
    "input_audio_buffer.append": InputAudioBufferAppendEvent,
    "input_audio_buffer.clear": InputAudioBufferClearEvent,
    "input_audio_buffer.commit": InputAudioBufferCommitEvent,
    "response.cancel": ResponseCancelEvent,
    "response.create": ResponseCreateEvent,
}
_ADAPTERS = {name: TypeAdapter(model) for name, model in _TYPES.items()}
_SESSION = TypeAdapter(RealtimeSessionCreateRequest)
_NULLABLE = {
    "session.audio.input.turn_detection",
    "session.audio.input.noise_reduction",
    "session.audio.input.transcription",
    "session.tracing",
    "session.prompt",
}
_CONTENT = {
    "system": {"input_text"},
    "user": {"input_text", "input_audio", "input_image"},
    "assistant": {"output_text"},  # a client cannot put words into the model's own voice
}
_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_REASONING_MODEL = re.compile(r"gpt-realtime-2(\.|-|$)")


class Refusal(Exception):
    """An `error` event's contents. `event_id` is the client's own id of the event that was refused."""

    def __init__(self, code: str | None, message: str, param: str | None = None, event_id: str | None = None):
        super().__init__(message)
        self.code, self.message, self.param, self.event_id = code, message, param, event_id

    def event(self) -> dict:
        return {
            "type": "error",
            "error": {
                "type": "invalid_request_error",
                "code": self.code,
                "message": self.message,
                "param": self.param,
                "event_id": self.event_id,
            },
        }


def parse(raw: str | bytes, model: str) -> dict[str, Any]:
    """One client event. `model` is the session's: some settings exist for reasoning models only. Raises Refusal."""
    if isinstance(raw, bytes):
        raise Refusal("invalid_event", "Client events are JSON in text messages, not binary messages.")
    try:
        event = json.loads(raw)
    except ValueError:
        raise Refusal("invalid_json", "We could not parse the JSON body of your event.") from None
    if not isinstance(event, dict):
        raise Refusal("invalid_event", "An event is a JSON object.")
    event_id = event.get("event_id")
    try:
        _check(event, model)
    except Refusal as refusal:
        refusal.event_id = event_id if isinstance(event_id, str) else None
        raise
    return event


def _check(event: dict, model: str) -> None:
    kind = event.get("type")
    if kind is None:
        raise Refusal("missing_required_parameter", "Missing required parameter: 'type'.", "type")
    if kind == "output_audio_buffer.clear":
        raise Refusal("invalid_value", "output_audio_buffer.clear is for WebRTC and SIP sessions only.", "type")
    if kind not in _TYPES and kind != "session.update":
        supported = ", ".join(f"'{name}'" for name in sorted([*_TYPES, "session.update"]))
        raise Refusal("invalid_value", f"Invalid value: '{kind}'. Supported values are: {supported}.", "type")
    _check_nulls(event)
    if kind == "session.update":
        _check_update(event, model)
    else:
        _validate(_ADAPTERS[kind], event, ())
    if kind == "response.create":
        _check_settings(event.get("response", {}), "response", model)
    elif kind == "conversation.item.create":
        _check_item(event["item"], "item")
    elif kind == "input_audio_buffer.append":
        _check_base64(event["audio"])


def _check_update(event: dict, model: str) -> None:
    for key in event:
        if key not in ("type", "event_id", "session"):
            raise Refusal("unknown_parameter", f"Unknown parameter: '{key}'.", key)
    session = event.get("session")
    if not isinstance(session, dict):
        raise Refusal("missing_required_parameter", "Missing required parameter: 'session'.", "session")
    if session.get("type") == "transcription":
        raise Refusal("invalid_value", "This is a realtime session, not a transcription session.", "session.type")
    _validate(_SESSION, session, ("session",))
    if session.get("model", model) != model:
        raise Refusal("invalid_value", "The model of a session cannot be changed.", "session.model")
    _check_settings(session, "session", model)
    _check_input(session.get("audio", {}).get("input", {}), "session.audio.input")


def _check_settings(settings: dict, at: str, model: str) -> None:
    """What a session and a single response have in common."""
    modalities = settings.get("output_modalities")
    if modalities is not None and modalities not in (["audio"], ["text"]):
        raise Refusal(
            "invalid_value",
            f"Invalid modalities: {modalities}. Supported combinations are: ['text'] and ['audio'].",
            f"{at}.output_modalities",
        )
    tools = settings.get("tools", [])
    for index, tool in enumerate(tools):
        _check_tool(tool, f"{at}.tools[{index}]")
    limit = settings.get("max_output_tokens", "inf")
    if limit != "inf" and not 1 <= limit <= 4096:
        raise Refusal("invalid_value", "An integer from 1 to 4096 or 'inf'.", f"{at}.max_output_tokens")
    for key in ("reasoning", "parallel_tool_calls"):
        if key in settings and not _REASONING_MODEL.match(model):
            raise Refusal("unsupported_parameter", f"'{key}' is not supported by {model}.", f"{at}.{key}")
    metadata = settings.get("metadata", {})
    if len(metadata) > 16 or any(len(key) > 64 or len(value) > 512 for key, value in metadata.items()):
        raise Refusal("invalid_value", "At most 16 pairs of 64 and 512 characters.", f"{at}.metadata")
    _check_output(settings.get("audio", {}).get("output", {}), f"{at}.audio.output")
    for index, item in enumerate(settings.get("input", [])):
        _check_item(item, f"{at}.input[{index}]")


def _check_tool(tool: dict, at: str) -> None:
    if "type" not in tool:
        raise Refusal("missing_required_parameter", f"Missing required parameter: '{at}.type'.", f"{at}.type")
    if tool["type"] != "function":
        return
    for key in ("name", "parameters"):
        if key not in tool:
            raise Refusal("missing_required_parameter", f"Missing required parameter: '{at}.{key}'.", f"{at}.{key}")
    if not _TOOL_NAME.fullmatch(tool["name"]):
        raise Refusal("invalid_value", f"'{tool['name']}' does not match ^[a-zA-Z0-9_-]{{1,64}}$.", f"{at}.name")
    parameters = tool["parameters"]
    if not isinstance(parameters, dict) or parameters.get("type") != "object":
        raise Refusal("invalid_function_parameters", "schema must have type 'object'", f"{at}.parameters")


def _check_input(audio: dict, at: str) -> None:
    _check_format(audio, at)
    detection = audio.get("turn_detection") or {}
    if not 0 <= detection.get("threshold", 0.5) <= 1:
        raise Refusal("invalid_value", "A number from 0 to 1.", f"{at}.turn_detection.threshold")
    for key in ("prefix_padding_ms", "silence_duration_ms"):
        if not 0 <= detection.get(key, 0) <= 30_000:
            raise Refusal("integer_above_max_value", "From 0 to 30000.", f"{at}.turn_detection.{key}")
    if not 5_000 <= detection.get("idle_timeout_ms", 5_000) <= 30_000:
        raise Refusal("invalid_value", "From 5000 to 30000.", f"{at}.turn_detection.idle_timeout_ms")
    if (audio.get("transcription") or {"model": ""}).get("model") is None:
        param = f"{at}.transcription.model"
        raise Refusal("missing_required_parameter", f"Missing required parameter: '{param}'.", param)


def _check_output(audio: dict, at: str) -> None:
    _check_format(audio, at)
    voice = audio.get("voice", "marin")
    if isinstance(voice, str) and voice not in VOICES:
        names = ", ".join(f"'{name}'" for name in sorted(VOICES))
        raise Refusal("invalid_value", f"Invalid value: '{voice}'. Supported values are: {names}.", f"{at}.voice")
    if not 0.25 <= audio.get("speed", 1.0) <= 1.5:
        raise Refusal("invalid_value", "A number from 0.25 to 1.5.", f"{at}.speed")


def _check_format(audio: dict, at: str) -> None:
    if "format" not in audio:
        return
    form, param = audio["format"], f"{at}.format"
    if "type" not in form:
        raise Refusal("missing_required_parameter", f"Missing required parameter: '{param}.type'.", f"{param}.type")
    if form["type"] == "audio/pcm" and form.get("rate") != 24000:
        raise Refusal("invalid_value", "audio/pcm has the rate 24000.", f"{param}.rate")


def _check_item(item: dict, at: str) -> None:
    if item["type"] != "message":
        return
    wanted = _CONTENT[item["role"]]
    for index, part in enumerate(item["content"]):
        param = f"{at}.content[{index}]"
        if part.get("type") not in wanted:
            names = ", ".join(f"'{name}'" for name in sorted(wanted))
            raise Refusal("invalid_value", f"Supported values are: {names}.", f"{param}.type")
        field = {"input_audio": "audio", "input_image": "image_url"}.get(part["type"], "text")
        if field not in part:
            param = f"{param}.{field}"
            raise Refusal("missing_required_parameter", f"Missing required parameter: '{param}'.", param)


def _check_base64(audio: str) -> None:
    try:
        size = len(base64.b64decode(audio, validate=True))
    except (binascii.Error, ValueError):
        raise Refusal("invalid_base64", "Invalid 'audio'. Expected base64-encoded audio bytes.", "audio") from None
    if size > MAX_APPEND_BYTES:
        raise Refusal("audio_too_large", "At most 15 MiB of audio in one event.", "audio")


def _check_nulls(value: Any, at: str = "") -> None:
    """Null means "clear" for a few settings; anywhere else the API wants the key left out."""
    if value is None and at not in _NULLABLE:
        raise Refusal("invalid_type", f"Invalid type for '{at}': null.", at)
    if isinstance(value, dict) and not at.endswith(".parameters"):
        for key, inner in value.items():
            _check_nulls(inner, f"{at}.{key}" if at else key)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _check_nulls(inner, f"{at}[{index}]")


def _validate(adapter: TypeAdapter, value: dict, at: tuple) -> None:
    try:
        adapter.validate_python(value, extra="forbid", strict=True)
    except ValidationError as error:
        raise _refusal(error, value, at) from None


_CODES = {
    "extra_forbidden": "unknown_parameter",
    "missing": "missing_required_parameter",
    "literal_error": "invalid_value",
}


def _refusal(error: ValidationError, value: dict, at: tuple) -> Refusal:
    problems = error.errors(include_url=False)
    # A union reports every member. Those whose own `type` (or role) does not fit were not meant.
    unfit = [p for p in problems if p["loc"][-1] in ("type", "role") and p["type"] in ("literal_error", "missing")]
    wrong = {p["loc"][:-1] for p in unfit}
    meant = [p for p in problems if not any(p["loc"][: len(prefix)] == prefix and prefix for prefix in wrong)]
    problem = (meant or problems)[0]
    param = _path((*at, *_real_keys(problem["loc"], value)))
    code = _CODES.get(problem["type"], "invalid_type")
    message = {
        "unknown_parameter": f"Unknown parameter: '{param}'.",
        "missing_required_parameter": f"Missing required parameter: '{param}'.",
        "invalid_value": f"Invalid value for '{param}': {problem['msg']}.",
        "invalid_type": f"Invalid type for '{param}': {problem['msg']}.",
    }[code]
    return Refusal(code, message, param)


def _real_keys(location: tuple, value: Any) -> list:
    """The location without the names of union members that pydantic puts in between."""
    keys = []
    for index, part in enumerate(location):
        if isinstance(value, dict) and part in value or isinstance(value, list) and isinstance(part, int):
            keys.append(part)
            value = value[part]
        elif index == len(location) - 1 and isinstance(value, dict) and str(part).isidentifier():
            keys.append(part)
    return keys


def _path(parts: tuple) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts).lstrip(".")
