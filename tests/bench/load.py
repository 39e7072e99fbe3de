"""Open-loop load: N simulated mod_audio_stream calls against a relay, one line of JSON as the result.

Each call sends one 20 ms frame of L16 mono on a strict schedule, whatever the relay does; one fifth of the time it is
speech. Latency is by sample position, so it holds across resampling and re-chunking:
up     from the send of a frame to the arrival at the fake API of the message that holds its middle sample
down   from the delta that completes a message to the arrival of that message; for clips: from the last delta of a
       response to the last clip
All clocks are this host's monotonic one. With --reports the calls are also a switch, which reports over the bus what it
does with each clip.
"""

import argparse
import asyncio
import gc
import json
import os
import re
import signal
import sys
import time
from array import array
from pathlib import Path

import numpy as np
import uvloop
from picows import WSListener, WSMsgType, ws_connect

FRAME_S = 0.02
CYCLE, SPOKEN = 100, 20  # frames: 0.4 s of speech every 2 s
WAV_HEADER = 44
RATE_OF_CLIP = re.compile(rb'"sampleRate": ?(\d+)')
now = time.monotonic_ns


def frames(rate: int) -> list[bytes]:
    """One cycle of an agent's voice."""
    random, size = np.random.default_rng(2), int(rate * FRAME_S)
    loudness = [2500 if at < SPOKEN else 6 for at in range(CYCLE)]
    return [np.clip(random.normal(0, rms, size), -32768, 32767).astype("<i2").tobytes() for rms in loudness]


class Call(WSListener):
    def __init__(self, number: int, voice: list[bytes], reports: "Reports | None"):
        self.number, self.voice, self.reports = number, voice, reports
        self.sent, self.late = array("q"), array("q")
        self.down_t, self.down_n, self.samples = array("q"), array("q"), 0
        self.lost = False
        self.clips, self.plays_until = 0, 0.0

    def on_ws_connected(self, transport):
        self.transport = transport

    def on_ws_disconnected(self, transport):
        self.lost = True

    def on_ws_frame(self, transport, frame):
        at, raw = now(), frame.get_payload_as_bytes()
        found = raw.find(b'"audioData"') if frame.msg_type == WSMsgType.TEXT else -1
        if found < 0:
            return
        begin = raw.find(b'"', found + 11) + 1
        end = raw.find(b'"', begin)
        size = (end - begin) // 4 * 3 - raw.count(b"=", end - 2, end)
        if raw.find(b'"wav"', 0, 100) >= 0:
            size -= WAV_HEADER
        samples = (size >> 1) * 24_000 // int(RATE_OF_CLIP.search(raw, 0, 120)[1])
        self.samples += samples
        self.down_t.append(at)
        self.down_n.append(self.samples)
        if self.reports:
            self.reports.clip(self, samples / 24_000)

    def send(self, due: int) -> None:
        at = now()
        voice = self.voice[(len(self.sent) + 13 * self.number) % CYCLE]
        self.sent.append(at)
        self.late.append(at - due)
        self.transport.send(WSMsgType.BINARY, voice)


