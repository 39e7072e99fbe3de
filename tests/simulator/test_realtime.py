import base64
import json

import numpy as np
import pytest

from calls.simulator.phrases import PHRASES, Meaning
from calls.simulator.realtime import RealtimeServer
from calls.simulator.realtime_audio import decode, encode
from calls.simulator.realtime_response import Pace
from calls.voice.synthesis import resample, synthesise
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


def says(key, *, voice="pt-br+f2"):
    """A phrase as it comes from an 8 kHz telephone leg, resampled to 24 kHz."""
    return bytes(9600) + resample(synthesise(PHRASES[key].text, voice=voice, rate=8000), 8000, 24000)


def turn_detection(**changes):
    audio = settings()["audio"]
    audio["input"]["turn_detection"] |= changes
    return audio


async def test_a_session_begins_with_its_defaults_and_is_changed_key_by_key(client):
    created = (await client.until("session.created"))["session"]
    assert created["model"] == "gpt-realtime-2.1"
    assert created["audio"]["input"]["turn_detection"]["silence_duration_ms"] == 500
    changed = {"type": "realtime", "audio": {"input": {"turn_detection": {"type": "server_vad", "threshold": 0.7}}}}
    await client.send(type="session.update", session=changed)
    after = (await client.until("session.updated"))["session"]
    assert after["audio"]["input"]["turn_detection"]["threshold"] == 0.7
    assert after["audio"]["input"]["turn_detection"]["silence_duration_ms"] == 500
    assert after["audio"]["output"] == created["audio"]["output"]
    await client.send(type="session.update", session={"type": "realtime", "audio": {"input": {"turn_detection": None}}})
    assert (await client.until("session.updated"))["session"]["audio"]["input"]["turn_detection"] is None


async def test_exact_words_are_spoken_faster_than_real_time_and_written_ahead(client):
    await client.begin()
    response = await client.announce("Bom dia. Maria quer falar com vendas.")
    assert response["status"] == "completed"
    assert response["output"][0]["content"][0]["transcript"] == "Bom dia. Maria quer falar com vendas."
    assert response["usage"]["output_token_details"]["audio_tokens"] > 20
    kinds = client.kinds()
    assert kinds[0] == "response.created"
    order = [
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_audio_transcript.delta",
        "response.output_audio.delta",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
    ]
    assert [kinds.index(kind) for kind in order] == sorted(kinds.index(kind) for kind in order)
    seconds = len(client.sound()) / 2 / 24000
    assert 2 < seconds < 5
    assert np.frombuffer(client.sound(), "<i2").std() > 1000


async def test_events_carry_ids_of_their_own(client):
    await client.begin()
    await client.announce()
    ids = [event["event_id"] for event in client.events]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("kind", ["audio/pcmu", "audio/pcma"])
async def test_g711_in_and_out(client, kind):
    law = {"type": kind}
    audio = settings()["audio"]
    audio["input"]["format"] = audio["output"]["format"] = law
    await client.begin(audio=audio)
    await client.announce()
    sound = client.sound()
    assert np.frombuffer(decode(sound, law), "<i2").std() > 1000
    assert 2 < len(sound) / 8000 < 5
    pcm = bytes(3200) + synthesise(PHRASES["sim_pode_passar"].text, rate=8000) + bytes(12800)
    coded = encode(pcm, law)
    for at in range(0, len(coded), 160):
        await client.send(type="input_audio_buffer.append", audio=base64.b64encode(coded[at : at + 160]).decode())
    response = (await client.until("response.done"))["response"]
    assert response["output"][0]["name"] == "accept_transfer"


async def test_a_spoken_yes_becomes_a_tool_call_and_a_transcript(client):
    await client.begin()
    await client.announce()
    client.events.clear()
    await client.speak(says("sim_pode_passar"))
    response = (await client.until("response.done"))["response"]
    call = response["output"][0]
    assert (response["status"], call["name"], call["arguments"], call["status"]) == (
        "completed",
        "accept_transfer",
        "{}",
        "completed",
    )
    done = client.of("response.function_call_arguments.done")[0]
    assert (done["name"], done["call_id"], done["arguments"]) == ("accept_transfer", call["call_id"], "{}")
    kinds = client.kinds()
    order = ["speech_started", "speech_stopped", "committed"]
    places = [kinds.index(f"input_audio_buffer.{name}") for name in order]
    assert places == sorted(places)
    transcript = client.of("conversation.item.input_audio_transcription.completed")[0]
    assert transcript["transcript"] == "Sim, pode passar."
    assert transcript["item_id"] == client.of("input_audio_buffer.committed")[0]["item_id"]
    assert client.record.tool_calls == [("accept_transfer", {})]


async def test_a_spoken_no_is_a_rejection_with_its_reason_and_the_output_is_acknowledged(client):
    await client.begin()
    await client.announce()
    await client.speak(says("em_reuniao"))
    call = (await client.until("response.done"))["response"]["output"][0]
    assert json.loads(call["arguments"]) == {"reason": "em reunião"}
    output = {"type": "function_call_output", "call_id": call["call_id"], "output": '{"ok": true}'}
    await client.send(type="conversation.item.create", item=output)
    await client.until("conversation.item.done")
    assert client.record.active is None  # the output alone makes the model say nothing
    await client.send(type="response.create")
    assert (await client.until("response.done"))["response"]["output"][0]["type"] == "message"


