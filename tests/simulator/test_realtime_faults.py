import asyncio
import json
import os
import socket
import subprocess
import sys
import time

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, InvalidStatus

from calls.simulator.phrases import PHRASES
from calls.simulator.realtime import EXPIRED, RealtimeServer
from calls.simulator.realtime_faults import Fault
from calls.simulator.realtime_response import Pace
from calls.voice.synthesis import synthesise
from tests.simulator.realtime_client import Client


@pytest.fixture
async def server():
    async with RealtimeServer(pace=Pace(first_audio=0.0, speed=400)) as server:
        yield server


async def answered(client, key="sim_pode_passar"):
    """The response to a spoken phrase."""
    await client.begin()
    await client.speak(synthesise(PHRASES[key].text))
    return (await client.until("response.done"))["response"]


async def closed(client):
    """How the connection ended: raises nothing for a clean close."""
    try:
        async for _ in client.socket:
            pass
    except ConnectionClosed:
        pass
    return client.socket.close_code, client.socket.close_reason


@pytest.mark.parametrize("status", [401, 429, 503])
async def test_the_upgrade_can_be_refused(server, status):
    server.faults = [Fault("refuse", status=status)]
    with pytest.raises(InvalidStatus) as refused:
        async with Client(server):
            pass
    assert refused.value.response.status_code == status


async def test_only_the_connection_that_is_meant_is_refused(server):
    server.faults = [Fault("refuse", session=2)]
    async with Client(server) as client:
        await client.begin()
    with pytest.raises(InvalidStatus):
        async with Client(server):
            pass
    async with Client(server) as client:
        await client.begin()
        assert client.record.number == 3


async def test_the_connection_can_be_closed_at_once(server):
    server.faults = [Fault("hang_up")]
    async with Client(server) as client:
        assert (await closed(client))[0] == 1011


async def test_it_can_stall_from_the_start_or_from_an_event_on(server):
    server.faults = [Fault("stall", session=1), Fault("stall", session=2, before="response.output_audio.delta")]
    async with Client(server) as client:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.next(), 0.1)
    async with Client(server) as client:
        await client.begin()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.announce(), 0.2)
        assert client.kinds()[-1] == "response.output_audio_transcript.delta"


async def test_it_can_vanish_in_the_middle_of_a_sentence(server):
    server.faults = [Fault("drop", before="response.output_audio.delta")]
    async with Client(server) as client:
        await client.begin()
        with pytest.raises(ConnectionClosedError):
            await client.announce()
        assert client.socket.close_code == 1006


async def test_it_can_vanish_after_a_time_in_sessions_with_certain_instructions(server):
    server.faults = [Fault("drop", after=0.1, instructions="financeiro")]
    async with Client(server) as spared, Client(server) as struck:
        await asyncio.gather(spared.begin(instructions="vendas"), struck.begin(instructions="financeiro"))
        assert (await closed(struck))[0] == 1006
        assert (await spared.announce())["status"] == "completed"


async def test_the_session_can_expire(server):
    server.faults = [Fault("expire", before="response.done")]
    async with Client(server) as client:
        await client.begin()
        await client.send(type="response.create")
        assert await closed(client) == (1001, EXPIRED)


async def test_it_can_send_nonsense_and_go_on(server):
    server.faults = [Fault("nonsense", before="response.done")]
    async with connect(
        f"{server.url}?model=gpt-realtime-2.1",
        additional_headers={"Authorization": "Bearer x"},
        proxy=None,
        max_size=None,
    ) as socket_:
        await socket_.send(json.dumps({"type": "response.create"}))
        raw = []
        while not raw or '"response.done"' not in raw[-1]:
            raw.append(await asyncio.wait_for(socket_.recv(), 5))
    assert any(not _is_json(text) for text in raw)
    assert any(_is_json(text) and not isinstance(json.loads(text), dict) for text in raw)
    assert max(map(len, raw)) > 1024 * 1024


def _is_json(text):
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


