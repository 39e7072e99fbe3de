"""What the API refuses, and what it does not let happen twice."""

import asyncio
import json

import pytest
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from calls.simulator.phrases import PHRASES
from calls.simulator.realtime import RealtimeServer
from calls.simulator.realtime_response import Pace
from calls.voice.synthesis import synthesise
from tests.simulator.realtime_client import Client, settings

FAST = Pace(first_audio=0.0, speed=400)
SLOW = Pace(first_audio=0.0, speed=2)


@pytest.fixture
async def server():
    async with RealtimeServer(pace=FAST) as server:
        yield server


@pytest.fixture
async def client(server):
    async with Client(server) as client:
        yield client


async def test_truncation_is_refused_beyond_what_was_sent_and_before_any_sound(client):
    await client.begin()
    response = await client.announce()
    item_id = response["output"][0]["id"]
    whole_ms = len(client.sound()) // 48

    async def truncate(ms, item_id=item_id, content_index=0):
        await client.send(
            type="conversation.item.truncate", item_id=item_id, content_index=content_index, audio_end_ms=ms
        )
        while True:
            event = await client.next()
            if event["type"] in ("error", "conversation.item.truncated"):
                return event

    too_long = await truncate(whole_ms + 50)
    assert too_long["error"]["message"] == f"Audio content of {whole_ms}ms is already shorter than {whole_ms + 50}ms"
    assert (await truncate(0))["error"]["code"] == "unsupported_content_type"
    assert (await truncate(-1))["error"]["code"] == "integer_below_min_value"
    assert (await truncate(10, content_index=1))["error"]["code"] == "invalid_value"
    assert (await truncate(10, "item_unknown"))["error"]["code"] == "item_truncate_invalid_item_id"
    assert (await truncate(1000))["audio_end_ms"] == 1000
    assert (await truncate(1500))["error"]["message"] == "Audio content of 1000ms is already shorter than 1500ms"
    await client.send(type="conversation.item.retrieve", item_id=item_id)
    item = (await client.until("conversation.item.retrieved"))["item"]
    assert "transcript" not in item["content"][0]


