"""Who may open an audio socket, and what a web process does with the sessions it holds."""

import asyncio

import pytest
from channels.layers import get_channel_layer
from django.db import OperationalError
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from calls import bus
from calls.voice import hub as hub_module
from calls.voice import prompts
from calls.voice.relay import DEAF_FRAMES
from tests.voice.world import AgentLine, Door, Web, until


@pytest.mark.parametrize("path", ["/audio/unknown", "/audio/", "/audio/../admin", "/audio/token-1/more"])
async def test_a_socket_without_a_waiting_token_is_refused_before_it_opens(web, path):
    await web.claimed(1)
    await refused_before_it_opens(web, path)


@pytest.mark.django_db(transaction=True)
async def test_a_socket_that_is_nobodys_is_refused_too(web):
    """It goes the way of the supervisors' sockets, which look for a session."""
    await refused_before_it_opens(web, "/elsewhere")


async def refused_before_it_opens(web, path):
    with pytest.raises(InvalidStatus) as refused:
        async with connect(web.url + path, proxy=None):
            pass
    assert refused.value.response.status_code == 403


async def test_a_token_opens_one_socket_once(web):
    url = await web.claimed(1)
    async with connect(url, proxy=None):
        with pytest.raises(InvalidStatus):
            await connect(url, proxy=None)
    with pytest.raises(InvalidStatus):
        await connect(url, proxy=None)


async def test_no_origin_is_asked_for(web):
    async with connect(await web.claimed(1), origin="http://198.51.100.7:8080", proxy=None) as agent:
        assert '"streamAudio"' in await asyncio.wait_for(agent.recv(), 5)


async def test_a_socket_is_refused_while_the_database_is_away(web, door):
    url = await web.claimed(1)
    door.fail_with = OperationalError("gone")
    with pytest.raises(InvalidStatus):
        await connect(url, proxy=None)


async def test_frames_of_an_odd_size_are_left_out_and_said_in_words(web, caplog):
    async with connect(await web.claimed(1), proxy=None) as agent:
        await agent.send("metadata")
        for _ in range(3):
            await agent.send(bytes(641))
        (leg,) = web.hub.legs
        await until(lambda: leg._uplink.odd_sizes == {641: 3}, what="three odd frames")
        assert leg.dialogue.ears.now_ms == 0
    assert caplog.text.count("audio.frame_size") == 1


async def test_an_agent_at_a_rate_that_is_none_of_ours_decides_by_key(web, line, caplog):
    async with connect(await web.claimed(1), proxy=None) as agent:
        for _ in range(DEAF_FRAMES):
            await agent.send(bytes(480))  # 12 kHz
        (leg,) = web.hub.legs
        await until(lambda: not leg.dialogue.has_model, what="the keys")
    assert "unknown_audio_rate" in caplog.text


async def test_sessions_are_found_without_the_bus(web, door):
    door.offer(7)
    await until(lambda: [ready for ready in door.ready if ready[0] == 7], what="the claim", seconds=3)


async def test_a_hub_lives_through_a_database_that_is_away(web, door, monkeypatch):
    monkeypatch.setattr(hub_module, "BEAT_SECONDS", 0.05)
    door.fail_with = OperationalError("gone")
    await until(lambda: door.refused > 3, what="some failures")
    beats, door.fail_with = door.beats, None
    door.offer(3)
    await until(lambda: door.beats > beats and door.ready, what="its recovery")


