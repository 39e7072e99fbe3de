"""mod_audio_stream (open edition) for one leg: its WebSocket client, its files and the bodies of its events.

Bodies, codes and order are those recorded from the real one; the error texts that no recording holds are libwsc's, the
client library inside mod_audio_stream. It never reconnects.
"""

import asyncio
import base64
import binascii
import errno
import json
import logging
import os
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI
from websockets.typing import Origin

from calls.simulator.fir import Upsampler
from calls.simulator.media import Leg

log = logging.getLogger(__name__)

HANDSHAKE_SECONDS = 1.0
"""Of the wall clock, whatever the speed: the other side is not simulated."""
PLAY_DELAY = 0.018
"""Seconds from a streamAudio message to its play event."""
BACKLOG = 250
"""Frames kept for a slow reader; the oldest are dropped beyond."""
SUFFIXES = {8000: ".r8", 16000: ".r16", 24000: ".r24", 32000: ".r32", 48000: ".r48", 64000: ".r64"}

CONNECT_FAILED, TIMEOUT, IO = 6, 10, 1


def parse_rate(text: str) -> int | None:
    """The rate of `uuid_audio_stream … start url mono RATE`: 8k, 16k or a multiple of 8000; None: not accepted."""
    rate = {"8k": 8000, "16k": 16000}.get(text) or (int(text) if text.isdecimal() else 0)
    return rate if rate > 0 and rate % 8000 == 0 else None


