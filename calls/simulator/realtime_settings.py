"""The settings of a simulated Realtime session: its defaults, and how a session.update changes them. Pure."""

import time
from copy import deepcopy
from typing import Any

from calls.simulator.realtime_wire import Refusal

SESSION_SECONDS = 60 * 60
_SERVER_VAD = {
    "type": "server_vad",
    "threshold": 0.5,
    "prefix_padding_ms": 300,
    "silence_duration_ms": 500,
    "idle_timeout_ms": None,
    "create_response": True,
    "interrupt_response": True,
}
_SEMANTIC_VAD = {"type": "semantic_vad", "eagerness": "auto", "create_response": True, "interrupt_response": True}


def defaults(session_id: str, model: str) -> dict[str, Any]:
    """The session object of `session.created`."""
    pcm = {"type": "audio/pcm", "rate": 24000}
    return {
        "type": "realtime",
        "object": "realtime.session",
        "id": session_id,
        "model": model,
        "expires_at": int(time.time()) + SESSION_SECONDS,
        "output_modalities": ["audio"],
        "instructions": "You are a helpful, witty, and friendly AI.",
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "truncation": "auto",
        "tracing": None,
        "prompt": None,
        "include": None,
        "audio": {
            "input": {
                "format": pcm,
                "transcription": None,
                "noise_reduction": None,
                "turn_detection": dict(_SERVER_VAD),
            },
            "output": {"format": dict(pcm), "voice": "alloy", "speed": 1.0},
        },
    }


def updated(current: dict[str, Any], change: dict[str, Any], *, has_spoken: bool, speaking: bool) -> dict[str, Any]:
    """`current` with the keys of a (valid) session.update changed. Raises Refusal.

    `has_spoken`: audio was sent in this session, so the voice is fixed. `speaking`: a response is being made.
    """
    made = deepcopy(current)
    made.update({key: deepcopy(value) for key, value in change.items() if key != "audio"})
    audio = change.get("audio", {})
    output, heard = made["audio"]["output"], made["audio"]["input"]
    wanted = audio.get("output", {})
    if has_spoken and wanted.get("voice", output["voice"]) != output["voice"]:
        raise Refusal(
            "cannot_update_voice",
            "Cannot update a conversation's voice if assistant audio is present.",
            "session.audio.output.voice",
        )
    if speaking and wanted.get("speed", output["speed"]) != output["speed"]:
        raise Refusal("invalid_value", "The speed can only change between turns.", "session.audio.output.speed")
    output.update(deepcopy(wanted))
    wanted = deepcopy(audio.get("input", {}))
    if wanted.get("turn_detection"):
        wanted["turn_detection"] = _detection(heard["turn_detection"], wanted["turn_detection"])
    for key in ("noise_reduction", "transcription"):
        if wanted.get(key) and heard[key]:
            wanted[key] = heard[key] | wanted[key]
    heard.update(wanted)
    return made


def _detection(current: dict | None, change: dict) -> dict:
    if current and current["type"] == change["type"]:
        return current | change
    return (_SERVER_VAD if change["type"] == "server_vad" else _SEMANTIC_VAD) | change
