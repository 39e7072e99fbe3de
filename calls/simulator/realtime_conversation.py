"""The items of one simulated Realtime conversation, and what a client may do to them."""

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from calls.simulator.realtime_wire import Refusal


def new_id(kind: str) -> str:
    return f"{kind}_{uuid.uuid4().hex[:21]}"


@dataclass(eq=False)
class Item:
    """One item: as on the wire, and what the server alone knows."""

    wire: dict[str, Any]
    audio_ms: float = 0.0
    """Of the model's speech: what was sent, less what was truncated."""
    truncated: bool = False
    heard: asyncio.Future | None = None
    """Of the agent's speech: what was understood (a Heard), when it is."""

    @property
    def id(self) -> str:
        return self.wire["id"]

    @property
    def told(self) -> str | None:
        """What a system item says."""
        if self.wire.get("role") != "system":
            return None
        return " ".join(part.get("text", "") for part in self.wire["content"])


class Conversation:
    """Items in order. Every method that a client's event reaches raises Refusal where the API answers an error."""

    def __init__(self, send: Callable[..., None]):
        self.id = new_id("conv")
        self.items: list[Item] = []
        self._send = send

    @property
    def last(self) -> Item | None:
        return self.items[-1] if self.items else None

    @property
    def has_spoken(self) -> bool:
        return any(item.audio_ms for item in self.items)

    @property
    def cut_short(self) -> bool:
        """The last thing the model said was truncated."""
        said = [item for item in self.items if item.wire.get("role") == "assistant"]
        return bool(said) and said[-1].truncated

    def unanswered(self) -> list[Item]:
        """What the agent has said since the model last spoke or called a tool."""
        found = []
        for item in reversed(self.items):
            if item.wire.get("role") == "assistant" or item.wire["type"] == "function_call":
                break
            if item.heard:
                found.append(item)
        return found[::-1]

    def tool_called(self, call_id: str) -> str | None:
        """Name of the function that was called with this call_id."""
        calls = (item.wire for item in self.items if item.wire["type"] == "function_call")
        return next((wire["name"] for wire in calls if wire.get("call_id") == call_id), None)

    def add(self, item: Item, after: str | None = None) -> None:
        """At the end, after the item of that id, or at the beginning for "root"."""
        at = len(self.items)
        if after == "root":
            at = 0
        elif after:
            at = self.items.index(self._find(after, "create")) + 1
        self.items.insert(at, item)
        self._send("conversation.item.added", item=dict(item.wire), previous_item_id=self._before(item))

    def done(self, item: Item) -> None:
        if item in self.items:  # it may have been deleted while it was being made
            self._send("conversation.item.done", item=dict(item.wire), previous_item_id=self._before(item))

    def create(self, wanted: dict, after: str | None) -> None:
        wire = {"id": new_id("item"), "object": "realtime.item", "status": "completed", **wanted}
        if any(item.id == wire["id"] for item in self.items):
            raise Refusal("item_create_duplicate_item_id", f"The item '{wire['id']}' exists already.", "item.id")
        if wire["type"] == "function_call_output" and not self.tool_called(wire["call_id"]):
            message = f"No tool call found for function call output with call_id '{wire['call_id']}'."
            raise Refusal("invalid_tool_call_id", message, "item.call_id")
        item = Item(wire)
        self.add(item, after)
        self.done(item)

    def delete(self, item_id: str) -> None:
        self.items.remove(self._find(item_id, "delete"))
        self._send("conversation.item.deleted", item_id=item_id)

    def says(self, item_id: str, text: str | None) -> bool:
        """Whether this item is the model's, and these are its words."""
        items = [item for item in self.items if item.id == item_id and item.wire.get("role") == "assistant"]
        return any(part.get("transcript") == text for item in items for part in item.wire["content"])

    def retrieve(self, item_id: str) -> None:
        self._send("conversation.item.retrieved", item=dict(self._find(item_id, "retrieve").wire))

    def truncate(self, item_id: str, content_index: int, audio_end_ms: int) -> None:
        item = self._find(item_id, "truncate")
        if item.wire.get("role") != "assistant" or not item.audio_ms or audio_end_ms == 0:
            raise Refusal("unsupported_content_type", "Only model output audio messages can be truncated")
        if content_index != 0:
            raise Refusal("invalid_value", "There is no content part at this index.", "content_index")
        if audio_end_ms < 0:
            raise Refusal("integer_below_min_value", "Expected a value >= 0.", "audio_end_ms")
        if audio_end_ms > item.audio_ms:
            message = f"Audio content of {int(item.audio_ms)}ms is already shorter than {audio_end_ms}ms"
            raise Refusal("invalid_value", message, "audio_end_ms")
        item.audio_ms, item.truncated = audio_end_ms, True
        # What was not heard must not stay in the model's memory: the API drops the whole transcript.
        item.wire["content"] = [{"type": "output_audio"}]
        self._send("conversation.item.truncated", item_id=item_id, content_index=0, audio_end_ms=audio_end_ms)

    def _before(self, item: Item) -> str | None:
        at = self.items.index(item)
        return self.items[at - 1].id if at else None

    def _find(self, item_id: str, deed: str) -> Item:
        for item in self.items:
            if item.id == item_id:
                return item
        message = f"Error: cannot {deed}: the item with id '{item_id}' does not exist."
        raise Refusal(f"item_{deed}_invalid_item_id", message, "item_id")
