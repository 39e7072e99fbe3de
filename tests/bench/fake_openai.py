"""A Realtime API as light as C allows, for measuring relays: `python -m tests.bench.fake_openai --port 9001`.

/v1/realtime   the API. A client that asks for responses (the product) gets the first at once, faster than it is spoken,
               and every later one at the pace of speech, 20 ms a delta, after an agent's turn. A client that never asks
               (a bare relay) gets deltas at that pace from its first audio on.
/ctl           "dump" -> JSON of every call: when audio came and went; "prepared" -> how many have their first response

A call is known by the words call-<n> in its session.update.
"""

import argparse
import asyncio
import gc
import json
import re
import time
from array import array

import numpy as np
import pybase64
import uvloop
from picows import WSListener, WSMsgType, ws_create_server

SAMPLES = 480  # of 20 ms at 24 kHz
LOUD, QUIET = 14, 3  # deltas of speech, then of a pause, in which clips may end
ANNOUNCEMENT = 34  # deltas of the first response
TURN, LONGER = 300, 397  # of the others: six seconds and more, so that no two calls keep step
ANSWER_AFTER, SPREAD = 1.4, 1.5  # seconds from the first audio to the agent's first turn; not all at once
TEXT = WSMsgType.TEXT
now = time.monotonic_ns
calls: list["Realtime"] = []


def speech() -> list[bytes]:
    """base64 of the deltas that are repeated over and over."""
    random = np.random.default_rng(1)
    loud = [random.normal(0, 3000, SAMPLES) for _ in range(LOUD)]
    quiet = [random.normal(0, 5, SAMPLES) for _ in range(QUIET)]
    return [pybase64.b64encode(np.clip(each, -32768, 32767).astype("<i2").tobytes()) for each in loud + quiet]


SPEECH = speech()


def event(kind: str, **fields) -> bytes:
    return json.dumps({"type": kind, "event_id": "event_fake", **fields}, separators=(",", ":")).encode()


