import base64
import json

import pytest

from calls.simulator.realtime_wire import Refusal, parse

TOOL = {"type": "function", "name": "accept_transfer", "parameters": {"type": "object", "properties": {}}}
PCM = {"type": "audio/pcm", "rate": 24000}


def update(**session):
    return {"type": "session.update", "session": {"type": "realtime", **session}}


def heard(**settings):
    return update(audio={"input": settings})


def spoken(**settings):
    return update(audio={"output": settings})


def create(**response):
    return {"type": "response.create", "response": response}


def item(**fields):
    return {"type": "conversation.item.create", "item": fields}


def message(role, **part):
    return item(type="message", role=role, content=[part])


def refusal(event, model="gpt-realtime-2.1"):
    with pytest.raises(Refusal) as caught:
        parse(event if isinstance(event, str | bytes) else json.dumps(event), model)
    return caught.value


WHOLE_SESSION = update(
    output_modalities=["audio"],
    instructions="…",
    audio={
        "input": {
            "format": {"type": "audio/pcmu"},
            "noise_reduction": {"type": "near_field"},
            "transcription": {"model": "gpt-transcribe", "language": "pt"},
            "turn_detection": {
                "type": "server_vad",
                "threshold": 0.5,
                "prefix_padding_ms": 300,
                "silence_duration_ms": 500,
                "idle_timeout_ms": 8000,
                "create_response": True,
                "interrupt_response": True,
            },
        },
        "output": {"format": {"type": "audio/pcmu"}, "voice": "marin", "speed": 1.0},
    },
    tools=[{**TOOL, "description": "…"}],
    tool_choice="auto",
    max_output_tokens="inf",
)


@pytest.mark.parametrize(
    "event",
    [
        WHOLE_SESSION,
        update(instructions="", tools=[]) | {"event_id": "mine"},
        heard(turn_detection=None, noise_reduction=None, transcription=None),
        heard(format=PCM, turn_detection={"type": "semantic_vad", "eagerness": "low"}),
        spoken(voice={"id": "voice_1234"}),
        update(tool_choice={"type": "function", "name": "accept_transfer"}),
        update(reasoning={"effort": "low"}, parallel_tool_calls=False),
        {"type": "response.create"},
        create(
            conversation="none", input=[], instructions="Diga «oi»", output_modalities=["text"], metadata={"a": "b"}
        ),
        {"type": "response.cancel", "response_id": "resp_1", "event_id": "e1"},
        {"type": "input_audio_buffer.append", "audio": "AAAA"},
        {"type": "conversation.item.truncate", "item_id": "item_1", "content_index": 0, "audio_end_ms": 120},
        message("user", type="input_text", text="oi"),
        message("system", type="input_text", text="o atendente teclou 0"),
        message("assistant", type="output_text", text="oi"),
        item(type="function_call_output", call_id="call_1", output='{"ok": true}'),
    ],
    ids=lambda event: json.dumps(event)[:70],
)
def test_a_correct_event_is_accepted(event):
    assert parse(json.dumps(event), "gpt-realtime-2.1") == event


