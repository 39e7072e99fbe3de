"""Ears on the switch's legs: each is an audio stream of mod_audio_stream to a WebSocket server of ours."""

import asyncio
import time

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from calls.certify.hearing import Ear
from calls.certify.relay import LISTEN, LOCAL
from calls.demo.esl import EventSocket

BEGIN_WITHIN = 5.0
"""Seconds from the order to the first frame."""


class Ears:
    """`url`: where the switch reaches us, without a path."""

    def __init__(self) -> None:
        self.url = ""
        self.ears: dict[str, Ear] = {}
        self.sockets: dict[str, ServerConnection] = {}
        self.frame_bytes: dict[str, int] = {}
        self._server: Server | None = None

    async def start(self) -> int:
        """The port, on this machine."""
        self._server = await serve(self._listen, LOCAL, 0, compression=None, ping_interval=None)
        return self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server:
            self._server.close()
            await self._server.wait_closed()

    async def on(self, esl: EventSocket, leg: str, rate: str = "8k", name: str = "") -> Ear:
        """Hear what this leg hears. Only at 8k the Ear can make anything of it. Raises EslError, TimeoutError."""
        name = name or leg
        ear = self.ears[name] = Ear()
        await esl.api(f"uuid_audio_stream {leg} start {self.url}{LISTEN}{name} mono {rate}")
        ends = time.monotonic() + BEGIN_WITHIN
        while name not in self.frame_bytes:  # noqa: ASYNC110 - frames come by fifties a second
            if time.monotonic() > ends:
                raise TimeoutError(f"no audio of a leg arrived within {BEGIN_WITHIN:g} s: is the machine overloaded?")
            await asyncio.sleep(0.02)
        return ear

    async def _listen(self, socket: ServerConnection) -> None:
        name = socket.request.path.removeprefix(LISTEN) if socket.request else ""
        ear = self.ears.get(name)
        if ear is None:
            return
        self.sockets[name] = socket
        try:
            async for message in socket:
                if isinstance(message, bytes):
                    self.frame_bytes.setdefault(name, len(message))
                    ear.feed(message, time.monotonic())
        except ConnectionClosed:
            pass
