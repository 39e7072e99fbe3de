import asyncio
import socket

import pytest

from calls.simulator.realtime_faults import Fault
from calls.voice import protocol
from calls.voice import realtime as realtime_module
from calls.voice.protocol import Committed, SpeechStarted
from calls.voice.realtime import RealtimeLink, RealtimeLost
from calls.voice.relay import KEPT_FRAMES, Uplink
from calls.voice.synthesis import synthesise
from tests.voice.world import until

MODEL = "gpt-realtime-2.1"


@pytest.fixture(params=["websockets", "picows"], autouse=True)
def client(request, settings):
    """Both clients do the same."""
    settings.OPENAI_REALTIME_CLIENT = request.param


async def lost(link, *, at="connect"):
    """Why the link was lost."""
    with pytest.raises(RealtimeLost) as why:
        await link.connect()
        async for _ in link.events():
            pass
    await link.close()
    return why.value.reason


async def test_a_session_hears_what_is_appended(realtime):
    link = RealtimeLink(realtime.url, "secret", MODEL)
    await link.connect()
    update = protocol.session_update(model=MODEL, instructions="", voice="marin", language="pt-BR", transcribe="none")
    await link.send(update)
    await link.send(protocol.append(bytes(9600) + synthesise("Alô?") + bytes(48_000)))
    seen = []
    async for event in link.events():
        seen.append(event)
        if isinstance(event, Committed):
            break
    assert any(isinstance(event, SpeechStarted) for event in seen)
    assert realtime.sessions[0].errors == []
    await link.close()


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault("refuse", status=401), "refused_401"),
        (Fault("refuse", status=429), "refused_429"),
        (Fault("hang_up"), "closed_1011"),
        (Fault("drop", after=0.05), "closed_1006"),
        (Fault("expire", after=0.05), "closed_1001"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
async def test_every_way_to_lose_a_session_has_its_name(realtime, fault, reason):
    realtime.faults = [fault]
    assert await lost(RealtimeLink(realtime.url, "secret", MODEL)) == reason


async def test_a_wrong_key_an_unknown_model_and_nobody_there_have_their_names(realtime):
    assert await lost(RealtimeLink(realtime.url, "wrong", MODEL)) == "refused_401"
    assert await lost(RealtimeLink(realtime.url, "secret", "gpt-9")) == "refused_model_not_found"
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    assert await lost(RealtimeLink(f"ws://127.0.0.1:{port}/v1/realtime", "secret", MODEL)) == "unreachable"


async def test_a_server_that_never_speaks_is_given_up(realtime, monkeypatch):
    monkeypatch.setattr(realtime_module, "OPEN_SECONDS", 0.2)
    realtime.faults = [Fault("stall")]
    assert await lost(RealtimeLink(realtime.url, "secret", MODEL)) == "timeout"


async def test_a_slow_link_costs_the_oldest_frames_and_no_delay():
    uplink = Uplink("test")
    for _ in range(KEPT_FRAMES + 20):
        assert uplink.frame(bytes(960))
    assert uplink.dropped == 20

    sent = []

    class Link:
        async def send(self, message):
            sent.append(message)

    uplink.message(b"first")
    task = asyncio.create_task(uplink.run(Link()))
    await until(lambda: len(sent) == KEPT_FRAMES + 1, what="everything that was kept")
    task.cancel()
    assert sent[0] == b"first"


async def test_once_nothing_waits_a_frame_goes_out_without_a_task_and_waits_again_for_a_slow_link():
    uplink, sent = Uplink("test"), []

    class Link:
        slow = False

        def offer(self, message):
            if not self.slow:
                sent.append(message)
            return not self.slow

        async def send(self, message):
            await until(lambda: not self.slow, what="the link")
            sent.append(message)

    link = Link()
    task = asyncio.create_task(uplink.run(link))
    await asyncio.sleep(0)
    uplink.frame(bytes(960))
    assert sent == [protocol.append(bytes(960))]
    link.slow = True
    uplink.message(b"second")
    uplink.message(b"third")
    assert len(sent) == 1
    link.slow = False
    await until(lambda: len(sent) == 3, what="what waited")
    assert sent[1:] == [b"second", b"third"] and uplink.dropped == 0
    task.cancel()


async def test_the_second_half_of_a_session_is_heard_by_who_listens_later(realtime):
    link = RealtimeLink(realtime.url, "secret", MODEL)
    await link.connect()
    await link.send(protocol.retrieve("none"))
    heard = []
    listening = asyncio.create_task(link.listen(heard.append))
    await until(lambda: heard, what="an answer")
    await link.close()
    with pytest.raises(RealtimeLost, match="closed_1000"):
        await listening


async def test_what_the_listener_raises_ends_the_listening(realtime):
    link = RealtimeLink(realtime.url, "secret", MODEL)
    await link.connect()
    await link.send(protocol.retrieve("none"))

    def stumble(event):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await link.listen(stumble)
    await link.close()


def test_a_frame_of_another_size_is_not_audio():
    uplink = Uplink("test")
    assert not uplink.frame(bytes(100)) and not uplink.frame(b"")
    assert uplink.frame(bytes(320)) and uplink.frame(bytes(640)) and uplink.frame(bytes(960))
