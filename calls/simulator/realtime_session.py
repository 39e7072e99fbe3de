"""One simulated Realtime session: its input audio and its turns. Speaks to an `emit`, knows no socket."""

import asyncio
import base64
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

from calls.simulator import realtime_model, realtime_settings
from calls.simulator.realtime_audio import Ear, Started, Stopped, TurnDetection, decode, wire_rate
from calls.simulator.realtime_conversation import Conversation, Item, new_id
from calls.simulator.realtime_faults import Fault
from calls.simulator.realtime_manner import PORTUGUESE, Manner
from calls.simulator.realtime_model import Call, Say, Turn
from calls.simulator.realtime_response import Pace, Response
from calls.simulator.realtime_wire import Refusal, parse
from calls.simulator.recogniser import UNCLEAR, WEIGHT, Heard

KEPT_EVENTS = 500
_SHORTEST_COMMIT_MS = 100


class RealtimeSession:
    """What the server keeps of a connection. The public attributes are the record that tests read."""

    def __init__(
        self,
        number: int,
        model: str,
        emit: Callable[[dict], None],
        faults: Callable[[], list[Fault]],
        *,
        pace: Pace = Pace(),  # noqa: B008 (frozen)
        preamble: bool = False,
        manner: Manner = PORTUGUESE,
    ):
        self.number = number
        """From 1, in the order of connecting."""
        self.model = model
        self.pace, self.manner = pace, manner
        self.received: deque[dict] = deque(maxlen=KEPT_EVENTS)
        """Client events in order, audio appends left out."""
        self.sent: Counter[str] = Counter()
        """Types of the server events."""
        self.errors: list[dict] = []
        self.heard: list[Heard] = []
        """What was understood, utterance by utterance."""
        self.tool_calls: list[tuple[str, dict]] = []
        self.said: list[str] = []
        self.heard_ms = 0
        self.close_code: int | None = None
        self._emit = emit
        self._faults = faults
        self._preamble = preamble
        self.id = new_id("sess")
        self.settings = realtime_settings.defaults(self.id, model)
        self.ear = self._new_ear()
        self.conversation = Conversation(self.send)
        self.active: Response | None = None
        self._others: set[Response] = set()
        self._tasks: set[asyncio.Task] = set()
        self._speech_item = ""
        self._announced: str | None = None
        self._idle_from_ms: int | None = None

    @property
    def instructions(self) -> str:
        return self.settings["instructions"]

    @property
    def appended_ms(self) -> int:
        return self.ear.now_ms

    def open(self) -> None:
        self.send("session.created", session=self.settings)

    def close(self) -> None:
        for response in [self.active, *self._others]:
            if response and response.task:
                response.task.cancel()
        for task in self._tasks:
            task.cancel()

    def fault(self, kind: str) -> Fault | None:
        return next((f for f in self._faults() if f.kind == kind and f.applies(self.number, self.instructions)), None)

    def receive(self, raw: str | bytes) -> None:
        """One message of the client."""
        event: dict = {}
        try:
            event = parse(raw, self.model)
            if event["type"] != "input_audio_buffer.append":
                self.received.append(event)
            getattr(self, "_" + event["type"].replace(".", "_"))(event)
        except Refusal as refusal:
            refusal.event_id = refusal.event_id or event.get("event_id")
            self._refuse(refusal)

    def send(self, kind: str, **fields: Any) -> None:
        self.sent[kind] += 1
        self._emit({"type": kind, "event_id": new_id("event"), **fields})

    def _refuse(self, refusal: Refusal) -> None:
        event = refusal.event()
        self.errors.append(event["error"])
        self.send("error", error=event["error"])

    @staticmethod
    def rate_limits() -> list[dict]:
        return [
            {"name": "requests", "limit": 20_000, "remaining": 19_999, "reset_seconds": 0.003},
            {"name": "tokens", "limit": 15_000_000, "remaining": 14_990_000, "reset_seconds": 0.04},
        ]

    def _conversation_item_create(self, event: dict) -> None:
        self.conversation.create(event["item"], event.get("previous_item_id"))

    def _conversation_item_delete(self, event: dict) -> None:
        if self.conversation.says(event["item_id"], self._announced):
            self._announced = None
        self.conversation.delete(event["item_id"])

    def _conversation_item_retrieve(self, event: dict) -> None:
        self.conversation.retrieve(event["item_id"])

    def _conversation_item_truncate(self, event: dict) -> None:
        self.conversation.truncate(event["item_id"], event["content_index"], event["audio_end_ms"])

    def _session_update(self, event: dict) -> None:
        change = event["session"]
        self.settings = realtime_settings.updated(
            self.settings, change, has_spoken=self.conversation.has_spoken, speaking=self.active is not None
        )
        if "input" in change.get("audio", {}):
            self._renew_ear()
        self.send("session.updated", session=self.settings)

    # Listening

    def _new_ear(self) -> Ear:
        heard = self.settings["audio"]["input"]
        detection = TurnDetection.of(heard["turn_detection"]) if heard["turn_detection"] else None
        return Ear(wire_rate(heard["format"]), detection)

    def _renew_ear(self) -> None:
        ear = self._new_ear()
        if ear.rate == self.ear.rate:
            self.ear.detection = ear.detection
        else:
            self.ear, self._idle_from_ms = ear, None

    def _input_audio_buffer_append(self, event: dict) -> None:
        audio = self.settings["audio"]["input"]
        before = self.ear.now_ms
        found = self.ear.append(decode(base64.b64decode(event["audio"]), audio["format"]))
        self.heard_ms += self.ear.now_ms - before
        for change in found:
            if isinstance(change, Started):
                self._speech_started(change, audio["turn_detection"])
            else:
                self._speech_stopped(change, audio["turn_detection"])
        self._watch_idleness(audio["turn_detection"])

    def _speech_started(self, change: Started, detection: dict) -> None:
        self._speech_item = new_id("item")
        self._idle_from_ms = None
        self.send("input_audio_buffer.speech_started", audio_start_ms=change.at_ms, item_id=self._speech_item)
        if self.active and detection["interrupt_response"]:
            self.active.cancel("turn_detected")

    def _speech_stopped(self, change: Stopped, detection: dict) -> None:
        self.send("input_audio_buffer.speech_stopped", audio_end_ms=change.at_ms, item_id=self._speech_item)
        self._commit(change.pcm, self._speech_item)
        if not detection["create_response"]:
            return
        if self.active:
            self._refuse(self._busy())
        else:
            self._respond({})

    def _watch_idleness(self, detection: dict | None) -> None:
        timeout = (detection or {}).get("idle_timeout_ms")
        if not timeout or self._idle_from_ms is None or self.active or self.ear.speaking:
            return
        now = self.ear.now_ms
        if now - self._idle_from_ms < timeout:
            return
        item_id = new_id("item")
        self.send(
            "input_audio_buffer.timeout_triggered",
            audio_start_ms=self._idle_from_ms,
            audio_end_ms=now,
            item_id=item_id,
        )
        self._idle_from_ms = None
        self._commit(self.ear.take(), item_id)
        self._respond({}, idle=True)

    def _input_audio_buffer_clear(self, event: dict) -> None:
        self.ear.take()
        self.send("input_audio_buffer.cleared")

    def _input_audio_buffer_commit(self, event: dict) -> None:
        if self.ear.buffered_ms < _SHORTEST_COMMIT_MS:
            raise Refusal(
                "input_audio_buffer_commit_empty",
                "Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, but buffer "
                f"only has {self.ear.buffered_ms:.2f}ms of audio.",
            )
        self._commit(self.ear.take(), new_id("item"))

    def _commit(self, pcm: bytes, item_id: str) -> None:
        content = [{"type": "input_audio", "transcript": None}]
        wire = {"id": item_id, "object": "realtime.item", "type": "message", "status": "completed", "role": "user"}
        item = Item({**wire, "content": content})
        last = self.conversation.last
        self.send("input_audio_buffer.committed", item_id=item_id, previous_item_id=last.id if last else None)
        self.conversation.add(item)
        self.conversation.done(item)
        item.heard = asyncio.get_running_loop().create_future()
        self._spawn(self._understand(item, pcm, self.ear.rate))

    async def _understand(self, item: Item, pcm: bytes, rate: int) -> None:
        heard = await asyncio.to_thread(self.manner.understand, pcm, rate)
        self.heard.append(heard)
        item.heard.set_result(heard)
        if not self.settings["audio"]["input"]["transcription"]:
            return
        place = {"item_id": item.id, "content_index": 0}
        if self.fault("no_transcript"):
            error = {"type": "server_error", "code": "server_error", "message": "Transcription failed.", "param": None}
            self.send("conversation.item.input_audio_transcription.failed", error=error, **place)
            return
        item.wire["content"][0]["transcript"] = heard.text
        if heard.text:
            self.send("conversation.item.input_audio_transcription.delta", delta=heard.text, **place)
        usage = {"type": "duration", "seconds": len(pcm) / 2 / rate}
        self.send("conversation.item.input_audio_transcription.completed", transcript=heard.text, usage=usage, **place)

    # Answering

    def _response_create(self, event: dict) -> None:
        wanted = event.get("response", {})
        out_of_band = wanted.get("conversation") == "none"
        if self.active and not out_of_band:
            raise self._busy()
        voice = wanted.get("audio", {}).get("output", {}).get("voice")
        if voice and voice != self.settings["audio"]["output"]["voice"] and self.conversation.has_spoken:
            message = "Cannot update a conversation's voice if assistant audio is present."
            raise Refusal("cannot_update_voice", message, "response.audio.output.voice")
        self._respond(wanted, out_of_band=out_of_band)

    def _response_cancel(self, event: dict) -> None:
        wanted = event.get("response_id")
        running = [response for response in (self.active, *self._others) if response]
        for response in running:
            if response.id == wanted or (wanted is None and response is self.active):
                response.cancel("client_cancelled")
                return
        raise Refusal("response_cancel_not_active", "Cancellation failed: no active response found")

    def _busy(self) -> Refusal:
        return Refusal(
            "conversation_already_has_active_response",
            f"Conversation already has an active response in progress: {self.active.id}. Wait until the response is "
            "finished before creating a new one.",
        )

    def _respond(self, wanted: dict, *, idle: bool = False, out_of_band: bool = False) -> None:
        settings = {**self.settings, **{key: value for key, value in wanted.items() if key != "audio"}}
        output = {**self.settings["audio"]["output"], **wanted.get("audio", {}).get("output", {})}
        settings["audio"] = {"output": output}
        last, unanswered = (None, []) if "input" in wanted else (self.conversation.last, self.conversation.unanswered())

        async def plan() -> list[Say | Call]:
            heard = [await item.heard for item in unanswered]
            # Of several utterances the one that says most counts, of equals the last.
            weightiest = max(reversed(heard), key=lambda one: WEIGHT.get(one.meaning, 0), default=None)
            exact = realtime_model.quoted(wanted.get("instructions"))
            if not out_of_band:
                self._announced = self._announced or exact
            return self._plan(settings, wanted.get("instructions"), last, weightiest, idle)

        response = Response(self, settings, plan, in_conversation=not out_of_band)
        if out_of_band:
            self._others.add(response)
        else:
            self.active = response
        self._idle_from_ms = None
        response.start()

    def _plan(
        self, settings: dict, wanted: str | None, last: Item | None, heard: Heard | None, idle: bool
    ) -> list[Say | Call]:
        choice = settings["tool_choice"]
        tools = [tool["name"] for tool in settings["tools"] if tool["type"] == "function" and choice != "none"]
        forced = choice["name"] if isinstance(choice, dict) else None
        after = None
        if last and last.wire["type"] == "function_call_output":
            after = self.conversation.tool_called(last.wire["call_id"])
        steps = realtime_model.answer(
            Turn(
                instructions=self.instructions,
                wanted=wanted,
                heard=heard,
                idle=idle,
                tools=tools,
                must_call=forced,
                after_tool=after,
                told=last.told if last else None,
                announced=self._announced,
                cut_short=self.conversation.cut_short,
                preamble=self._preamble,
            )
        )
        return self._misbehaved(steps, heard)

    def _misbehaved(self, steps: list[Say | Call], heard: Heard | None) -> list[Say | Call]:
        calls = [step for step in steps if isinstance(step, Call)]
        if calls and self.fault("both_tools"):
            return [Call("accept_transfer"), Call("reject_transfer", {"reason": "em reunião"})]
        if calls and self.fault("repeat_tool"):
            return [*steps, *calls]
        if (heard is None or heard == UNCLEAR) and not calls and self.fault("unprompted_accept"):
            return [*steps, Call("accept_transfer")]
        return steps

    def finished(self, response: Response) -> None:
        """Called by a response as it ends, before its response.done."""
        self._others.discard(response)
        if self.active is response:
            self.active = None
            # Idleness is counted from when the client has played all of it.
            begun = response.first_sound_ms if response.first_sound_ms is not None else self.ear.now_ms
            self._idle_from_ms = max(self.ear.now_ms, begun + int(response.sent_ms))

    def _spawn(self, work) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
