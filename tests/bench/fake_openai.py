"""A Realtime API as light as C allows, for measuring relays: `python -m tests.bench.fake_openai --port 9001`.

/v1/realtime   the API. A client that asks for responses (the product) gets the first at once, faster than it is spoken,
               and every later one at the pace of speech, 20 ms a delta, after an agent's turn. It goes on until the
               agent speaks into it, is complete then, and is followed by the next: as many deltas as a client gets
               that never asks (a bare relay), at that pace from its first audio on.
/ctl           "dump" -> JSON of every call: when audio came and went; "prepared" -> how many have their first response;
               "accepted" -> JSON of when each call's response.done with accept_transfer went out

With --agrees the announcement is long, whatever the agent says is told of as the API does, and every answer to it is a
call of accept_transfer.
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
TURN, LONGER = 150, 97  # of the others: three seconds and more, so that no two calls keep step, and until he speaks
ANSWER_AFTER, SPREAD = 1.0, 0.5  # seconds from the first audio to the agent's first turn; not all at once
LONG_ANNOUNCEMENT = 1000  # deltas, with --agrees
LISTENS_EVERY, SPOKEN = 5, 300  # frames; mean amplitude of speech
SPEECH_ENDS_AFTER = 5  # quiet looks of LISTENS_EVERY frames each
SPEECH_BEGINS_AFTER = 2  # loud ones: a relay that listens itself has heard it too
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
        self.loud_looks, self.quiet_looks, self.speaking = 0, 0, False
        self.accepted = 0
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
        if len(self.up_n) % LISTENS_EVERY == 0:
            self.listen(np.frombuffer(pybase64.b64decode(raw[begin:end]), "<i2"))
        if self.slot < 0:
            later = (self.number or 0) * 37 % 100 / 100 * SPREAD
            self.next_turn = at + int((ANSWER_AFTER + later) * 1e9)
            if self.talks_alone:
                self.left = 1 << 60
            CLOCK.join(self)

    def other(self, message: dict, raw: bytes) -> None:
        kind = message["type"]
        if kind == "session.update":
            if found := re.search(rb"call-(\d+)", raw):  # pipecat's first one names nobody
                self.number = int(found[1])
            self.say("session.updated", session={"type": "realtime", "object": "realtime.session"})
        elif kind == "conversation.item.retrieve":  # the product asks whether we live
            self.say("conversation.item.retrieved", item={"id": message["item_id"], "type": "message"})
        elif kind == "response.create":
            self.talks_alone = False
            self.responses += 1
            self.say("response.created", response={"id": f"resp_{self.responses}", "status": "in_progress"})
            if self.responses == 1:
                self.left = LONG_ANNOUNCEMENT if AGREES else ANNOUNCEMENT
                while self.left:
                    self.delta()
            elif AGREES:
                self.accept()
            else:
                self.left = TURN + (self.number or 0) * 37 % LONGER

    def delta(self) -> None:
        ids = b'"response_id":"resp_%d","item_id":"item_%d"' % (self.responses, self.responses)
        head = b'{"type":"response.output_audio.delta","event_id":"event_fake",' + ids
        audio = SPEECH[len(self.down_t) % len(SPEECH)]
        self.sent += SAMPLES
        self.down_t.append(now())
        self.down_n.append(self.sent)
        self.transport.send(TEXT, head + b',"output_index":0,"content_index":0,"delta":"' + audio + b'"}')
        self.left -= 1
        if not self.left and self.responses > 1 and not AGREES and not self.is_spoken_to:
            self.left = 1
        if not self.left:
            self.end()

    @property
    def is_spoken_to(self) -> bool:
        return self.loud_looks >= SPEECH_BEGINS_AFTER

    def end(self) -> None:
        self.ends.append(self.sent)
        ids = {"response_id": f"resp_{self.responses}", "item_id": f"item_{self.responses}", "content_index": 0}
        self.say("response.output_audio.done", **ids)
        self.say("response.output_audio_transcript.done", transcript="Maria quer um orçamento.", **ids)
        usage = {"total_tokens": 300, "input_tokens": 200, "output_tokens": 100, "output_token_details": {"text": 20}}
        done = {"id": f"resp_{self.responses}", "status": "completed", "output": [], "usage": usage}
        self.say("response.done", response=done)
        self.next_turn = now()

    def accept(self) -> None:
        call = {"id": "item_yes", "type": "function_call", "status": "completed", "name": "accept_transfer"}
        call |= {"call_id": f"yes_{self.responses}", "arguments": "{}"}
        self.accepted = now()
        done = {"id": f"resp_{self.responses}", "status": "completed", "output": [call], "usage": {}}
        self.say("response.done", response=done)

    def tick(self) -> None:
        """Every 20 ms, on this call's own millisecond."""
        if self.left:
            self.delta()
        if not self.left and self.is_spoken_to and not AGREES and now() >= (self.next_turn or 0):
            self.next_turn = now() + 1_000_000_000  # again, should it have no answer
            self.turn_begins()
            self.turn_ends("Quem é que quer falar comigo?")

    def listen(self, pcm: np.ndarray) -> None:
        loud = bool(np.abs(pcm.astype(np.int32)).mean() > SPOKEN)
        self.loud_looks, self.quiet_looks = (self.loud_looks + 1, 0) if loud else (0, self.quiet_looks + 1)
        if AGREES and loud and not self.speaking:
            self.turn_begins()
        elif self.speaking and self.quiet_looks >= SPEECH_ENDS_AFTER:
            self.turn_ends("Sim, pode passar.")

    def turn_begins(self) -> None:
        self.turns += 1
        self.speaking = True
        at = max(0, self.received // 24 - 300)
        self.say("input_audio_buffer.speech_started", item_id=f"turn_{self.turns}", audio_start_ms=at)

    def turn_ends(self, words: str) -> None:
        self.speaking = False
        item = f"turn_{self.turns}"
        self.say("input_audio_buffer.speech_stopped", item_id=item, audio_end_ms=self.received // 24)
        self.say("input_audio_buffer.committed", item_id=item, previous_item_id=None)
        said = "conversation.item.input_audio_transcription.completed"
        self.say(said, item_id=item, content_index=0, transcript=words)


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
        asked = frame.get_payload_as_bytes()
        if asked == b"prepared":
            transport.send(TEXT, json.dumps(sum(bool(call.ends) for call in calls)).encode())
            return
        if asked == b"accepted":
            transport.send(TEXT, json.dumps({call.number: call.accepted for call in calls if call.accepted}).encode())
            return
        names = ("up_t", "up_n", "down_t", "down_n", "ends")
        whole = {call.number: {name: getattr(call, name).tolist() for name in names} for call in calls}
        transport.send(TEXT, json.dumps(whole).encode())


async def main(port: int, agrees: bool) -> None:
    global CLOCK, AGREES
    AGREES = agrees
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
    parser.add_argument("--agrees", action="store_true")
    arguments = parser.parse_args()
    uvloop.install()
    asyncio.run(main(arguments.port, arguments.agrees))