async def test_a_session_nobody_needs_is_closed_though_its_note_was_lost(web, door, monkeypatch):
    monkeypatch.setattr(hub_module, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(hub_module, "LINGER_SECONDS", 0.1)
    await web.claimed(1)
    await web.claimed(2)
    door.unneeded = {1}
    await until(lambda: 1 in door.closed, what="the end of the first")
    await until(lambda: [leg.claimed.session_id for leg in web.hub.legs] == [2], what="the second alone")


async def test_a_group_is_joined_again_after_redis_was_lost(web, door, monkeypatch):
    monkeypatch.setattr(hub_module, "BEAT_SECONDS", 0.05)
    async with Web(Door()) as other:
        await get_channel_layer().flush()
        group = bus.process_group(other.hub.process_id)
        await other.claimed(1)

        async def told():
            while not other.door.closed:
                await bus.asend(group, {"type": "announcer.note", "session": 1, "note": "close"})
                await asyncio.sleep(0.05)

        await asyncio.wait_for(told(), 5)


async def test_a_process_that_stops_closes_its_sockets_and_leaves_waiting_sessions_to_others(realtime, tmp_path):
    door = Door()
    async with Web(door) as web, AgentLine(web, tmp_path, 5) as line:
        line.connect(await web.claimed(1))
        await web.claimed(2)
        await until(lambda: line.clips, what="a clip")
        await web.stop()
        assert line.ended[-1] == "disconnect" and door.left
        assert list(door.closed) == [1]
        await until(lambda: all(each.close_code for each in realtime.sessions), what="the end of the models' sessions")
        assert not [task for task in asyncio.all_tasks() if "audio" in task.get_name() and not task.done()]


async def test_a_process_stops_although_a_library_makes_an_error_of_the_cancellation(door):
    async def heartbeat(*_):
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            raise ConnectionError("closed") from None

    door.heartbeat = heartbeat
    async with Web(door) as web:
        await asyncio.sleep(0)  # the first beat is under way
        await asyncio.wait_for(web.stop(), 5)
    assert door.left


async def test_a_caller_is_told_his_protocol_in_one_clip(web, door, tmp_path, settings):
    settings.VAR_DIR = tmp_path / "var"
    text = "Seu protocolo é: dois, zero, dois, seis."
    url = await web.claimed(4, leg="caller", kind="prompt", text=text, number="2026", voice="marin", language="pt-BR")
    (_, _, length_ms) = door.ready[0]
    async with AgentLine(web, tmp_path, 5, uuid="leg-a") as caller:
        caller.connect(url, rate=8000)
        await caller.hears_out()
        assert len(caller.clips) == 1
        assert caller.agent.clock > length_ms / 1000
    await until(lambda: 4 in door.closed, what="the end of the session")
    assert door.utterances == [("prompt", text)]


async def test_a_prompt_that_cannot_be_spoken_is_told(web, door, tmp_path, settings, monkeypatch):
    settings.VAR_DIR, settings.PROMPT_VOICE = tmp_path, "/nowhere/voice.onnx"
    door.offer(4, leg="caller", kind="prompt", text="Olá.", language="pt-BR")
    await bus.asend(bus.AUDIO, {"type": "audio.wake"})
    await until(lambda: door.events, what="the news")
    assert door.events[0] == prompts.PromptFailed("synthesis_failed") and not door.ready


async def test_a_process_takes_no_more_than_it_may_hold_and_leaves_the_rest_to_others(web, door, settings):
    settings.MAX_AUDIO_SESSIONS = 2
    for number in (1, 2, 3):
        door.offer(number)
    await bus.asend(bus.AUDIO, {"type": "audio.wake"})
    await until(lambda: len(door.ready) == 2, what="the claims")
    await until(lambda: door.beats > 2, what="another look")
    assert [claimed.session_id for claimed in door.open] == [3] and len(web.hub.legs) == 2
    web.hub.legs[0].note("close")
    await until(lambda: not door.open, what="the third, in the place that became free")


async def test_the_agents_voice_reaches_the_model_under_a_server_without_the_short_way(realtime, tmp_path):
    async with Web(Door(), protocol="websockets-sansio") as web, AgentLine(web, tmp_path, 5) as line:
        line.connect(await web.claimed(1))
        await until(lambda: line.clips, what="a clip")
        (session,) = realtime.sessions
        await until(lambda: session.heard_ms > 400, what="the agent's voice")


async def test_a_leg_that_stumbles_over_a_frame_loses_its_socket_and_no_other(web, door, tmp_path, monkeypatch):
    async with AgentLine(web, tmp_path, 5) as line:
        line.connect(await web.claimed(1))
        await until(lambda: line.clips, what="a clip")
        (leg,) = web.hub.legs
        monkeypatch.setattr(leg._uplink, "frame", lambda pcm: 1 / 0)
        await until(lambda: line.ended, what="the end of the socket")
    await until(lambda: 1 in door.closed, what="the end of the session")


async def test_who_could_not_beat_himself_calls_nobody_dead_before_the_others_could(monkeypatch):
    """The database was away for longer than a heartbeat lasts: everybody looks dead in it, whoever comes first."""
    monkeypatch.setattr(hub_module, "BEAT_SECONDS", 0)
    door = Door()
    hub = hub_module.Hub(door, "ws://here")
    await hub._beat()
    assert door.judged == 1
    hub._beaten_at -= hub_module.DEAD_AFTER_SECONDS
    await hub._beat()
    await hub._beat()
    assert (door.beats, door.judged) == (3, 1)
    hub._judges_from -= hub_module.DEAD_AFTER_SECONDS
    await hub._beat()
    assert door.judged == 2
