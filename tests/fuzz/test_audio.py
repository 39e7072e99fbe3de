"""mod_audio_stream's frames and the Realtime API's events, in any order and of any kind: a Dialogue raises nothing and
decides at most once."""

import binascii
import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.transfer.events import DecisionMade
from calls.voice import effects as fx
from calls.voice.protocol import Reader
from calls.voice.relay import ODD_SIZES, Uplink
from tests.fuzz.mutations import spoiled, twisted
from tests.voice.line import LOUD, QUIET, Line

pytestmark = pytest.mark.fuzz

AUDIO = binascii.b2a_base64(bytes(4800), newline=False).decode()
CALLS = [
    {"type": "function_call", "status": "completed", "call_id": f"call_{n}", "name": name, "arguments": arguments}
    for n, (name, arguments) in enumerate(
        [
            ("accept_transfer", "{}"),
            ("reject_transfer", '{"reason": "em reunião"}'),
            ("redirect_transfer", '{"number": "2003"}'),
            ("voicemail_detected", "{}"),
        ]
    )
]
SERVER = [
    {"type": "session.created", "session": {"id": "sess_1"}},
    {"type": "response.created", "response": {"id": "resp_1", "status": "in_progress"}},
    {"type": "response.output_audio.delta", "response_id": "resp_1", "item_id": "item_1", "output_index": 0,
     "content_index": 0, "delta": AUDIO},
    {"type": "response.output_audio_transcript.done", "response_id": "resp_1", "item_id": "item_1", "transcript": "Oi"},
    {"type": "response.done", "response": {"id": "resp_1", "status": "completed", "output": CALLS[:1],
     "usage": {"total_tokens": 5, "input_token_details": {"cached_tokens": 1}}}},
    {"type": "response.done", "response": {"id": "resp_1", "status": "completed", "output": CALLS, "usage": {}}},
    {"type": "response.done", "response": {"id": "resp_1", "status": "failed",
     "status_details": {"error": {"code": "rate_limit"}}}},
    {"type": "input_audio_buffer.speech_started", "item_id": "turn_1", "audio_start_ms": 40},
    {"type": "input_audio_buffer.speech_stopped", "item_id": "turn_1", "audio_end_ms": 900},
    {"type": "input_audio_buffer.committed", "item_id": "turn_1"},
    {"type": "conversation.item.input_audio_transcription.completed", "item_id": "turn_1", "transcript": "pode passar"},
    {"type": "conversation.item.input_audio_transcription.failed", "item_id": "turn_1", "error": {"code": "x"}},
    {"type": "error", "error": {"code": "invalid_value", "event_id": "event_1", "type": "invalid_request_error"}},
]  # fmt: skip


def wire(value) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, default=str).encode()


messages = st.sampled_from(SERVER).flatmap(twisted).map(wire)
messages = messages | messages.flatmap(spoiled) | st.sampled_from(SERVER).map(wire)
happenings = st.one_of(
    messages.map(lambda raw: ("wire", raw)),
    st.sampled_from([QUIET, LOUD]).flatmap(lambda pcm: st.tuples(st.just("frames"), st.just(pcm), st.integers(1, 60))),
    st.tuples(st.just("playback"), st.sampled_from(["ready", "start", "done", "stopped", "?"]), st.text(max_size=9)),
    st.tuples(st.just("hold"), st.booleans()),
    st.tuples(st.just("synthesised"), st.sampled_from(["fallback", "moment", "told", "?"]), st.just(bytes(4800))),
    st.tuples(st.just("tell"), st.text(max_size=30)),
    st.sampled_from(
        [(name,) for name in ("model_up", "connected", "patience_over", "repeat", "caller_left", "redirect_refused",
                              "moment")]
    ),
    st.tuples(st.just("model_lost"), st.just("closed_1006")),
)  # fmt: skip


@given(st.lists(happenings, max_size=40), st.sampled_from(["none", "gpt-transcribe"]))
def test_a_dialogue_stands_whatever_happens_and_decides_at_most_once(happened, transcribe):
    line, reader = Line(transcribe=transcribe), Reader()
    spoken = False
    for kind, *arguments in [("model_up",), *happened]:
        if kind == "wire":
            line.model_sign()
            event = reader.read(arguments[0])
            if event is not None:
                line.from_model(event)
        elif kind == "frames":
            spoken = spoken or arguments[0] is LOUD
            for _ in range(arguments[1]):
                line.frame(arguments[0])
        else:
            getattr(line, kind)(*arguments)
    decisions = [each for each in line.done if isinstance(each, fx.Tell) and isinstance(each.event, DecisionMade)]
    assert len(decisions) <= 1
    assert spoken or not decisions, "decided for somebody who never spoke"


@given(st.binary(max_size=400))
def test_anything_at_all_from_the_realtime_api_is_read_as_something_or_nothing(raw):
    Reader().read(raw)


@given(st.lists(st.binary(max_size=2000) | st.sampled_from([320, 640, 960, 0, 1, 961]).map(bytes), max_size=60))
def test_frames_of_any_size_are_taken_or_left_out(frames):
    uplink = Uplink("fuzz")
    for frame in frames:
        taken = uplink.frame(frame)
        assert taken == (len(frame) in (320, 640, 960))
    assert len(uplink.odd_sizes) <= ODD_SIZES
