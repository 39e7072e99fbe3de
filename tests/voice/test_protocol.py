import base64
import json

import pytest
from openai.types.realtime import (
    ConversationItemCreateEvent,
    ConversationItemRetrieveEvent,
    ConversationItemTruncateEvent,
    InputAudioBufferAppendEvent,
    RealtimeSessionCreateRequest,
    ResponseCancelEvent,
    ResponseCreateEvent,
)
from pydantic import TypeAdapter

from calls.transfer.decision import TOOLS, ToolCall
from calls.voice import protocol
from calls.voice.protocol import (
    AudioDelta,
    Reader,
    Refused,
    ResponseCreated,
    ResponseDone,
    SessionCreated,
    SpeechStarted,
    SpeechStopped,
    Transcript,
    add_usage,
)


def strictly(model, message: bytes) -> dict:
    event = json.loads(message)
    TypeAdapter(model).validate_python(event, extra="forbid", strict=True)
    return event


def update(**changes) -> dict:
    asked = {
        "model": "gpt-realtime-2.1",
        "instructions": "Seja gentil.",
        "voice": "marin",
        "language": "pt-BR",
        "transcribe": "gpt-transcribe",
        **changes,
    }
    event = json.loads(protocol.session_update(**asked))
    assert set(event) == {"type", "session"} and event["type"] == "session.update"
    session = event["session"]
    TypeAdapter(RealtimeSessionCreateRequest).validate_python(session, extra="forbid", strict=True)
    return session


def test_the_session_is_one_the_api_takes():
    session = update()
    assert session["output_modalities"] == ["audio"]
    assert session["audio"]["input"]["format"] == {"type": "audio/pcm", "rate": 24000}
    assert session["audio"]["input"]["transcription"] == {"model": "gpt-transcribe", "language": "pt"}
    assert {tool["name"] for tool in session["tools"]} == TOOLS
    assert session["tools"][1]["parameters"]["required"] == ["reason"]


def test_the_server_only_tells_of_speech_and_decides_no_turn():
    detection = update()["audio"]["input"]["turn_detection"]
    assert detection["create_response"] is False and detection["interrupt_response"] is False


@pytest.mark.parametrize("none", ["none", ""])
def test_transcription_can_be_turned_off(none):
    assert update(transcribe=none)["audio"]["input"]["transcription"] is None


@pytest.mark.parametrize(
    ("model", "reasons"),
    [
        ("gpt-realtime-2", True),
        ("gpt-realtime-2.1", True),
        ("gpt-realtime-2.1-mini", True),
        ("gpt-realtime", False),
        ("gpt-realtime-1.5", False),
        ("gpt-realtime-2025-08-28", False),
        ("gpt-realtime-mini-2025-12-15", False),
    ],
)
def test_only_reasoning_models_are_told_how_much_to_reason(model, reasons):
    session = update(model=model)
    assert session.get("reasoning") == ({"effort": "low"} if reasons else None)
    assert session.get("parallel_tool_calls", True) is not reasons


def test_every_other_message_is_one_the_api_takes():
    created = strictly(ResponseCreateEvent, protocol.response_create("e1", "Diga exatamente: «Olá»", tools=False))
    assert created["response"] == {"instructions": "Diga exatamente: «Olá»", "tool_choice": "none"}
    assert "response" not in strictly(ResponseCreateEvent, protocol.response_create("e2"))
    apart = strictly(ResponseCreateEvent, protocol.response_create("e3", "x", out_of_band=True))
    assert apart["response"]["conversation"] == "none" and apart["response"]["input"] == []
    strictly(ResponseCancelEvent, protocol.cancel("resp_1"))
    assert strictly(ConversationItemTruncateEvent, protocol.truncate("e4", "item_1", 420))["audio_end_ms"] == 420
    output = strictly(ConversationItemCreateEvent, protocol.tool_output("call_1", {"ok": False}))["item"]["output"]
    assert json.loads(output) == {"ok": False}
    strictly(ConversationItemRetrieveEvent, protocol.retrieve("item_1"))


def test_a_frame_is_appended_as_it_is():
    event = strictly(InputAudioBufferAppendEvent, protocol.append(bytes(range(256))))
    assert base64.b64decode(event["audio"]) == bytes(range(256))


def read(message: dict):
    return Reader().read(json.dumps(message))


