"""The Event Socket's bytes -> blocks -> events. Pure; knows nothing of greenswitch or sockets.

A block is a header part that an empty line ends, and, when it has a Content-Length, a body of so many bytes. An
event is the body of a `text/event-plain` block: again headers (their values percent-encoded), and, when they have a
Content-Length of their own, a body (BACKGROUND_JOB, mod_audio_stream::*).

What a caller's telephone says of itself stands in these headers, so: lines end at \\n alone, they are split before
anything is decoded, and the first of two equal names counts.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote_to_bytes

MAX_HEADERS = 1 << 20  # bytes; a real event has about 4 kB
MAX_BODY = 64 << 20  # bytes; `show channels as json` has about 1 kB a call


class ProtocolError(Exception):
    """These bytes are no Event Socket."""


@dataclass(frozen=True, slots=True)
class Block:
    """One message of the socket: an answer, an envelope of an event, a notice. `body` is not decoded yet."""

    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def kind(self) -> str:
        return self.headers.get("Content-Type", "")

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def reply(self) -> str:
        """What a command was answered: the body of api/response, else the Reply-Text."""
        if self.kind == "api/response":
            return self.text
        return self.headers.get("Reply-Text", "")


@dataclass(frozen=True, slots=True)
class SwitchEvent:
    """One event. `name` is the Event-Subclass where Event-Name is CUSTOM, else the Event-Name."""

    name: str
    headers: Mapping[str, str]
    body: str = ""

    def get(self, header: str, default: str = "") -> str:
        return self.headers.get(header, default)

    @property
    def uuid(self) -> str:
        return self.headers.get("Unique-ID", "")

    @property
    def action(self) -> str:
        """The Action of conference::maintenance."""
        return self.headers.get("Action", "")

    @property
    def micros(self) -> int:
        """FreeSWITCH's own time of the event, microseconds since 1970; 0 where it says none."""
        return _number(self.headers.get("Event-Date-Timestamp", ""))


class BlockReader:
    """Cuts a stream of bytes, however it was torn, into blocks."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._headers: dict[str, str] | None = None
        self._wanted = 0
        self._searched = 0  # of the buffer: no end of headers begins before here

    @property
    def inside(self) -> bool:
        """A block has begun and not ended: the stream must not end here."""
        return self._headers is not None or bool(self._buffer.strip(b"\n"))

    def feed(self, data: bytes) -> list[Block]:
        """The blocks these bytes complete. Raises ProtocolError."""
        self._buffer += data
        blocks = []
        while (block := self._next()) is not None:
            blocks.append(block)
        return blocks

    def _next(self) -> Block | None:
        if self._headers is None:
            self._begin()
        if self._headers is None:
            return None
        if len(self._buffer) < self._wanted:
            return None
        body = bytes(self._buffer[: self._wanted])
        del self._buffer[: self._wanted]
        block, self._headers = Block(MappingProxyType(self._headers), body), None
        return block

    def _begin(self) -> None:
        while self._buffer[:1] == b"\n":
            del self._buffer[:1]
        end = self._buffer.find(b"\n\n", self._searched)
        if end > MAX_HEADERS or (end < 0 and len(self._buffer) > MAX_HEADERS):
            raise ProtocolError("headers without an end")
        if end < 0:
            self._searched = max(0, len(self._buffer) - 1)
            return
        self._searched = 0
        self._headers = _headers(bytes(self._buffer[:end]), decode=False)
        del self._buffer[: end + 2]
        self._wanted = _length(self._headers)


def parse_event(block: Block) -> SwitchEvent | None:
    """The event in a text/event-plain block; None for any other block."""
    if block.kind != "text/event-plain":
        return None
    head, _, rest = block.body.partition(b"\n\n")
    headers = _headers(head, decode=True)
    name = headers.get("Event-Name", "")
    if name == "CUSTOM":
        name = headers.get("Event-Subclass", "")
    try:
        body = rest[: _length(headers)]
    except ProtocolError:  # the block around it is sound, so the next one is found: no reason to leave the connection
        body = b""
    return SwitchEvent(name, MappingProxyType(headers), body.decode("utf-8", "replace"))


@dataclass(frozen=True, slots=True)
class JobResult:
    """The outcome of a bgapi command. `text` is what follows +OK or -ERR, e.g. a channel's uuid or USER_BUSY."""

    job_uuid: str
    ok: bool
    text: str


_CAUSE = re.compile(r"[0-9A-Z_]{1,64}\Z")


def job_result(event: SwitchEvent) -> JobResult:
    """Reads a BACKGROUND_JOB. Whatever is not +OK has failed; its text is a hangup cause, or ERROR."""
    line = event.body.strip().split("\n", 1)[0].strip()
    verdict, _, text = line.partition(" ")
    if verdict == "+OK":
        return JobResult(event.get("Job-UUID"), True, text.strip())
    cause = text.strip().upper()
    return JobResult(event.get("Job-UUID"), False, cause if verdict == "-ERR" and _CAUSE.match(cause) else "ERROR")


def json_object(text: str) -> dict[str, Any]:
    """The JSON object in a body (mod_audio_stream, `show … as json`), or {} when it is none."""
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def json_list(text: str) -> list[dict[str, Any]]:
    """The JSON objects of a list (`conference json_list`), or [] when it is none."""
    try:
        value = json.loads(text)
    except ValueError:
        return []
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _headers(head: bytes, *, decode: bool) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in head.split(b"\n"):
        name, colon, value = line.partition(b":")
        if not colon:
            continue
        value = value.strip(b" \r")
        raw = unquote_to_bytes(value) if decode else value
        headers.setdefault(name.strip(b" \r").decode("utf-8", "replace"), raw.decode("utf-8", "replace"))
    return headers


def _length(headers: Mapping[str, str]) -> int:
    raw = headers.get("Content-Length", "")
    if not raw:
        return 0
    if not (raw.isascii() and raw.isdigit()) or int(raw) > MAX_BODY:
        raise ProtocolError("a Content-Length that is none")
    return int(raw)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0
