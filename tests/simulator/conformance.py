"""Drives the simulator with the sent side of a recording, and lines up what came back with what was recorded.

Everything recorded is translated into the run's own uuids, ids and paths before it is compared.
"""

import base64
import io
import json
import re
import wave
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from websockets.asyncio.server import ServerConnection, serve

from calls.simulator.channel import Channel
from tests.simulator.eslclient import Block, EventSocket
from tests.simulator.lab import LabSwitch, call_in

RECORDED_TMP = "/var/lib/freeswitch/tmp"
RECORDED_AUDIO = "ws://127.0.0.1:8765"
SAME_TIME = 0.05
"""FreeSWITCH's threads look once in 20 ms each: what lies closer together than this came in no particular order."""
ORDERED_BEFORE = 0.3
"""Seconds within which an order is carried out; what comes later was not ordered."""
PATIENCE = 10.0


@dataclass
class Item:
    at: float
    sent: str = ""
    block: Block | None = None

    @property
    def action(self) -> str | None:
        return self.block.event.get("Action") if self.block else None


@dataclass
class Recording:
    items: list[Item]

    @classmethod
    def load(cls, path: Path, left_out: str = "") -> "Recording":
        """`left_out` is an Action whose events are taken for not recorded."""
        items = []
        for line in path.read_text().splitlines():
            row = json.loads(line)
            if row["dir"] == "sent":
                items.append(Item(row["t"], sent=row["text"]))
            else:
                items.append(Item(row["t"], block=Block.parse(row["text"])))
        return cls([item for item in items if not (left_out and item.action == left_out)])

    @property
    def events(self) -> list[Item]:
        return [item for item in self.items if item.block and item.block.is_event]

    @property
    def caller(self) -> str | None:
        """The A-leg, which existed before the recording began."""
        for item in self.events:
            if item.block.event.get("Call-Direction") == "inbound":
                return item.block.event["Unique-ID"]
        return self._listed("inbound")

    @property
    def callers_own_end(self) -> str | None:
        return self._listed("outbound")

    def _listed(self, direction: str) -> str | None:
        bodies = " ".join(item.block.body for item in self.replies)
        found = re.search(rf'"uuid":"([^"]+)","direction":"{direction}"', bodies)
        return found[1] if found else None

    @property
    def replies(self) -> list[Item]:
        return [item for item in self.items if item.block and not item.block.is_event]

    def length_of_clip(self, path: str) -> float:
        """Seconds; what was cut off by an order was longer than it lasted."""
        told = [item for item in self.events if item.block.event.get("File") == path]
        if len(told) < 2:
            return 1.5
        start, end = told[0].at, told[-1].at
        orders = [item.sent for item in self.items if item.sent and 0 < end - item.at < 0.06]
        cut = any("stop" in order or "kill" in order for order in orders)
        return 5.0 if cut else max(0.1, round(end - start - 0.04, 2))


class AudioServer:
    """The other end of mod_audio_stream: takes the frames and speaks when it is told to."""

    def __init__(self):
        self.connections: dict[str, ServerConnection] = {}
        self.frames: dict[str, int] = defaultdict(int)

    async def start(self) -> str:
        self._server = await serve(self._handle, "127.0.0.1", 0, compression=None)
        return f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _handle(self, connection: ServerConnection) -> None:
        path = connection.request.path
        self.connections[path] = connection
        async for message in connection:
            self.frames[path] += isinstance(message, bytes)

    async def speak(self, path: str, seconds: float) -> None:
        sound = base64.b64encode(wav(seconds)).decode()
        data = {"audioDataType": "wav", "sampleRate": 24000, "audioData": sound}
        await self.connections[path].send(json.dumps({"type": "streamAudio", "data": data}))


def wav(seconds: float, rate: int = 24000) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(b"\x00\x10\x00\xf0" * int(seconds * rate / 2))
    return out.getvalue()


def party(event: dict[str, str]) -> str:
    """Whose story an event belongs to: a leg, its audio stream, a job, a conference. Order within one never varies."""
    who = event.get("Unique-ID") or event.get("Job-UUID") or event["Conference-Name"]
    return f"{who} stream" if "mod_audio_stream" in (event.get("Event-Subclass") or "") else who


