"""The web process's end of the doctor's test leg: /audio/check/<token>.

What it measures goes back through FreeSWITCH: every text sent on the stream becomes a mod_audio_stream::json event,
which the doctor reads on its Event Socket. So nothing but the way that is being tested has to work.

Texts from the doctor (`uuid_audio_stream LEG send_text …`, JSON):
    {"check": "ping", "n": 3}    -> the same back at once
    {"check": "report"}          -> {"check": "report", "frames", "bytes", "gap_p99_ms", "gap_max_ms"}
    {"check": "clip"}            -> 20 ms of silence as streamAudio, which ends in mod_audio_stream::play
With the first frame {"check": "first_frame"} is sent.
"""

import asyncio
import base64
import io
import json
import time
import wave
from collections.abc import Awaitable, Callable
from typing import Any

from django.core.signing import BadSignature, TimestampSigner
from django.utils.crypto import get_random_string

from calls.doctor.judge import percentile
from calls.switch.parsing import json_object

PATH = "/audio/check/"
TOKEN_SECONDS = 60
LONGEST_SECONDS = 30  # nobody holds a socket of ours for longer by a token that only measures
MOST_GAPS = 2000


def _signer() -> TimestampSigner:
    return TimestampSigner(salt="calls.doctor", sep="~")  # no colon: the token stands in a URL of a command


def make_token() -> str:
    """Good for any web process with the same SECRET_KEY, for a minute. It opens nothing but this echo."""
    return _signer().sign(get_random_string(12))


def is_good(token: str) -> bool:
    try:
        _signer().unsign(token, max_age=TOKEN_SECONDS)
    except BadSignature:
        return False
    return True


class Ear:
    """Counts frames and the time between them. Pure but for the clock it is given (seconds)."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = 0.0
        self._gaps: list[float] = []
        self.frames = self.size = 0

    def frame(self, data: bytes) -> bool:
        """Returns whether it was the first."""
        now = self._clock()
        if self.frames and len(self._gaps) < MOST_GAPS:
            self._gaps.append((now - self._last) * 1000)
        self._last, self.size = now, len(data)
        self.frames += 1
        return self.frames == 1

    def report(self) -> dict[str, Any]:
        return {
            "check": "report",
            "frames": self.frames,
            "bytes": self.size,
            "gap_p99_ms": round(percentile(self._gaps, 0.99), 1),
            "gap_max_ms": round(max(self._gaps, default=0.0), 1),
        }


def answer(text: str, ear: Ear) -> str:
    """The text to send back, "" for none."""
    asked = json_object(text)
    match asked.get("check"):
        case "ping":
            return json.dumps({"check": "ping", "n": asked.get("n")})
        case "report":
            return json.dumps(ear.report())
        case "clip":
            data = {"audioDataType": "wav", "sampleRate": 24000, "audioData": base64.b64encode(_silence()).decode()}
            return json.dumps({"type": "streamAudio", "data": data})
    return ""


def _silence() -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(24000)
        sound.writeframes(bytes(960))
    return file.getvalue()


async def echo(scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]):
    """The ASGI application. Refuses (403) without a good token."""
    await receive()  # websocket.connect
    if not is_good(scope["path"].removeprefix(PATH)):
        await send({"type": "websocket.close"})
        return
    await send({"type": "websocket.accept"})
    ear = Ear()
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            while (message := await receive())["type"] != "websocket.disconnect":
                if frame := message.get("bytes"):
                    text = json.dumps({"check": "first_frame"}) if ear.frame(frame) else ""
                else:
                    text = answer(message.get("text") or "", ear)
                if text:
                    await send({"type": "websocket.send", "text": text})
    except TimeoutError:
        await send({"type": "websocket.close", "code": 1000})
