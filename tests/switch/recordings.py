"""The recorded traffic of a real FreeSWITCH (tests/recordings/*.jsonl), for the tests of this package."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from calls.switch.parsing import BlockReader, SwitchEvent, parse_event

FOLDER = Path(__file__).resolve().parent.parent / "recordings"
NAMES = sorted(path.stem for path in FOLDER.glob("*.jsonl"))


@dataclass(frozen=True)
class Line:
    at: float
    sent: bool
    text: str


def lines(name: str) -> list[Line]:
    rows = [json.loads(row) for row in (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
    return [Line(row["t"], row["dir"] == "sent", row["text"]) for row in rows]


def received(name: str) -> bytes:
    """All the switch sent, as one stream."""
    return b"".join(recounted(line.text) for line in lines(name) if not line.sent)


def recounted(text: str) -> bytes:
    """The block with lengths that fit: they were counted before addresses and paths in it were made anonymous."""
    head, blank, body = text.partition("\n\n")
    if "Content-Length" not in head:
        return text.encode()
    inner_head, inner_blank, inner = body.partition("\n\n")
    if "Event-Name: " in inner_head and "Content-Length: " in inner_head:
        body = _with_length(inner_head, inner) + inner_blank + inner
    return (_with_length(head, body) + blank + body).encode()


def _with_length(head: str, body: str) -> str:
    return re.sub(r"Content-Length: \d+", f"Content-Length: {len(body.encode())}", head)


def events(name: str) -> list[SwitchEvent]:
    return [event for block in BlockReader().feed(received(name)) if (event := parse_event(block))]
