"""What this switch's mod_audio_stream can do, tried on one leg of our own."""

import asyncio
import base64
import json
import time
from typing import Any

from calls.certify import tones
from calls.certify.legs import Switchboard
from calls.demo.esl import EslError
from calls.voice.synthesis import wav

RATES = {"8k": 320, "16k": 640, "24000": 960}
"""The rate as ordered, and the bytes of a frame of 20 ms."""
ANSWER_WITHIN = 2.0
SECONDS = 1.0


async def examine(board: Switchboard) -> dict[str, Any]:
    """{"rates": {rate: good}, "file_ms", "file_pitch", "plays_raw_frames"}. Raises EslError, TimeoutError."""
    person = await board.leg()
    found: dict[str, Any] = {"rates": {}}
    for rate, size in RATES.items():
        found["rates"][rate] = await _frame_bytes(board, person.near, rate) == size
    queue = board.reports[person.near] = asyncio.Queue()
    name = f"{person.near}-speaks"
    await board.ears.on(board.esl, person.near, name=name)
    socket = board.ears.sockets[name]

    speech = tones.tone(tones.ANNOUNCER, SECONDS, 24000)
    data = {"audioDataType": "wav", "sampleRate": 24000, "audioData": base64.b64encode(wav(speech, 24000)).decode()}
    sent = time.monotonic()
    await socket.send(json.dumps({"type": "streamAudio", "data": data}))
    try:
        async with asyncio.timeout(ANSWER_WITHIN):
            path = json.loads(await queue.get())["file"]
    except TimeoutError:
        path = ""
    found["file_ms"] = round((time.monotonic() - sent) * 1000) if path else None
    if path:
        await board.esl.api(f"uuid_broadcast {person.near} {path} aleg")
        await asyncio.sleep(SECONDS + 0.8)
    found["file_pitch"] = round(person.ear.pitch(tones.ANNOUNCER), 1)

    raw = tones.tone(tones.PROMPT, SECONDS, 8000)
    for at in range(0, len(raw), 320):
        await socket.send(raw[at : at + 320])
    await asyncio.sleep(SECONDS + 0.5)
    found["plays_raw_frames"] = person.ear.seconds(tones.PROMPT) > SECONDS / 2
    await person.hang_up()
    return found


async def _frame_bytes(board: Switchboard, leg: str, rate: str) -> int:
    name = f"{leg}-{rate}"
    try:
        await board.ears.on(board.esl, leg, rate, name)
    except (EslError, TimeoutError):
        return 0
    await board.esl.api(f"uuid_audio_stream {leg} stop")
    return board.ears.frame_bytes[name]
