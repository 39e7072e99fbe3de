import pytest

from calls.simulator.realtime import RealtimeServer
from calls.simulator.realtime_response import Pace
from tests.voice.world import AgentLine, Door, Web

SPEED = 10
"""The agent's telephone runs that much faster than the clock; the announcer counts in his audio and does not notice."""


@pytest.fixture
async def realtime(settings):
    """The Realtime API the product talks to."""
    async with RealtimeServer(key="secret", pace=Pace(first_audio=0.05, speed=40)) as server:
        settings.OPENAI_REALTIME_URL = server.url
        settings.OPENAI_API_KEY = "secret"
        yield server


@pytest.fixture
async def web(realtime):
    async with Web(Door()) as server:
        yield server


@pytest.fixture
async def line(web, tmp_path):
    async with AgentLine(web, tmp_path, SPEED) as line:
        yield line


@pytest.fixture
def door(web):
    return web.door
