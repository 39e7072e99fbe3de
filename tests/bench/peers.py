"""What the product is compared with, all with the same hand-made codec, so that the difference is the machinery alone.

picows   nothing but a C websocket server and client: what is possible in Python
stock    an AsyncWebsocketConsumer as Channels' documentation shows it, with `websockets` towards the API

UPSTREAM and PORT come from the environment. `python -m tests.bench.peers picows`, or uvicorn with stock().
"""

import asyncio
import gc
import json
import os
import sys

import pybase64
import uvloop
from picows import WSListener, WSMsgType, ws_connect, ws_create_server

UP_HEAD, UP_TAIL = b'{"type":"input_audio_buffer.append","audio":"', b'"}'
DOWN_HEAD = b'{"type":"streamAudio","data":{"audioDataType":"raw","sampleRate":24000,"audioData":"'
DOWN_TAIL = b'"}}'
DELTA = b'"type":"response.output_audio.delta"'
TEXT, BINARY, CLOSE = WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CLOSE


def upstream() -> str:
    return os.environ["UPSTREAM"]


def opening(path: str) -> bytes:
    """The session.update, which also says whose call it is."""
    session = {"type": "realtime", "instructions": path.rpartition("/")[2]}
    return json.dumps({"type": "session.update", "session": session}).encode()


def up(pcm: bytes) -> bytes:
    return UP_HEAD + pybase64.b64encode(pcm) + UP_TAIL


def down(raw: bytes) -> bytes | None:
    """The base64 of a delta as it is, in a message for FreeSWITCH; None for other events."""
    if raw.find(DELTA, 0, 256) < 0:
        return None
    begin = raw.find(b'"delta":"') + 9
    return DOWN_HEAD + raw[begin : raw.find(b'"', begin)] + DOWN_TAIL


class ToApi(WSListener):
    def __init__(self, switch, path: str) -> None:
        self.switch, self.path = switch, path

    def on_ws_connected(self, transport):
        transport.send(TEXT, opening(self.path))

    def on_ws_frame(self, transport, frame):
        message = down(frame.get_payload_as_bytes()) if frame.msg_type == TEXT else None
        if message is not None:
            self.switch.send(TEXT, message)


class FromSwitch(WSListener):
    def __init__(self, path: str) -> None:
        self.path, self.api, self.early = path, None, []

    def on_ws_connected(self, transport):
        self.task = asyncio.create_task(self.open(transport))

    async def open(self, transport) -> None:
        api, _ = await ws_connect(lambda: ToApi(transport, self.path), upstream())
        for message in self.early:
            api.send(TEXT, message)
        self.api = api

    def on_ws_frame(self, transport, frame):
        if frame.msg_type == BINARY:
            message = up(frame.get_payload_as_memoryview())
            if self.api is None:
                self.early.append(message)
            else:
                self.api.send(TEXT, message)
        elif frame.msg_type == CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()

    def on_ws_disconnected(self, transport):
        if self.api is not None:
            self.api.disconnect()


async def picows() -> None:
    port = int(os.environ["PORT"])
    server = await ws_create_server(lambda request: FromSwitch(request.path.decode()), "127.0.0.1", port)
    gc.freeze()
    await server.serve_forever()


def stock():
    """An ASGI application."""
    from transferhub.asgi import http  # isort: skip

    from channels.generic.websocket import AsyncWebsocketConsumer
    from channels.routing import ProtocolTypeRouter, URLRouter
    from django.urls import path
    from websockets.asyncio.client import connect

    class Audio(AsyncWebsocketConsumer):
        async def connect(self):
            self.api = await connect(upstream(), compression=None, proxy=None)
            await self.api.send(opening(self.scope["path"]), text=True)
            await self.accept()
            self.task = asyncio.create_task(self.back())

        async def back(self):
            while True:
                message = down(await self.api.recv(decode=False))
                if message is not None:
                    await self.send(text_data=message.decode())

        async def receive(self, text_data=None, bytes_data=None):
            if bytes_data is not None:
                await self.api.send(up(bytes_data), text=True)

        async def disconnect(self, code):
            self.task.cancel()
            await self.api.close()

    return ProtocolTypeRouter({"http": http, "websocket": URLRouter([path("audio/<str:call>", Audio.as_asgi())])})


if __name__ == "__main__" and sys.argv[1:] == ["picows"]:
    uvloop.install()
    asyncio.run(picows())
