"""A supervisor's ear: /listen/<token>, binary messages as in ears.py, until the announcer is done with this agent.

Nothing is taken from the browser. The token names person and session and is good for a moment; whether the person may
still listen is looked up at the door, and again while the socket is open.
"""

import asyncio
import contextlib
from typing import Any

import structlog
from channels.generic.websocket import AsyncWebsocketConsumer

from calls.tasks import cancelled
from calls.voice.announcer import Announcer
from calls.voice.hub import Hub
from calls.voice.leg import place_of

log = structlog.get_logger(__name__)

PATH = "/listen/"
LOOK_AGAIN_SECONDS = 5.0
CLOSED_BY_US, NO_LONGER_ALLOWED = 1000, 4403


class ListenConsumer(AsyncWebsocketConsumer):
    """Refuses (403, before the socket opens) whoever may not listen here. `scope["audio_hub"]` is the process's hub."""

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        self.scope, self.base_send = scope, send
        await receive()  # websocket.connect
        hub: Hub = scope["audio_hub"]
        found = await _admit(hub, scope["path"].removeprefix(PATH))
        if found is None:
            await self.close()
            return
        leg, listening = found
        ear = leg.ears.open()
        await self.accept()
        tasks = [
            asyncio.create_task(self._send_all(ear)),
            asyncio.create_task(self._until_gone(receive)),
            asyncio.create_task(self._while_allowed(hub, listening)),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            leg.ears.shut(ear)
            await cancelled(*tasks)
            with contextlib.suppress(Exception):
                await asyncio.shield(hub.door.close_listening(listening))

    async def _send_all(self, ear: Any) -> None:
        while (message := await ear.take()) is not None:
            await self.send(bytes_data=message)
        await self.close(code=CLOSED_BY_US)

    async def _until_gone(self, receive: Any) -> None:
        while (await receive())["type"] != "websocket.disconnect":
            pass  # whatever the browser says

    async def _while_allowed(self, hub: Hub, listening: int) -> None:
        while True:
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
            try:
                if await hub.door.may_listen_on(listening):
                    continue
            except Exception as error:
                log.warning("listen.not_checked", error=type(error).__name__)
            await self.close(code=NO_LONGER_ALLOWED)
            return


async def _admit(hub: Hub, token: str) -> tuple[Announcer, int] | None:
    try:
        opened = await hub.door.open_listening(hub.process_id, token)
    except Exception as error:
        log.warning("listen.not_admitted", error=type(error).__name__, at=place_of(error))
        return None
    if opened is None:
        return None
    session_id, listening = opened
    for leg in hub.legs:
        if isinstance(leg, Announcer) and leg.claimed.session_id == session_id and not leg.closing:
            return leg, listening
    await hub.door.close_listening(listening)
    return None