async def test_what_the_agent_said_cannot_be_truncated(client):
    await client.begin()
    await client.speak(synthesise(PHRASES["alo"].text))
    item_id = (await client.until("input_audio_buffer.committed"))["item_id"]
    await client.send(type="conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=100)
    assert (await client.until("error"))["error"]["code"] == "unsupported_content_type"


async def test_one_response_at_a_time_and_others_out_of_band():
    async with RealtimeServer(pace=SLOW) as server, Client(server) as client:
        await client.begin()
        await client.send(type="response.create", response={"instructions": f"Diga: «{'Uma frase comprida. ' * 8}»"})
        first = (await client.until("response.created"))["response"]
        await client.send(type="response.create", event_id="second")
        error = (await client.until("error"))["error"]
        assert (error["code"], error["event_id"]) == ("conversation_already_has_active_response", "second")
        assert first["id"] in error["message"]
        aside = {"conversation": "none", "input": [], "instructions": "Diga: «Oi.»", "metadata": {"for": "clip"}}
        await client.send(type="response.create", response=aside)
        done = (await client.until("response.done"))["response"]
        assert (done["metadata"], done["conversation_id"]) == ({"for": "clip"}, None)
        assert done["output"][0]["content"][0]["transcript"] == "Oi."
        assert done["output"][0]["id"] not in [item.id for item in server.sessions[0].conversation.items]
        await client.send(type="response.cancel")
        cancelled = (await client.until("response.done"))["response"]
        assert (cancelled["id"], cancelled["status"]) == (first["id"], "cancelled")
        assert cancelled["status_details"]["reason"] == "client_cancelled"


async def test_nothing_to_cancel_is_an_error_and_the_session_goes_on(client):
    await client.begin()
    await client.send(type="response.cancel", event_id="c1")
    error = (await client.until("error"))["error"]
    assert (error["code"], error["event_id"]) == ("response_cancel_not_active", "c1")
    assert (await client.announce())["status"] == "completed"


async def test_a_refused_event_changes_nothing(client):
    await client.begin()
    await client.send(type="session.update", session={"type": "realtime", "instructions": "x", "voice": "marin"})
    error = (await client.until("error"))["error"]
    assert error["param"] == "session.voice"
    assert client.record.instructions == settings()["instructions"]
    assert client.record.errors == [error]


async def test_the_voice_is_fixed_once_it_was_heard(client):
    await client.begin()
    await client.announce()
    await client.send(type="session.update", session={"type": "realtime", "audio": {"output": {"voice": "cedar"}}})
    assert (await client.until("error"))["error"]["code"] == "cannot_update_voice"


async def test_a_token_limit_cuts_speech_off(client):
    await client.begin(max_output_tokens=20)
    response = await client.announce("Uma frase que dura bem mais do que um segundo, como esta.")
    assert (response["status"], response["status_details"]["reason"]) == ("incomplete", "max_output_tokens")
    assert len(client.sound()) / 48000 == pytest.approx(1.0, abs=0.01)


async def test_text_only(client):
    await client.begin(output_modalities=["text"])
    response = await client.announce("Oi.")
    assert response["output"][0]["content"] == [{"type": "output_text", "text": "Oi."}]
    assert "response.output_audio.delta" not in client.kinds()


async def test_items_are_ordered_and_deleted_by_the_client(client):
    await client.begin()
    for item_id, after in (("item_b", None), ("item_a", "root"), ("item_c", "item_b")):
        content = [{"type": "input_text", "text": item_id}]
        event = {"item": {"id": item_id, "type": "message", "role": "user", "content": content}}
        await client.send(type="conversation.item.create", **event, **({"previous_item_id": after} if after else {}))
        await client.until("conversation.item.done")
    assert [item.id for item in client.record.conversation.items] == ["item_a", "item_b", "item_c"]
    assert [event["previous_item_id"] for event in client.of("conversation.item.added")] == [None, None, "item_b"]
    await client.send(type="conversation.item.delete", item_id="item_b")
    await client.until("conversation.item.deleted")
    await client.send(type="conversation.item.delete", item_id="item_b")
    assert (await client.until("error"))["error"]["code"] == "item_delete_invalid_item_id"


async def test_an_output_for_a_call_that_was_never_made_is_refused(client):
    await client.begin()
    item = {"type": "function_call_output", "call_id": "call_unknown", "output": "{}"}
    await client.send(type="conversation.item.create", item=item)
    assert (await client.until("error"))["error"]["code"] == "invalid_tool_call_id"


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic x"}, {"Authorization": "Bearer "}], ids=str)
async def test_without_a_key_the_upgrade_is_refused(server, headers):
    with pytest.raises(InvalidStatus) as refused:
        async with Client(server, headers=headers):
            pass
    assert refused.value.response.status_code == 401


async def test_a_wrong_key_is_refused_where_one_is_set():
    async with RealtimeServer(key="sk-right") as server:
        with pytest.raises(InvalidStatus) as refused:
            async with Client(server):
                pass
        assert refused.value.response.status_code == 401
        assert json.loads(refused.value.response.body)["error"]["code"] == "invalid_api_key"
        async with Client(server, headers={"Authorization": "Bearer sk-right"}) as client:
            await client.until("session.created")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"headers": {"Authorization": "Bearer x", "OpenAI-Beta": "realtime=v1"}}, "beta_api_shape_disabled"),
        ({"model": "whisper-1"}, "model_not_found"),
    ],
)
async def test_the_beta_and_unknown_models_are_refused_after_the_handshake(server, options, code):
    async with Client(server, **options) as client:
        assert (await client.next())["error"]["code"] == code
        with pytest.raises(ConnectionClosedError) as closed:
            await client.socket.recv()
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4000, f"invalid_request_error.{code}")


async def test_a_second_session_knows_nothing_of_the_first(server):
    async with Client(server) as one, Client(server) as other:
        await asyncio.gather(one.begin(instructions="um"), other.begin(instructions="outro"))
        await one.announce()
        assert [session.instructions for session in server.sessions] == ["um", "outro"]
        assert server.sessions[1].said == []