class Realtime(WSListener):
    def on_ws_connected(self, transport):
        self.transport = transport
        self.number: int | None = None
        self.received = self.sent = self.responses = self.turns = 0
        self.left = 0  # deltas of the response in progress
        self.talks_alone = True
        self.slot = -1
        self.next_turn: int | None = None  # ns
        self.up_t, self.up_n = array("q"), array("q")
        self.down_t, self.down_n, self.ends = array("q"), array("q"), array("q")
        calls.append(self)
        self.say("session.created", session={"type": "realtime", "id": "sess_fake", "object": "realtime.session"})

    def say(self, kind: str, **fields) -> None:
        self.transport.send(TEXT, event(kind, **fields))

    def on_ws_disconnected(self, transport):
        CLOCK.leave(self)

    def on_ws_frame(self, transport, frame):
        if frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()
        if frame.msg_type != TEXT:
            return
        at, raw = now(), frame.get_payload_as_bytes()
        if raw.find(b"input_audio_buffer.append", 0, 160) < 0:
            self.other(json.loads(raw), raw)
            return
        begin = raw.find(b'"', raw.find(b'"audio"') + 7) + 1
        end = raw.find(b'"', begin)
        self.received += ((end - begin) // 4 * 3 - raw.count(b"=", end - 2, end)) >> 1
        self.up_t.append(at)
        self.up_n.append(self.received)
        if self.slot < 0:
            later = (self.number or 0) * 37 % 100 / 100 * SPREAD
            self.next_turn = at + int((ANSWER_AFTER + later) * 1e9)
            if self.talks_alone:
                self.left = 1 << 60
            CLOCK.join(self)

    def other(self, message: dict, raw: bytes) -> None:
        kind = message["type"]
        if kind == "session.update":
            self.number = int(re.search(rb"call-(\d+)", raw)[1])
            self.say("session.updated", session={"type": "realtime", "object": "realtime.session"})
        elif kind == "response.create":
            self.talks_alone = False
            self.responses += 1
            self.say("response.created", response={"id": f"resp_{self.responses}", "status": "in_progress"})
            self.left = TURN + (self.number or 0) * 37 % LONGER
            if self.responses == 1:
                self.left = ANNOUNCEMENT
                while self.left:
                    self.delta()

    def delta(self) -> None:
        ids = b'"response_id":"resp_%d","item_id":"item_%d"' % (self.responses, self.responses)
        head = b'{"type":"response.output_audio.delta","event_id":"event_fake",' + ids
        audio = SPEECH[len(self.down_t) % len(SPEECH)]
        self.sent += SAMPLES
        self.down_t.append(now())
        self.down_n.append(self.sent)
        self.transport.send(TEXT, head + b',"output_index":0,"content_index":0,"delta":"' + audio + b'"}')
        self.left -= 1
        if not self.left:
            self.end()

    def end(self) -> None:
        self.ends.append(self.sent)
        ids = {"response_id": f"resp_{self.responses}", "item_id": f"item_{self.responses}", "content_index": 0}
        self.say("response.output_audio.done", **ids)
        self.say("response.output_audio_transcript.done", transcript="Maria quer um orçamento.", **ids)
        usage = {"total_tokens": 300, "input_tokens": 200, "output_tokens": 100, "output_token_details": {"text": 20}}
        done = {"id": f"resp_{self.responses}", "status": "completed", "output": [], "usage": usage}
        self.say("response.done", response=done)
        self.next_turn = now() + 100_000_000

    def tick(self) -> None:
        """Every 20 ms, on this call's own millisecond."""
        if self.left:
            self.delta()
        elif self.next_turn is not None and now() >= self.next_turn:
            self.agent_speaks()

    def agent_speaks(self) -> None:
        """A turn of the agent's; again a second later should it have no answer."""
        self.turns += 1
        self.next_turn = now() + 1_000_000_000
        item = f"turn_{self.turns}"
        at = self.received // 24
        self.say("input_audio_buffer.speech_started", item_id=item, audio_start_ms=max(0, at - 900))
        self.say("input_audio_buffer.speech_stopped", item_id=item, audio_end_ms=at)
        self.say("input_audio_buffer.committed", item_id=item, previous_item_id=None)
        said = "conversation.item.input_audio_transcription.completed"
        self.say(said, item_id=item, content_index=0, transcript="Quem é que quer falar comigo?")


class Clock:
    """One timer for all calls: every millisecond it serves the calls of that millisecond, late ones too."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._slots: list[list[Realtime]] = [[] for _ in range(20)]
        self._loop, self._count, self._began = loop, 0, now()
        self.tick()

    def join(self, call: Realtime) -> None:
        call.slot = (self._count + 5) % 20
        self._slots[call.slot].append(call)

    def leave(self, call: Realtime) -> None:
        if call.slot >= 0:
            self._slots[call.slot].remove(call)
            call.slot = -1

    def tick(self) -> None:
        while self._began + self._count * 1_000_000 <= now():
            for call in list(self._slots[self._count % 20]):
                call.tick()
            self._count += 1
        self._loop.call_later(0.001, self.tick)


class Control(WSListener):
    def on_ws_frame(self, transport, frame):
        if frame.msg_type != TEXT:
            return
        if frame.get_payload_as_bytes() == b"prepared":
            transport.send(TEXT, json.dumps(sum(bool(call.ends) for call in calls)).encode())
            return
        names = ("up_t", "up_n", "down_t", "down_n", "ends")
        whole = {call.number: {name: getattr(call, name).tolist() for name in names} for call in calls}
        transport.send(TEXT, json.dumps(whole).encode())


async def main(port: int) -> None:
    global CLOCK
    CLOCK = Clock(asyncio.get_running_loop())
    server = await ws_create_server(
        lambda request: Control() if request.path.startswith(b"/ctl") else Realtime(),
        "127.0.0.1", port, websocket_handshake_timeout=10, max_frame_size=1 << 28,
    )  # fmt: skip
    gc.freeze()
    gc.disable()
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=9001)
    uvloop.install()
    asyncio.run(main(parser.parse_args().port))