async def test_a_response_can_stay_mute(server):
    server.faults = [Fault("mute")]
    async with Client(server) as client:
        await client.begin()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.announce(), 0.2)
        assert client.kinds() == ["response.created", "rate_limits.updated"]


async def test_the_first_sound_can_come_late(server):
    server.faults = [Fault("late_audio", after=0.3)]
    async with Client(server) as client:
        await client.begin()
        begun = time.monotonic()
        await client.announce()
        assert time.monotonic() - begun >= 0.3


async def test_a_response_can_fail(server):
    server.faults = [Fault("fail")]
    async with Client(server) as client:
        await client.begin()
        response = await client.announce()
        assert (response["status"], response["output"]) == ("failed", [])
        assert response["status_details"]["error"]["code"] == "server_error"


@pytest.mark.parametrize(
    ("kind", "names"),
    [("both_tools", ["accept_transfer", "reject_transfer"]), ("repeat_tool", ["accept_transfer", "accept_transfer"])],
)
async def test_two_tools_can_be_called_at_once(server, kind, names):
    server.faults = [Fault(kind)]
    async with Client(server) as client:
        assert [item["name"] for item in (await answered(client))["output"]] == names


@pytest.mark.parametrize(("kind", "status"), [("incomplete_call", "incomplete"), ("cancelled_call", "cancelled")])
async def test_a_tool_can_be_called_in_a_response_that_does_not_complete(server, kind, status):
    server.faults = [Fault(kind)]
    async with Client(server) as client:
        response = await answered(client)
        assert response["status"] == status
        assert [(item["name"], item["status"]) for item in response["output"]] == [("accept_transfer", "incomplete")]
        # The event that looks like a decision comes all the same.
        assert client.of("response.function_call_arguments.done")[0]["name"] == "accept_transfer"
        assert client.record.tool_calls == []


async def test_arguments_can_be_broken(server):
    server.faults = [Fault("bad_arguments")]
    async with Client(server) as client:
        assert (await answered(client))["output"][0]["arguments"] == "{não"


async def test_a_tool_can_be_called_though_nobody_has_spoken(server):
    server.faults = [Fault("unprompted_accept")]
    async with Client(server) as client:
        await client.begin()
        assert [item["type"] for item in (await client.announce())["output"]] == ["message", "function_call"]
        assert client.record.heard == []


async def test_a_transcription_can_fail_and_the_answer_comes_all_the_same(server):
    server.faults = [Fault("no_transcript")]
    async with Client(server) as client:
        assert (await answered(client))["output"][0]["name"] == "accept_transfer"
        assert "conversation.item.input_audio_transcription.failed" in client.kinds()


async def test_words_can_come_before_a_tool_call():
    async with RealtimeServer(pace=Pace(first_audio=0.0, speed=400), preamble=True) as server, Client(server) as client:
        output = (await answered(client))["output"]
        assert [item["type"] for item in output] == ["message", "function_call"]


def test_a_fault_is_read_from_a_command_line():
    assert Fault.parse("refuse,status=429,session=2") == Fault("refuse", status=429, session=2)
    assert Fault.parse("drop,before=response.done,after=1.5") == Fault("drop", before="response.done", after=1.5)
    for wrong in ("explode", "drop,when=now", "drop,after=soon", "drop,kind=stall"):
        with pytest.raises(ValueError):
            Fault.parse(wrong)


async def test_it_runs_as_a_process_of_its_own():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "calls.simulator.realtime", "--port", str(port), "--fault", "fail"]
    environment = {**os.environ, "SIMULATED_REALTIME_FAULTS": "late_audio,after=0.1"}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)  # noqa: ASYNC220
    try:
        deadline = time.monotonic() + 15
        server = RealtimeServer(port=port)  # for its address only
        while True:
            try:
                async with Client(server) as client:
                    await client.begin()
                    assert (await client.announce())["status"] == "failed"
                break
            except OSError:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.05)
    finally:
        process.terminate()
        assert process.wait(5) == 0
