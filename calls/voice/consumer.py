"""FreeSWITCH's audio WebSocket: /audio/<one-time token>. Thin; what the frames mean is the leg's.

Frames come by the short way of server.py; under another server by receive(), which it reads itself: Channels' dispatch
costs a task and a thread hop for every 20 ms frame (40 % of the CPU, measured). No Origin is checked: FreeSWITCH sends
its own address there, and the token is what counts.
"""

import asyncio
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer

from calls.tasks import cancelled
from calls.voice.hub import Hub
from calls.voice.leg import Leg
from calls.voice.server import FRAMES

PATH = "/audio/"


class AudioConsumer(AsyncWebsocketConsumer):
    """Refuses (403, before the socket opens) whoever has no token that waits to be used. `scope["audio_hub"]` is this
    process's hub."""

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        self.scope, self.base_send = scope, send
        await receive()  # websocket.connect
        hub: Hub = scope["audio_hub"]
        leg = await hub.admit(scope["path"].removeprefix(PATH))
        if leg is None:
            await self.close()
            return
        if take := scope.get("extensions", {}).get(FRAMES):
            take(leg.frame)
        await self.accept()
        sender = asyncio.create_task(self._send_all(leg))
        try:
            while True:
                message = await receive()
                if message["type"] == "websocket.disconnect":
                    return
                if message["type"] == FRAMES:
                    raise message["error"]
                frame = message.get("bytes")
                if frame:  # the stream's optional text comes first and is of no use to us
                    leg.frame(frame)
        finally:
            leg.detach()
            await cancelled(sender)

    async def _send_all(self, leg: Leg) -> None:
        while (text := await leg.outbox.get()) is not None:
            await self.send(text_data=text)
        await self.close(code=1000)