@dataclass
class Run:
    """One recording against one simulator."""

    recording: Recording
    switch: LabSwitch
    left_out: str = ""
    audio: AudioServer = field(default_factory=AudioServer)
    words: dict[str, str] = field(default_factory=dict)
    replies: list[Block] = field(default_factory=list)
    events: list[Block] = field(default_factory=list)
    streams: dict[str, str] = field(default_factory=dict)

    async def play(self) -> None:
        self.words[RECORDED_AUDIO] = await self.audio.start()
        self.words[RECORDED_TMP] = str(self.switch.tmp_dir)
        (self.switch.tmp_dir / "prompt.wav").write_bytes(wav(1.5))
        if self.recording.caller:
            self.words[self.recording.caller] = await call_in(self.switch, uuid=self.recording.caller)
            if own_end := self.recording.callers_own_end:
                self.words[own_end] = self.switch.channels[self.recording.caller].peer.uuid
        self.client = await EventSocket.connect(self.switch.port, None)
        self.replies.append(Block({"Content-Type": "auth/request"}))
        try:
            await self._follow()
        finally:
            await self.client.close()
            await self.audio.stop()

    async def _follow(self) -> None:
        awaited: list[Item] = []
        for item in self.recording.items[1:]:
            if item.sent:
                await self._until_seen(awaited)
                command = self.translated(item.sent)
                self._note_stream(item.sent)
                self.client.write(command)
            elif item.block.is_event:
                await self._provoke(item, awaited)
                awaited.append(item)
            else:
                self.replies.append(await self.client.reply(PATIENCE))
                self._learn_leg(item.block.body, self.replies[-1].body)
                if "Job-UUID" in item.block.headers:
                    self.words[item.block.headers["Job-UUID"]] = self.replies[-1].headers["Job-UUID"]
        await self._until_seen(awaited)
        self.events = self._of_the_switch(self._as_far_as_recorded(awaited))

    def _as_far_as_recorded(self, awaited: list[Item]) -> list[Block]:
        """The run goes on after its recording was cut off: what follows the last recorded event is not compared."""
        counts: dict[str, int] = defaultdict(int)
        for place, block in enumerate(self.client.events):
            self._count(block, counts)
            if not self._missing(awaited, counts):
                return self.client.events[: place + 1]
        return list(self.client.events) if awaited else []

    def _of_the_switch(self, events: list[Block]) -> list[Block]:
        """The recordings leave out the telephones' own ends; here only the caller has one."""
        return [block for block in events if not block.event.get("Channel-Name", "").startswith("sofia/phones/")]

    def _learn_leg(self, recorded: str, seen: str) -> None:
        """An originate that was waited for names its leg."""
        legs = [re.fullmatch(r"\+OK ([0-9a-f-]{36})\n", body) for body in (recorded, seen)]
        if all(legs):
            self.words[legs[0][1]] = legs[1][1]

    def _note_stream(self, sent: str) -> None:
        if match := re.search(r"uuid_audio_stream (\S+) start ws://[^/]+(\S+)", sent):
            self.streams[match[1]] = match[2]

    async def _provoke(self, item: Item, awaited: list[Item]) -> None:
        """What the audio server did in the recording, the one of this run does now."""
        event = item.block.event
        path = self.streams.get(event.get("Unique-ID", ""))
        if event.get("Event-Subclass") == "mod_audio_stream::play":
            await self._until_seen(awaited)
            await self.audio.speak(path, self.recording.length_of_clip(json.loads(item.block.body)["file"]))
        elif event.get("Event-Subclass") == "mod_audio_stream::json":
            await self._until_seen(awaited)
            await self.audio.connections[path].send(item.block.body)
        elif event.get("Event-Subclass") == "mod_audio_stream::disconnect":
            await self._until_seen(awaited)
            reason = json.loads(item.block.body)["message"]
            await self.audio.connections[path].close(reason["code"], reason["reason"])
        elif deed := self._deed_of_a_telephone(item):
            await self._until_seen(awaited)
            deed(self.switch.channels[self.translated(event["Unique-ID"])])

    def _deed_of_a_telephone(self, item: Item) -> Callable[[Channel], None] | None:
        """What no order of the recording explains, somebody did with his telephone."""
        event = item.block.event
        match event["Event-Name"]:
            case "CHANNEL_HOLD":
                return lambda leg: leg.hold(True)
            case "CHANNEL_UNHOLD" if not self._ends_now(item):
                return lambda leg: leg.hold(False)
            case "DTMF" if not self._ordered(item, "dtmf"):
                return lambda leg: leg.press(event["DTMF-Digit"])
            case "CHANNEL_HANGUP" if self._said_goodbye(item) and not self._ordered(item, "uuid_kill"):
                return lambda leg: leg.hangup()
        return None

    def _said_goodbye(self, item: Item) -> bool:
        """Only what comes behind the hangup tells that it was the telephone's (BYE)."""
        leg = item.block.event["Unique-ID"]
        events = (other.block.event for other in self.recording.events)
        return any(
            event.get("variable_sip_hangup_disposition") == "recv_bye" for event in events if party(event) == leg
        )

    def _ends_now(self, item: Item) -> bool:
        leg = item.block.event["Unique-ID"]
        ends = (other.at - item.at for other in self.recording.events if _is_hangup_of(other.block.event, leg))
        return any(0 <= later < SAME_TIME for later in ends)

    def _ordered(self, item: Item, word: str) -> bool:
        return any(0 <= item.at - other.at < ORDERED_BEFORE and word in other.sent for other in self.recording.items)

    async def _until_seen(self, items: list[Item]) -> None:
        def seen(events: list[Block]) -> bool:
            self._learn(items, events)
            counts = defaultdict(int)
            for block in events:
                self._count(block, counts)
            return not self._missing(items, counts)

        try:
            await self.client.until(seen, PATIENCE)
        except TimeoutError:
            counts = defaultdict(int)
            for block in self.client.events:
                self._count(block, counts)
            came = "\n  ".join(_short(block) for block in self.client.events)
            raise AssertionError(f"never came: {self._missing(items, counts)}\ncame:\n  {came}") from None

    def _count(self, block: Block, counts: dict[str, int]) -> None:
        if not self.left_out or block.event.get("Action") != self.left_out:
            counts[party(block.event)] += 1

    def _missing(self, items: list[Item], counts: dict[str, int]) -> list[str]:
        left, missing = dict(counts), []
        for item in items:
            who = self.translated(party(item.block.event))
            left[who] = left.get(who, 0) - 1
            if left[who] < 0:
                missing.append(_short(item.block))
        return missing

    def _learn(self, items: list[Item], events: list[Block]) -> None:
        """Legs of one name correspond in the order of their creation, members in the order in which they came in."""
        met: dict[tuple[str, str], deque[dict[str, str]]] = defaultdict(deque)
        for block in events:
            met[_named(block.event)].append(block.event)
        for event in (item.block.event for item in items):
            header, _ = kind = _named(event)
            if header and met[kind]:
                self.words[event[header]] = met[kind].popleft()[header]

    def translated(self, text: str) -> str:
        """Recorded text in the run's own words."""
        if not self.words:
            return text
        known = sorted(self.words, key=len, reverse=True)
        pattern = "|".join(rf"(?<![\w-]){re.escape(word)}(?!\d)" for word in known)
        return re.sub(pattern, lambda match: self.words[match[0]], text)


def _named(event: dict[str, str]) -> tuple[str, str]:
    """The header that is told for the first time, and whose it is."""
    if event.get("Event-Name") == "CHANNEL_CREATE":
        return "Unique-ID", event["Channel-Name"]
    return ("Member-ID" if event.get("Action") == "add-member" else ""), ""


def _is_hangup_of(event: dict[str, str], leg: str) -> bool:
    return event["Event-Name"] == "CHANNEL_HANGUP" and event["Unique-ID"] == leg


def _short(block: Block) -> str:
    event = block.event
    kind = event.get("Action") or event.get("Event-Subclass") or event.get("Event-Name")
    return f"{kind} {party(event)[:8]} {block.body[:60]!r}"
