"""An audio socket that is silent, or floods us: docs/reliability.md. Refused and dropped ones: tests/stories."""

import asyncio
import base64
import io
import json
import wave

from websockets.asyncio.client import connect

from calls.transfer.events import AnnouncementStarted
from calls.voice.announcer import PATIENCE_SECONDS
from calls.voice.relay import KEPT_FRAMES, ODD_SIZES
from tests.voice.world import until

FRAME = bytes(960)  # 20 ms at 24 kHz


def seconds_of(message: str) -> float:
    data = json.loads(message)["data"]
    with wave.open(io.BytesIO(base64.b64decode(data["audioData"]))) as sound:
        return sound.getnframes() / sound.getframerate()


async def test_a_socket_on_which_nothing_is_heard_gets_the_announcement_all_the_same(web, realtime, door):
    """A telephone on hold from the first moment, or a network that carries nothing towards us."""
    async with connect(await web.claimed(1), proxy=None) as leg:
        clip = await asyncio.wait_for(leg.recv(), PATIENCE_SECONDS + 3)
        assert seconds_of(clip) > 0.3  # the first of several, or all of it
        (held,) = web.hub.legs
        assert held.dialogue.ears.now_ms == 0  # his time has not begun; the transfer's deadline is the clock's
        held.note("close")
        await asyncio.wait_for(leg.wait_closed(), 5)
    assert 1 in door.closed


async def test_a_flood_on_one_socket_leaves_the_others_and_our_memory_alone(web, line, realtime, door, caplog):
    async with connect(await web.claimed(1), proxy=None, max_size=None) as flooding:
        for odd in range(20):  # a minute of audio, as fast as the socket takes it, and what is no audio at all
            for _ in range(150):
                await flooding.send(FRAME)
            await flooding.send(bytes(200_000 + odd))
            await flooding.send("x" * 100_000)
            await asyncio.sleep(0)
        line.connect(await web.claimed(2))
        await until(lambda: door.of(AnnouncementStarted), what="the other agent's announcement")
        await line.hears(0.5)
        flooded = next(leg for leg in web.hub.legs if leg.claimed.session_id == 1)
        assert len(flooded._uplink._frames) <= KEPT_FRAMES and caplog.text.count("audio.frame_size") == ODD_SIZES