@pytest.mark.parametrize(
    ("event", "code", "param"),
    [
        # of the beta, accepted by the types if extra fields are not forbidden
        (update(modalities=["audio"]), "unknown_parameter", "session.modalities"),
        (update(voice="marin"), "unknown_parameter", "session.voice"),
        (update(input_audio_format="pcm16"), "unknown_parameter", "session.input_audio_format"),
        (update(temperature=0.8), "unknown_parameter", "session.temperature"),
        (create(modalities=["audio"]), "unknown_parameter", "response.modalities"),
        (update(tools=[{"type": "function", "function": {}}]), "unknown_parameter", "session.tools[0].function"),
        (message("user", type="text", text="x"), "invalid_value", "item.content[0].type"),
        ({"type": "conversation.item.update", "item": {}}, "invalid_value", "type"),
        ({"type": "transcription_session.update"}, "invalid_value", "type"),
        # in no type
        (update(output_modalities=["audio", "text"]), "invalid_value", "session.output_modalities"),
        (create(output_modalities=["text", "audio"]), "invalid_value", "response.output_modalities"),
        (
            update(tools=[{"type": "function", "name": "x"}]),
            "missing_required_parameter",
            "session.tools[0].parameters",
        ),
        (update(tools=[{"type": "function", "parameters": {}}]), "missing_required_parameter", "session.tools[0].name"),
        (update(tools=[TOOL | {"name": "a b"}]), "invalid_value", "session.tools[0].name"),
        (heard(format={"type": "audio/pcm"}), "invalid_value", "session.audio.input.format.rate"),
        (heard(format={"rate": 24000}), "missing_required_parameter", "session.audio.input.format.type"),
        (heard(format={"type": "audio/pcmu", "rate": 8000}), "unknown_parameter", "session.audio.input.format.rate"),
        (spoken(format={"type": "audio/pcm", "rate": 16000}), "invalid_value", "session.audio.output.format.rate"),
        (spoken(voice="bob"), "invalid_value", "session.audio.output.voice"),
        (spoken(speed=2.0), "invalid_value", "session.audio.output.speed"),
        (update(model="gpt-realtime"), "invalid_value", "session.model"),
        (update(instructions=None), "invalid_type", "session.instructions"),
        (update(max_output_tokens=0), "invalid_value", "session.max_output_tokens"),
        ({"type": "input_audio_buffer.append", "audio": "A A"}, "invalid_base64", "audio"),
        ({"type": "input_audio_buffer.append", "audio": "AAA"}, "invalid_base64", "audio"),
        ({"type": "output_audio_buffer.clear"}, "invalid_value", "type"),
        (
            heard(turn_detection={"type": "server_vad", "idle_timeout_ms": 2000}),
            "invalid_value",
            "session.audio.input.turn_detection.idle_timeout_ms",
        ),
        (
            heard(turn_detection={"type": "semantic_vad", "idle_timeout_ms": 8000}),
            "unknown_parameter",
            "session.audio.input.turn_detection.idle_timeout_ms",
        ),
        (
            heard(turn_detection={"type": "server_vad", "threshold": "0.5"}),
            "invalid_type",
            "session.audio.input.turn_detection.threshold",
        ),
        (
            heard(transcription={"language": "pt"}),
            "missing_required_parameter",
            "session.audio.input.transcription.model",
        ),
        # of the API
        ({"type": "session.update", "session": {"tools": []}}, "missing_required_parameter", "session.type"),
        ({"type": "session.update"}, "missing_required_parameter", "session"),
        ({"type": "session.update", "session": {"type": "transcription"}}, "invalid_value", "session.type"),
        ({"type": "input_audio_buffer.append"}, "missing_required_parameter", "audio"),
        ({"type": "conversation.item.truncate", "item_id": "i", "content_index": 0, "audio_end_ms": 1.5},
         "invalid_type", "audio_end_ms"),
        (item(type="function_call_output", call_id="c", output={"ok": True}), "invalid_type", "item.output"),
        (message("assistant", type="output_audio", audio="AAAA"), "invalid_value", "item.content[0].type"),
        (update(tool_choice="any"), "invalid_value", "session.tool_choice"),
        (create(metadata={"a": "b" * 513}), "invalid_value", "response.metadata"),
        ({"type": "response.flush"}, "invalid_value", "type"),
        ({}, "missing_required_parameter", "type"),
    ],
    ids=lambda value: json.dumps(value)[:70] if isinstance(value, dict) else None,
)  # fmt: skip
def test_a_wrong_event_is_refused_and_told_where(event, code, param):
    refused = refusal(event)
    assert (refused.code, refused.param) == (code, param)


@pytest.mark.parametrize("key", ["reasoning", "parallel_tool_calls"])
@pytest.mark.parametrize("model", ["gpt-realtime", "gpt-realtime-1.5", "gpt-realtime-2025-08-28", "gpt-realtime-mini"])
def test_settings_of_reasoning_models_are_refused_by_the_others(key, model):
    event = update(**{key: {"effort": "low"} if key == "reasoning" else False})
    assert refusal(event, model).param == f"session.{key}"


def test_references_to_items_are_refused():
    event = create(input=[{"type": "item_reference", "id": "item_1"}])
    assert refusal(event).param.startswith("response.input[0]")


@pytest.mark.parametrize("raw", ["{", "", "[]", '"x"', "null", b'{"type": "response.create"}'])
def test_what_is_no_json_object_in_a_text_message_is_refused(raw):
    assert refusal(raw).code in ("invalid_json", "invalid_event")


def test_too_much_audio_at_once_is_refused():
    audio = base64.b64encode(bytes(15 * 1024 * 1024 + 3)).decode()
    assert refusal({"type": "input_audio_buffer.append", "audio": audio}).code == "audio_too_large"


def test_a_refusal_names_the_clients_own_event():
    refused = refusal({"type": "response.create", "event_id": "mine", "foo": 1})
    assert refused.event()["error"] == {
        "type": "invalid_request_error",
        "code": "unknown_parameter",
        "message": "Unknown parameter: 'foo'.",
        "param": "foo",
        "event_id": "mine",
    }