def test_what_the_server_says_is_read_by_its_type():
    assert read({"type": "session.created", "session": {}}) == SessionCreated()
    assert read({"type": "input_audio_buffer.speech_started", "item_id": "i", "audio_start_ms": 700}) == SpeechStarted(
        "i", 700
    )
    assert read({"type": "input_audio_buffer.speech_stopped", "item_id": "i", "audio_end_ms": 1700}) == SpeechStopped(
        "i", 1700
    )
    assert read({"type": "response.created", "response": {"id": "r", "status": "in_progress"}}) == ResponseCreated("r")
    assert read(
        {"type": "response.output_audio.delta", "response_id": "r", "item_id": "i", "delta": "AQIDBA=="}
    ) == AudioDelta("r", "i", b"\1\2\3\4")
    assert read(
        {"type": "conversation.item.input_audio_transcription.completed", "item_id": "i", "transcript": "Sim."}
    ) == Transcript("agent", "i", "Sim.")
    assert read({"type": "response.output_audio_transcript.done", "item_id": "i", "transcript": "Olá."}) == Transcript(
        "announcer", "i", "Olá."
    )
    assert read(
        {"type": "error", "error": {"type": "invalid_request_error", "code": None, "event_id": "e1"}}
    ) == Refused("invalid_request_error", "e1")


def test_the_tool_calls_are_those_of_the_finished_response():
    done = read(
        {
            "type": "response.done",
            "response": {
                "id": "r",
                "status": "completed",
                "status_details": None,
                "output": [
                    {"type": "message", "id": "m"},
                    {"type": "function_call", "call_id": "c1", "name": "accept_transfer", "arguments": "{}"},
                    {
                        "type": "function_call", "call_id": "c2", "name": "reject_transfer",
                        "arguments": "{", "status": "incomplete",
                    },
                ],
                "usage": {"total_tokens": 5},
            },
        }
    )  # fmt: skip
    assert done == ResponseDone("r", "completed", "", (ToolCall("c1", "accept_transfer", "{}"),), {"total_tokens": 5})


def test_a_failed_response_says_why():
    details = {"type": "failed", "error": {"type": "server_error", "code": "rate_limit_exceeded"}}
    done = read({"type": "response.done", "response": {"id": "r", "status": "failed", "status_details": details}})
    assert (done.status, done.reason) == ("failed", "rate_limit_exceeded")


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "nonsense",
        "[]",
        "null",
        '"text"',
        "{}",
        '{"type": 5}',
        '{"type": ["response.done"]}',
        '{"type": "response.done"}',
        '{"type": "response.done", "response": []}',
        '{"type": "response.output_audio.delta", "response_id": "r", "item_id": "i", "delta": "%%%"}',
        '{"type": "response.output_audio.delta", "response_id": "r", "item_id": "i", "delta": null}',
        '{"type": "error", "error": null}',
        b"\xff\xfe",
    ],
)
def test_nonsense_is_counted_and_breaks_nothing(raw):
    reader = Reader()
    assert reader.read(raw) is None
    assert reader.ignored == {"?": 1}


def test_an_event_that_is_not_for_us_is_counted_by_its_type():
    reader = Reader()
    assert reader.read('{"type": "rate_limits.updated", "rate_limits": []}') is None
    assert reader.read('{"type": "something.new"}') is None
    assert reader.ignored == {"rate_limits.updated": 1, "something.new": 1}


def test_tokens_are_summed_in_depth():
    one = {"total_tokens": 5, "input_token_details": {"audio_tokens": 2, "cached_tokens_details": {"text_tokens": 1}}}
    two = {"total_tokens": 7, "input_token_details": {"audio_tokens": 3, "text_tokens": 4}, "note": "x", "none": None}
    assert add_usage(add_usage({}, one), two) == {
        "total_tokens": 12,
        "input_token_details": {"audio_tokens": 5, "cached_tokens_details": {"text_tokens": 1}, "text_tokens": 4},
    }


def test_a_delta_reads_the_same_by_slices_as_by_the_decoder():
    pcm = bytes(range(240)) * 4
    fields = {"event_id": "e", "response_id": "resp_1", "item_id": "item_1", "output_index": 0, "content_index": 0}
    message = {"type": "response.output_audio.delta", **fields, "delta": base64.b64encode(pcm).decode()}
    compact = json.dumps(message, separators=(",", ":")).encode()
    spaced, turned = json.dumps(message).encode(), json.dumps(dict(reversed(message.items()))).encode()
    wanted = protocol.AudioDelta("resp_1", "item_1", pcm)
    assert [Reader().read(raw) for raw in (compact, compact.decode(), spaced, turned)] == [wanted] * 4
    torn = Reader()
    assert torn.read(compact[:-9]) is None and torn.read(compact.replace(b'"delta":"A', b'"delta":"*')) is None
    assert torn.ignored == {"?": 2}
