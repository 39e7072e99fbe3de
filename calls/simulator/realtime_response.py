"""One response of the simulated model on its way out: items, speech in deltas, tool calls, and how it ends."""

import asyncio
import base64
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from calls.simulator.realtime_audio import encode, wire_rate
from calls.simulator.realtime_conversation import Item, new_id
from calls.simulator.realtime_model import Call, Say

if TYPE_CHECKING:
    from calls.simulator.realtime_session import RealtimeSession

log = logging.getLogger(__name__)

TOKENS_PER_SECOND = 20
"""Audio tokens of a second of the model's speech: one per 50 ms."""
WORDS_PER_MINUTE = 165
# Voices that none of the simulated people has, so that an echo is not taken for an answer.
_FEMALE, _MALE = "pt-br+f5", "pt-br+m7"
_MALE_VOICES = {"ash", "ballad", "cedar", "echo", "verse"}


@dataclass(frozen=True)
class Pace:
    """How fast the simulated model is."""

    first_audio: float = 0.25
    """Seconds from response.created to the first sound or word."""
    delta: float = 0.2
    """Seconds of audio in one delta."""
    speed: float = 8.0
    """Times faster than real time that audio is sent."""


@dataclass(eq=False)
class Response:
    """Made by the session; `run` sends it, `cancel` ends it at once in good order."""

    session: "RealtimeSession"
    settings: dict[str, Any]
    """Effective: the session's with those of response.create over them."""
    plan: Callable[[], Awaitable[list[Say | Call]]]
    in_conversation: bool = True
    id: str = ""
    output: list[Item] = field(default_factory=list)
    task: asyncio.Task | None = None
    status: str = "in_progress"
    sent_ms: float = 0.0
    first_sound_ms: int | None = None
    """Audio time of the input when the first delta went out."""
    _close: Callable[[str], None] | None = None
    """Ends the item that is being sent."""

    def start(self) -> None:
        self.id = new_id("resp")
        self.session.send("response.created", response=self._wire())
        self.session.send("rate_limits.updated", rate_limits=self.session.rate_limits())
        self.task = asyncio.create_task(self._run())

    def cancel(self, reason: str) -> None:
        if self.status != "in_progress":
            return
        self.task.cancel()
        self._end("cancelled", {"type": "cancelled", "reason": reason})

    async def _run(self) -> None:
        try:
            await self._make()
        except Exception:
            log.exception("a simulated response failed")
            self._fail()

    async def _make(self) -> None:
        session, fault = self.session, self.session.fault
        steps = await self.plan()
        await asyncio.sleep(session.pace.first_audio)
        if fault("fail"):
            self._fail()
            return
        late = fault("late_audio")
        if late:
            await asyncio.sleep(late.after)
        if fault("mute"):
            await asyncio.Event().wait()
        for step in steps:
            if isinstance(step, Call):
                await self._call(step)
            elif self.settings["output_modalities"] == ["text"]:
                self._write(step.text)
            elif not await self._speak(step.text):
                self._end("incomplete", {"type": "incomplete", "reason": "max_output_tokens"})
                return
            if self.status != "in_progress":
                return
        self._end("completed", None)

    def _fail(self) -> None:
        error = {"type": "server_error", "code": "server_error", "message": "The server had an error."}
        self._end("failed", {"type": "failed", "error": error})

    def _end(self, status: str, details: dict | None) -> None:
        if self._close:
            self._close("incomplete")
        self.status = status
        self.session.finished(self)
        self.session.send("response.done", response=self._wire(details))

    async def _speak(self, text: str) -> bool:
        """Says it; False when the session's token limit cuts it off."""
        output = self.settings["audio"]["output"]
        rate = wire_rate(output["format"])
        voice = _MALE if output["voice"] in _MALE_VOICES else _FEMALE
        pace = int(WORDS_PER_MINUTE * output.get("speed", 1.0))
        audio = encode(await self.session.manner.speak(text, voice, rate, pace), output["format"])
        width = 2 if output["format"]["type"] == "audio/pcm" else 1
        per_delta = int(rate * self.session.pace.delta) * width
        limit = self.settings["max_output_tokens"]
        allowed = len(audio) if limit == "inf" else int(limit / TOKENS_PER_SECOND * rate) * width
        pieces = [audio[at : at + per_delta] for at in range(0, min(len(audio), allowed), per_delta)]

        item = self._begin({"type": "message", "role": "assistant", "content": []})
        part = {"type": "audio", "transcript": ""}
        place = {"item_id": item.id, "content_index": 0, "output_index": len(self.output) - 1}
        self._send("response.content_part.added", part=dict(part), **place)
        item.wire["content"] = [{"type": "output_audio", "transcript": ""}]

        def close(status: str) -> None:
            part["transcript"] = item.wire["content"][0]["transcript"]
            self._send("response.output_audio.done", **place)
            self._send("response.output_audio_transcript.done", transcript=part["transcript"], **place)
            self._send("response.content_part.done", part=dict(part), **place)
            self._done(item, status)

        self._close = close
        self.session.said.append(text)
        words = text.split(" ")
        written = 0
        for number, piece in enumerate(pieces, 1):
            # The words come ahead of the sound, as the real ones do.
            ahead = min(len(words), -(-len(words) * 2 * number // max(1, len(pieces))))
            for word in words[written:ahead]:
                delta = word if not item.wire["content"][0]["transcript"] else f" {word}"
                item.wire["content"][0]["transcript"] += delta
                self._send("response.output_audio_transcript.delta", delta=delta, **place)
            written = max(written, ahead)
            if self.first_sound_ms is None:
                self.first_sound_ms = self.session.ear.now_ms
            seconds = len(piece) / width / rate
            item.audio_ms += seconds * 1000
            self.sent_ms += seconds * 1000
            self._send("response.output_audio.delta", delta=base64.b64encode(piece).decode(), **place)
            await asyncio.sleep(seconds / self.session.pace.speed)
        if len(audio) > allowed:
            return False
        close("completed")
        return True

    def _write(self, text: str) -> None:
        item = self._begin({"type": "message", "role": "assistant", "content": []})
        place = {"item_id": item.id, "content_index": 0, "output_index": len(self.output) - 1}
        self.session.said.append(text)
        self._send("response.content_part.added", part={"type": "text", "text": ""}, **place)
        self._send("response.output_text.delta", delta=text, **place)
        item.wire["content"] = [{"type": "output_text", "text": text}]
        self._send("response.output_text.done", text=text, **place)
        self._send("response.content_part.done", part={"type": "text", "text": text}, **place)
        self._done(item, "completed")

    async def _call(self, call: Call) -> None:
        fault = self.session.fault
        arguments = "{não" if fault("bad_arguments") else json.dumps(call.arguments, ensure_ascii=False)
        wire = {"type": "function_call", "name": call.name, "call_id": new_id("call"), "arguments": ""}
        item = self._begin(wire)
        place = {"item_id": item.id, "output_index": len(self.output) - 1, "call_id": wire["call_id"]}

        def close(status: str) -> None:
            self._send("response.function_call_arguments.done", name=call.name, arguments=wire["arguments"], **place)
            self._done(item, status)

        self._close = close
        half = max(1, len(arguments) // 2)
        for delta in (arguments[:half], arguments[half:]):
            if delta:
                item.wire["arguments"] = wire["arguments"] = wire["arguments"] + delta
                self._send("response.function_call_arguments.delta", delta=delta, **place)
                await asyncio.sleep(0)
        if fault("incomplete_call"):
            self._end("incomplete", {"type": "incomplete", "reason": "max_output_tokens"})
        elif fault("cancelled_call"):
            self._end("cancelled", {"type": "cancelled", "reason": "turn_detected"})
        else:
            self.session.tool_calls.append((call.name, call.arguments))
            close("completed")

    def _begin(self, wire: dict) -> Item:
        item = Item({"id": new_id("item"), "object": "realtime.item", "status": "in_progress", **wire})
        self.output.append(item)
        self._send("response.output_item.added", output_index=len(self.output) - 1, item=dict(item.wire))
        if self.in_conversation:
            self.session.conversation.add(item)
        return item

    def _done(self, item: Item, status: str) -> None:
        self._close = None
        item.wire["status"] = status
        if self.in_conversation:
            self.session.conversation.done(item)
        self._send("response.output_item.done", output_index=self.output.index(item), item=dict(item.wire))

    def _send(self, kind: str, **fields: Any) -> None:
        self.session.send(kind, response_id=self.id, **fields)

    def _wire(self, details: dict | None = None) -> dict:
        settings = self.settings
        output = settings["audio"]["output"]
        return {
            "object": "realtime.response",
            "id": self.id,
            "status": self.status,
            "status_details": details,
            "output": [dict(item.wire) for item in self.output],
            "conversation_id": self.session.conversation.id if self.in_conversation else None,
            "output_modalities": settings["output_modalities"],
            "max_output_tokens": settings["max_output_tokens"],
            "audio": {"output": {"format": output["format"], "voice": output["voice"]}},
            "metadata": settings.get("metadata"),
            "usage": None if self.status == "in_progress" else self._usage(),
        }

    def _usage(self) -> dict:
        spoken = int(self.sent_ms / 1000 * TOKENS_PER_SECOND)
        written = sum(len(json.dumps(item.wire)) // 8 for item in self.output)
        text = len(self.settings.get("instructions") or "") // 4
        heard = self.session.heard_ms // 100
        return {
            "total_tokens": text + heard + spoken + written,
            "input_tokens": text + heard,
            "output_tokens": spoken + written,
            "input_token_details": {"text_tokens": text, "audio_tokens": heard, "cached_tokens": 0},
            "output_token_details": {"text_tokens": written, "audio_tokens": spoken},
        }