class AudioStream:
    """One `uuid_audio_stream … start`; `on_event(kind, body)` gets "connect", "disconnect", "error", "play", "json"."""

    def __init__(
        self,
        leg: Leg,
        url: str,
        rate: int,
        metadata: str | None,
        headers: Mapping[str, str],
        tmp_dir: str | Path,
        on_event: Callable[[str, str], None],
        *,
        speed: float = 1.0,
    ):
        """`rate` in Hz, as `parse_rate` gives it; `metadata` is sent first, as text."""
        self._leg = leg
        self._url = url
        self._metadata = metadata
        self._headers = headers
        self._tmp_dir = Path(tmp_dir)
        self._on_event = on_event
        self._speed = speed
        self._upsample = Upsampler(rate // 8000)
        self._frames: deque[bytes | str] = deque(maxlen=BACKLOG)
        self._waiting = asyncio.Event()
        self._connection: ClientConnection | None = None
        self._files: list[Path] = []
        self._stopped = False
        self._task: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None

    @property
    def connected(self) -> bool:
        return self._connection is not None

    def start(self) -> None:
        """Begin to connect and return; the outcome is an event."""
        self._leg.taps.append(self)
        self._task = asyncio.create_task(self._run(), name="audio stream")

    def stop(self) -> asyncio.Task[None]:
        """Detach, delete the files, close with 1000; no event follows. Returns the closing, which may be awaited."""
        if not self._stopped:
            self._stopped = True
            if self in self._leg.taps:
                self._leg.taps.remove(self)
            for file in self._files:
                file.unlink(missing_ok=True)
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(), name="audio stream close")
        return self._closing

    def cut(self) -> None:
        """The network between us goes: no close, no event of ours but the one that a dead connection gives."""
        if self._connection is not None:
            self._connection.transport.abort()

    def send_text(self, text: str) -> bool:
        """`uuid_audio_stream … send_text`: between the frames, in order. False while there is no connection."""
        if self._connection is None:
            return False
        self._frames.append(text)
        self._waiting.set()
        return True

    def feed(self, frame: np.ndarray | None) -> None:
        """One tick of the leg's voice, from the media tick. Dropped while there is no connection."""
        if self._connection is not None:
            self._frames.append(self._upsample(frame))
            self._waiting.set()

    async def _run(self) -> None:
        try:
            connection = await self._connect()
        except TimeoutError:
            self._fail(TIMEOUT, "Connection/handshake timeout")
        except InvalidHandshake as error:
            ended = isinstance(error.__cause__, EOFError)
            self._fail(
                CONNECT_FAILED, "Connection closed during handshake (EOF)" if ended else "WebSocket upgrade failed"
            )
        except (OSError, ValueError, InvalidURI) as error:
            self._fail(CONNECT_FAILED, _system_error(error))
        else:
            await self._stream(connection)

    async def _connect(self) -> ClientConnection:
        at = urlsplit(self._url)
        return await connect(
            self._url,
            origin=Origin(f"http://{at.netloc}"),
            additional_headers=dict(self._headers),
            user_agent_header=None,
            compression=None,
            proxy=None,
            ping_interval=None,
            open_timeout=HANDSHAKE_SECONDS,
            close_timeout=HANDSHAKE_SECONDS,
            max_size=None,
        )

    async def _stream(self, connection: ClientConnection) -> None:
        sender = None
        try:
            if self._metadata:
                await connection.send(self._metadata)
            self._connection = connection
            sender = asyncio.create_task(self._send(connection), name="audio stream frames")
            self._tell("connect", {"status": "connected"})
            async for message in connection:
                if isinstance(message, str):
                    await self._message(message)
            self._closed(connection)
        except ConnectionClosed:
            self._closed(connection)
        finally:
            self._connection = None
            if sender:
                sender.cancel()

    async def _send(self, connection: ClientConnection) -> None:
        try:
            while True:
                while self._frames:
                    await connection.send(self._frames.popleft())
                self._waiting.clear()
                await self._waiting.wait()
        except ConnectionClosed:
            pass  # the reader tells

    async def _message(self, text: str) -> None:
        body = self._file_of(text)
        if body is None:
            self._tell_text("json", text)
            return
        await asyncio.sleep(PLAY_DELAY / self._speed)
        self._tell("play", body)

    def _file_of(self, text: str) -> dict[str, Any] | None:
        """The play event's body for a streamAudio message, its file written; None for every other message."""
        try:
            message = json.loads(text)
            if message["type"] != "streamAudio":
                return None
            data = message["data"]
            kind = data["audioDataType"]
            suffix = ".wav" if kind == "wav" else SUFFIXES[data["sampleRate"]] if kind == "raw" else None
            sound = base64.b64decode(data.pop("audioData"))
        except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
            return None
        if suffix is None or self._stopped:
            return None
        file = self._tmp_dir / f"{self._leg.uuid}_{len(self._files)}.tmp{suffix}"
        file.write_bytes(sound)
        self._files.append(file)
        return {**data, "file": str(file)}

    def _closed(self, connection: ClientConnection) -> None:
        close = connection.protocol.close_rcvd
        if close is not None:
            message = {"code": close.code, "reason": close.reason}
            self._tell("disconnect", {"status": "disconnected", "message": message})
        else:
            self._fail(IO, "Connection closed without WebSocket CLOSE (abnormal EOF)")

    def _fail(self, code: int, text: str) -> None:
        self._tell("error", {"status": "error", "message": {"code": code, "error": text}})

    def _tell(self, kind: str, body: dict[str, Any]) -> None:
        self._tell_text(kind, json.dumps(body, separators=(",", ":"), ensure_ascii=False))

    def _tell_text(self, kind: str, body: str) -> None:
        if self._stopped:
            return
        try:
            self._on_event(kind, body)
        except Exception:
            log.exception("handler of an audio stream's %s event failed", kind)

    async def _close(self) -> None:
        connection = self._connection
        if connection is not None:
            await connection.close(1000)
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)


def _system_error(error: Exception) -> str:
    """libwsc's text for a connection that could not be made."""
    number = getattr(error, "errno", None)
    if number is None and not isinstance(error, OSError):
        return "Invalid host or port"
    # One name with several addresses fails with one error for all of them and no number.
    number = number or errno.ECONNREFUSED
    return f"{os.strerror(number)} (system error {number})"
