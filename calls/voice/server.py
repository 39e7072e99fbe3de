"""uvicorn's WebSocket protocol with a short way for audio: `uvicorn --ws calls.voice.server:AudioProtocol`.

A binary message goes where it arrives to whoever asked for it, instead of by a queue and a task, with the socket's
reading stopped and begun again for each. Under any other server the consumer hears the same by receive().
"""

from collections.abc import Callable
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request
from websockets.protocol import State

from calls.voice.frames import BINARY, FrameCutter

FRAMES = "transferhub.frames"
"""In the scope's extensions: a function that takes the hearer of all binary messages to come. What the hearer raises
comes to receive() as {"type": FRAMES, "error": …}."""

Hear = Callable[[bytes], None]


class AudioProtocol(WebSocketsSansIOProtocol):
    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._hearer: Hear | None = None
        self._cutter = FrameCutter(BINARY, self._binary, super().data_received, masked=True)

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if hasattr(self, "scope"):  # else it was refused
            self.scope["extensions"][FRAMES] = self._take  # type: ignore[typeddict-unknown-key]

    def data_received(self, data: bytes) -> None:
        if self.conn.state is State.OPEN:
            self._cutter.feed(data)
            return
        if self.handshake_initiated:  # too early or too late for a frame
            self._cutter.pass_all()
        super().data_received(data)

    def _take(self, hearer: Hear) -> None:
        self._hearer = hearer

    def _binary(self, message: bytes) -> None:
        if self._hearer is None:
            self.curr_msg_data_type, self.frames = "bytes", [message]
            self.send_receive_event_to_app()
            return
        try:
            self._hearer(message)
        except Exception as error:
            self._hearer = _nobody
            self.queue.put_nowait({"type": FRAMES, "error": error})  # type: ignore[typeddict-item]


def _nobody(message: bytes) -> None:
    """It has failed, and its task is about to end the connection."""
