"""A simulated FreeSWITCH and a real web server with the echo, for examinations over real sockets."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
import uvicorn

from calls.doctor.echo import PATH, echo
from calls.doctor.installation import Installation
from calls.simulator.switch import SimulatedSwitch

HOME = "ivr_return XML public"
BOOK = {"2001": "accepts", "2002": "not_registered"}


async def _web(scope, receive, send) -> None:
    assert scope["type"] == "websocket" and scope["path"].startswith(PATH)
    await echo(scope, receive, send)


@pytest.fixture
async def web() -> AsyncIterator[str]:
    """Base address of a web process."""
    config = uvicorn.Config(_web, port=0, lifespan="off", ws="websockets-sansio", log_level="warning", log_config=None)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(5):
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"ws://127.0.0.1:{port}"
    server.should_exit = True
    await serving


@contextlib.asynccontextmanager
async def switch(**options) -> AsyncIterator[SimulatedSwitch]:
    simulated = SimulatedSwitch(phonebook=BOOK, **options)
    await simulated.start()
    try:
        yield simulated
    finally:
        await simulated.stop()


def installation(simulated: SimulatedSwitch, **fields) -> Installation:
    """What a good company asks of this switch."""
    values = {
        "host": simulated.host,
        "port": simulated.port,
        "password": simulated.password,
        "password_variable": "FREESWITCH_PASSWORD",
        "domain": "lab",
        "rate": 24000,
        "destinations": {HOME: ["Vendas"]},
        "agents": {"2001": "Ana"},
    }
    return Installation(**(values | fields))