async def test_nothing_is_transcribed_unless_it_was_asked_for(client):
    audio = turn_detection()
    audio["input"]["transcription"] = None
    await client.begin(audio=audio)
    await client.speak(says("sim_pode_passar"))
    await client.until("response.done")
    assert not [kind for kind in client.kinds() if "transcription" in kind]
    assert client.record.heard[0].meaning == Meaning.ACCEPT


async def test_the_model_answers_what_it_hears_and_nothing_else_tells_it(client):
    await client.begin()
    await client.announce()
    noise = np.random.default_rng(5).normal(0, 3000, 30_000).astype("<i2").tobytes()
    await client.speak(noise)
    assert (await client.until("response.done"))["response"]["output"][0]["type"] == "message"
    assert client.record.heard[-1].meaning == Meaning.UNCLEAR
    assert client.record.tool_calls == []


async def test_push_to_talk_waits_for_the_client(client):
    audio = settings()["audio"]
    audio["input"]["turn_detection"] = None
    await client.begin(audio=audio)
    await client.speak(says("em_outra_ligacao"), silence=0)
    await client.send(type="input_audio_buffer.commit")
    await client.until("input_audio_buffer.committed")
    assert "input_audio_buffer.speech_started" not in client.kinds()
    await client.send(type="response.create")
    response = (await client.until("response.done"))["response"]
    assert json.loads(response["output"][0]["arguments"]) == {"reason": "em outra ligação"}


async def test_without_create_response_speech_is_told_and_not_answered(client):
    await client.begin(audio=turn_detection(create_response=False, interrupt_response=False))
    await client.speak(says("alo"))
    await client.until("conversation.item.input_audio_transcription.completed")
    await client.speak(says("sim_pode_passar"))
    await client.until("conversation.item.input_audio_transcription.completed")
    assert "response.created" not in client.kinds()
    await client.send(type="response.create")
    assert (await client.until("response.done"))["response"]["output"][0]["name"] == "accept_transfer"


async def test_a_word_said_before_the_yes_does_not_hide_it(client):
    await client.begin(audio=turn_detection(create_response=False))
    await client.announce()
    for key in ("sim_pode_passar", "alo"):
        await client.speak(says(key))
        await client.until("conversation.item.input_audio_transcription.completed")
    await client.send(type="response.create")
    assert (await client.until("response.done"))["response"]["output"][0]["name"] == "accept_transfer"


async def test_an_empty_buffer_cannot_be_committed(client):
    await client.begin()
    await client.send(type="input_audio_buffer.commit", event_id="mine")
    error = (await client.until("error"))["error"]
    assert (error["code"], error["event_id"]) == ("input_audio_buffer_commit_empty", "mine")


async def test_silence_for_the_idle_timeout_is_noticed_in_audio_time(client):
    await client.begin(audio=turn_detection(idle_timeout_ms=5000))
    await client.announce()
    played_ms = len(client.sound()) // 48
    await client.speak(b"", silence=(played_ms + 4800) / 1000)
    await client.send(type="conversation.item.retrieve", item_id="none")
    await client.until("error")
    assert "input_audio_buffer.timeout_triggered" not in client.kinds()
    await client.speak(b"", silence=0.4)
    triggered = await client.until("input_audio_buffer.timeout_triggered")
    assert triggered["audio_end_ms"] - triggered["audio_start_ms"] == pytest.approx(5000, abs=40)
    assert (await client.until("response.done"))["response"]["status"] == "completed"


async def test_barge_in_cancels_the_response():
    async with RealtimeServer(pace=SLOW) as server, Client(server) as client:
        await client.begin()
        await client.send(type="response.create", response={"instructions": f"Diga: «{'Uma frase comprida. ' * 8}»"})
        item_id = (await client.until("response.output_audio.delta"))["item_id"]
        await client.speak(says("alo"), silence=0)
        response = (await client.until("response.done"))["response"]
        assert (response["status"], response["status_details"]["reason"]) == ("cancelled", "turn_detected")
        assert response["output"][0]["status"] == "incomplete"
        kinds = client.kinds()
        assert kinds.index("input_audio_buffer.speech_started") < kinds.index("response.output_audio.done")
        await client.send(type="conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=150)
        assert (await client.until("conversation.item.truncated"))["audio_end_ms"] == 150


async def test_without_interrupt_response_the_model_goes_on_and_cannot_answer_meanwhile():
    async with RealtimeServer(pace=SLOW) as server, Client(server) as client:
        await client.begin(audio=turn_detection(interrupt_response=False))
        await client.send(type="response.create", response={"instructions": f"Diga: «{'Uma frase. ' * 6}»"})
        await client.until("response.output_audio.delta")
        await client.speak(says("alo"))
        error = (await client.until("error"))["error"]
        assert error["code"] == "conversation_already_has_active_response"
        assert server.sessions[0].active is not None