class Reports:
    """What the switch process tells of clips, over the product's own bus."""

    def __init__(self, process_id: str) -> None:
        from calls import bus

        self._post = bus.Post(bus.process_group(process_id))

    def clip(self, call: Call, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        path = f"/tmp/agent-{call.number}_{call.clips}.tmp.wav"
        call.clips += 1
        call.plays_until = max(call.plays_until, loop.time()) + seconds
        self._tell(call, path, "ready")
        self._tell(call, path, "start")
        loop.call_at(call.plays_until, self._tell, call, path, "done")

    def _tell(self, call: Call, path: str, what: str) -> None:
        uuid = f"agent-{call.number}"
        self._post.put({"type": "playback", "uuid": uuid, "path": path, "what": what, "at_ms": 0})


class Clock:
    """One timer for all calls: every millisecond it sends the frames of that millisecond, late ones too."""

    def __init__(self, calls: list[Call], loop: asyncio.AbstractEventLoop) -> None:
        self._slots: list[list[Call]] = [[] for _ in range(20)]
        for at, call in enumerate(calls):
            self._slots[at * 20 // len(calls)].append(call)
        self._loop, self._count, self.running, self._began = loop, 0, True, now()
        self.tick()

    def tick(self) -> None:
        if not self.running:
            return
        while (due := self._began + self._count * 1_000_000) <= now():
            for call in self._slots[self._count % 20]:
                if not call.lost:
                    call.send(due)
            self._count += 1
        self._loop.call_later(0.001, self.tick)


def on_cpu(pid: int) -> tuple[int, int]:
    """(ns on a core, ns waited for one) of all threads of a process."""
    run = wait = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            ran, waited, _ = map(int, (task / "schedstat").read_text().split())
        except (FileNotFoundError, ProcessLookupError):
            continue
        run, wait = run + ran, wait + waited
    return run, wait


def memory_kb(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") // 1024


def up_latency(call: Call, heard: dict, t0: int, t1: int) -> tuple[np.ndarray, int]:
    """ms of every frame sent in [t0, t1), and how many never came."""
    sent, got_t, got_n = (np.asarray(x, dtype=np.int64) for x in (call.sent, heard["up_t"], heard["up_n"]))
    asked = np.nonzero((sent >= t0) & (sent < t1))[0]
    at = np.searchsorted(got_n, (asked + 0.5) * 24_000 * FRAME_S)
    there = at < len(got_t)
    return (got_t[at[there]] - sent[asked[there]]) / 1e6, int((~there).sum())


def down_latency(call: Call, spoken: dict, t0: int, t1: int, clips: bool) -> tuple[np.ndarray, int]:
    """ms of every message that came in [t0, t1), and how many responses (of a bare relay: deltas) never came whole."""
    sent_t, sent_n = (np.asarray(spoken[name], dtype=np.int64) for name in ("down_t", "down_n"))
    got_t, got_n = (np.asarray(x, dtype=np.int64) for x in (call.down_t, call.down_n))
    here = (got_t >= t0) & (got_t < t1)
    ends = np.asarray(spoken["ends"], dtype=np.int64)
    if clips:  # earlier ones are held back on purpose until they are long enough, or end where it is quiet
        here &= np.isin(got_n, ends)
    at = np.searchsorted(sent_n, got_n[here])
    there = at < len(sent_t)
    whole = ends if clips else sent_n[(sent_t >= t0) & (sent_t < t1)]
    due = whole[whole <= sent_n[np.searchsorted(sent_t, t1) - 1]] if len(sent_n) else whole
    missing = ~np.isin(due, got_n) if clips else due > call.samples  # a bare relay may send several deltas in one
    return (got_t[here][there] - sent_t[at[there]]) / 1e6, int(missing.sum())


def summary(parts: list[np.ndarray]) -> dict[str, float | None]:
    values = np.concatenate(parts) if parts else np.array([])
    if not len(values):
        return {"p50": None, "p99": None, "max": None}
    p50, p99 = np.percentile(values, [50, 99])
    return {"p50": round(float(p50), 3), "p99": round(float(p99), 3), "max": round(float(values.max()), 2)}


async def ask(url: str, what: bytes):
    answer = asyncio.get_running_loop().create_future()

    class Control(WSListener):
        def on_ws_frame(self, transport, frame):
            if not answer.done():
                answer.set_result(json.loads(frame.get_payload_as_bytes()))

    transport, _ = await ws_connect(Control, url, max_frame_size=1 << 28)
    transport.send(WSMsgType.TEXT, what)
    try:
        return await asyncio.wait_for(answer, 60)
    finally:
        transport.disconnect()


async def main(a: argparse.Namespace) -> None:
    idle_kb = memory_kb(a.pid)
    reports = Reports(a.reports) if a.reports else None
    voice = frames(a.rate)
    if reports:  # the announcements are made while the telephones ring
        from calls import bus

        os.kill(a.pid, signal.SIGUSR1)
        await bus.asend(bus.AUDIO, {"type": "audio.wake"})
        async with asyncio.timeout(60):
            while await ask(a.fake, b"prepared") < a.n:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
    calls = []
    for number in range(a.n):
        url = a.url.replace("{id}", f"call-{number}")
        _, call = await ws_connect(lambda n=number: Call(n, voice, reports), url, websocket_handshake_timeout=20)
        calls.append(call)
        await asyncio.sleep(0.005)
    clock = Clock(calls, asyncio.get_running_loop())
    gc.freeze()
    gc.disable()
    await asyncio.sleep(a.warmup)
    (run0, wait0), t0 = on_cpu(a.pid), now()
    await asyncio.sleep(a.seconds)
    (run1, wait1), t1 = on_cpu(a.pid), now()
    held = [max(0.0, call.plays_until - time.monotonic()) for call in calls]
    used_kb = memory_kb(a.pid)
    clock.running = False
    await asyncio.sleep(a.drain)
    result = measured(a, calls, await ask(a.fake, b"dump"), t0, t1) | {
        "cpu_ms_per_stream_s": round((run1 - run0) / (t1 - t0) / a.n * 1000, 3),
        "cpu_percent": round((run1 - run0) / (t1 - t0) * 100, 1),
        "waited_percent": round((wait1 - wait0) / (t1 - t0) * 100, 1),
        "memory_kb_per_stream": round((used_kb - idle_kb) / a.n),
        "playing_s_per_stream": round(sum(held) / a.n, 2),
        "load_average": round(os.getloadavg()[0], 1),
    }
    sys.stdout.write(json.dumps(result))
    sys.stdout.flush()
    os._exit(0)


def measured(a: argparse.Namespace, calls: list[Call], heard: dict, t0: int, t1: int) -> dict:
    up, down, late, up_missing, down_missing, silent = [], [], [], 0, 0, 0
    unsent, deltas = [], 0
    for call in calls:
        theirs = heard.get(str(call.number))
        if theirs is None or not theirs["up_t"]:
            silent += 1
            continue
        values, missing = up_latency(call, theirs, t0, t1)
        up.append(values)
        up_missing += missing
        values, missing = down_latency(call, theirs, t0, t1, bool(a.reports))
        down.append(values)
        silent += not call.samples
        down_missing += missing
        spoken = theirs["down_n"][-1] if theirs["down_n"] else 0
        deltas += sum(t0 <= at < t1 for at in theirs["down_t"])
        unsent.append(max(0, spoken - call.samples) / 24_000)
        sent = np.asarray(call.sent)
        late.append(np.asarray(call.late)[(sent >= t0) & (sent < t1)] / 1e6)
    return {
        "n": a.n, "rate": a.rate, "seconds": round((t1 - t0) / 1e9, 2),
        "up": summary(up), "down": summary(down), "late": summary(late),
        "up_missing": up_missing, "down_missing": down_missing,
        "deltas_per_stream_s": round(deltas / a.n / ((t1 - t0) / 1e9), 1),
        "silent_calls": silent, "lost_calls": sum(call.lost for call in calls),
        "unsent_s_per_stream": round(sum(unsent) / max(1, len(unsent)), 2),
    }  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True, help="of the relay, {id} for the call")
    parser.add_argument("--fake", required=True)
    parser.add_argument("--pid", type=int, required=True, help="of the relay")
    parser.add_argument("--n", type=int, default=25)
    parser.add_argument("--rate", type=int, default=24_000, choices=[8000, 16_000, 24_000])
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--warmup", type=float, default=3)
    parser.add_argument("--drain", type=float, default=0.5)
    parser.add_argument("--reports", default="", help="process id of the product's hub: report clips to it")
    uvloop.install()
    asyncio.run(main(parser.parse_args()))
