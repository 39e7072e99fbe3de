"""A supervisor hears announcer and agent, a moment behind, and nobody waits for him."""

import asyncio
import time

import numpy as np
import pytest
from django.db import OperationalError
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from calls.voice import listen
from calls.voice.ears import AGENT, ANNOUNCER, KEPT, Ear, Ears
from calls.voice.playout import Playout
from tests.voice.world import AgentLine, until

FRAME = 960


def loud(message):
    return float(np.abs(np.frombuffer(message[1:], "<i2").astype(float)).mean()) > 200


async def hear(web, number):
    return await connect(f"{web.url}/listen/{number}", proxy=None)


class Listening:
    """A browser: keeps what it hears."""

    def __init__(self, socket):
        self.socket, self.heard, self.closed = socket, [], None
        self._task = asyncio.create_task(self._read())

    async def _read(self):
        try:
            async for message in self.socket:
                self.heard.append((time.monotonic(), message))
        except ConnectionClosed:
            pass
        self.closed = self.socket.close_code

    def of(self, side):
        return [message for _, message in self.heard if message[:1] == side]

    async def stop(self):
        await self.socket.close()
        await self._task


async def test_both_sides_are_heard_each_under_its_own_sign(web, line):
    line.connect(await web.claimed(1))
    listening = Listening(await hear(web, 1))
    await line.hears_out()
    await line.agent.say("sim_pode_passar")
    await until(lambda: any(map(loud, listening.of(ANNOUNCER))), what="the announcer's voice")
    await until(lambda: any(map(loud, listening.of(AGENT))), what="the agent's voice")
    assert {len(message) for message in listening.of(AGENT)} == {1 + FRAME}
    assert len(listening.of(ANNOUNCER)) > 50  # 1 s at least
    await listening.stop()


async def test_at_the_speed_of_life_the_agent_is_heard_within_300_ms(web, tmp_path):
    async with AgentLine(web, tmp_path, 1.0) as line:
        line.connect(await web.claimed(1))
        await line.hears(0.1)
        listening = Listening(await hear(web, 1))
        began = time.monotonic()
        speaking = asyncio.create_task(line.agent.say("sim_pode_passar"))
        await until(lambda: any(map(loud, listening.of(AGENT))), what="the agent's voice")
        first = next(at for at, message in listening.heard if message[:1] == AGENT and loud(message))
        assert first - began < 0.3 + 0.25  # the phrase begins with up to a quarter of a second of silence
        await speaking
        await listening.stop()


async def test_an_agent_at_8_khz_is_heard_at_24(web, line):
    line.connect(await web.claimed(1), rate=8000)
    listening = Listening(await hear(web, 1))
    await line.hears(0.1)
    await until(lambda: listening.of(AGENT), what="the agent's side")
    assert {len(message) for message in listening.of(AGENT)} == {1 + FRAME}
    await listening.stop()


@pytest.mark.parametrize("path", ["/listen/forged", "/listen/", "/listen/99"])
async def test_without_a_right_or_an_announcer_the_socket_never_opens(web, door, path):
    await web.claimed(1)
    with pytest.raises(InvalidStatus) as refused:
        await connect(web.url + path, proxy=None)
    assert refused.value.response.status_code == 403
    assert not door.listening


async def test_while_the_database_is_away_nobody_is_let_in(web, door):
    await web.claimed(1)
    door.fail_with = OperationalError("gone")
    with pytest.raises(InvalidStatus):
        await hear(web, 1)


async def test_who_loses_the_right_while_listening_is_cut_off(web, door, monkeypatch):
    monkeypatch.setattr(listen, "LOOK_AGAIN_SECONDS", 0.02)
    await web.claimed(1)
    listening = Listening(await hear(web, 1))
    door.listening.clear()
    await until(lambda: listening.closed == listen.NO_LONGER_ALLOWED, what="the end")


async def test_the_end_of_the_announcer_is_the_end_of_listening_and_is_written_down(web, door, line):
    line.connect(await web.claimed(1))
    listening = Listening(await hear(web, 1))
    await line.hears(0.1)
    web.hub.legs[0].note("close")
    await until(lambda: listening.closed == 1000, what="the end")
    await until(lambda: not door.listening, what="the note of it")


async def test_a_browser_that_goes_away_leaves_nothing_behind(web, door):
    await web.claimed(1)
    listening = Listening(await hear(web, 1))
    (leg,) = web.hub.legs
    assert leg.ears
    await listening.stop()
    await until(lambda: not leg.ears and not door.listening, what="the end of listening")


async def test_whatever_a_browser_says_is_not_listened_to(web, line):
    line.connect(await web.claimed(1))
    socket = await hear(web, 1)
    for _ in range(20):
        await socket.send(bytes(FRAME))
        await socket.send('{"type":"streamAudio"}')
    assert isinstance(await asyncio.wait_for(socket.recv(), 5), bytes)
    await socket.close()


async def test_who_cannot_keep_up_loses_the_oldest_and_is_never_far_behind():
    ears = Ears()
    ear = ears.open()
    for number in range(10 * KEPT):
        ears.pass_on(AGENT, number.to_bytes(2, "big"))
    assert ear.dropped == 9 * KEPT
    assert int.from_bytes((await ear.take())[1:], "big") == 9 * KEPT
    ears.close()
    rest = [await ear.take() for _ in range(KEPT)]
    assert rest[-1] is None and None not in rest[:-1]


async def test_who_comes_after_the_end_hears_the_end():
    ears = Ears()
    ears.close()
    assert await ears.open().take() is None
    assert isinstance(Ear(), Ear) and not ears


def test_the_announcers_side_is_what_the_agent_has_heard_of_it():
    playout = Playout()
    first, second = b"\x01\x00" * 2400, b"\x02\x00" * 2400  # 100 ms each
    playout.sent("", 100, 0, first)
    playout.sent("", 100, 0, second)
    assert playout.sound(20, 20) == b""  # nobody hears it yet
    playout.report("start", "/x_0.tmp.wav", 100)
    assert playout.sound(120, 20) == first[:FRAME]
    assert playout.sound(140, 20) == first[FRAME : 2 * FRAME]
    playout.report("start", "/x_1.tmp.wav", 150)
    playout.report("done", "/x_0.tmp.wav", 200)
    assert playout.sound(220, 20) == second[:FRAME]
    playout.drop(220)
    assert playout.sound(240, 20) == b"" and not any(clip.pcm for clip in playout.clips)
