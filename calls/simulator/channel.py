"""One leg of a call: its variables, its life from CHANNEL_CREATE to CHANNEL_DESTROY, and what it executes."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from calls.simulator.applications import APPLICATIONS, Application
from calls.simulator.clock import FRAME
from calls.simulator.dialplan import Actions, expand
from calls.simulator.events import channel_headers, variable_headers
from calls.simulator.media import Leg
from calls.simulator.playback import Playback

if TYPE_CHECKING:
    from calls.simulator.audiostream import AudioStream
    from calls.simulator.conference import Member
    from calls.simulator.switch import SimulatedSwitch

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class CallerProfile:
    """Who calls whom, as the Caller-* headers of events tell it; every transfer makes a new one."""

    destination: str
    context: str
    dialplan: str = ""
    caller_name: str = ""
    caller_number: str = ""
    original_name: str = ""
    original_number: str = ""
    callee_name: str = ""
    callee_number: str = ""
    username: str = ""
    source: str = "mod_sofia"
    rdnis: str = ""
    transfer_source: str = ""
    index: int = 1


class Channel:
    """A channel. `direction` is inbound (somebody calls the switch) or outbound (the switch rings somebody)."""

    def __init__(
        self, switch: "SimulatedSwitch", name: str, direction: str, profile: CallerProfile, variables: dict[str, str]
    ):
        self.switch = switch
        self.uuid = variables.get("origination_uuid") or switch.new_uuid()
        self.name = name
        self.direction = direction
        self.profile = self.initial = profile
        self.variables = {"direction": direction, "uuid": self.uuid, "channel_name": name} | variables
        self.state = "CS_INIT"
        self.call_state = "DOWN" if direction == "outbound" else "RINGING"
        self.answer_state = "ringing"
        self.hangup_cause = ""
        self.hit_dialplan = direction == "inbound"
        self.created_at = switch.clock.now()
        self.answered_at = self.hung_up_at = 0.0
        self.application = ("", "")
        self.leg = Leg(self.uuid)
        self.playback = Playback(self)
        self.member: Member | None = None
        self.stream: AudioStream | None = None
        self.peer: Channel | None = None
        self.answered = asyncio.Event()
        self.far_end_hung_up = False
        """Whether the person at its telephone ended it, and not the switch."""
        self.gone = asyncio.Event()
        """Set as soon as the hangup begins; the channel exists a little longer."""
        self.on_change: list[Callable[[], None]] = []
        """Called at early media, answer and hangup."""
        self._ringing = False
        self._pending: tuple[str, str, str] | None = None
        self._running: asyncio.Task[None] | None = None
        self._application_task: asyncio.Task[None] | None = None

    @property
    def hung_up(self) -> bool:
        return bool(self.hangup_cause)

    def fire(
        self,
        name: str,
        extra: Iterable[tuple[str, str]] = (),
        *,
        variables: bool = True,
        subclass: str | None = None,
        body: str | None = None,
    ) -> None:
        headers = channel_headers(self) + (variable_headers(self) if variables else []) + list(extra)
        self.switch.fire(name, headers, subclass=subclass, body=body)

    # Life

    def create(self) -> None:
        self.switch.add_channel(self)
        self.fire("CHANNEL_CREATE")
        if self.direction == "outbound":
            self.state = "CS_CONSUME_MEDIA"

    def ring(self) -> None:
        if self.answer_state == "ringing" and not self._ringing:
            self._ringing, self.call_state = True, "RINGING"
            self.fire("CHANNEL_PROGRESS")
            if self.peer and self.direction == "inbound":
                self.peer.ring()

    def pre_answer(self) -> None:
        """Early media: sound before the answer, as parking an unanswered leg makes."""
        if self.answer_state == "ringing":
            self.answer_state, self.call_state = "early", "EARLY"
            self.fire("CHANNEL_PROGRESS_MEDIA")
            self._changed()
            if self.peer and self.direction == "inbound":
                self.peer.pre_answer()

    def answer(self) -> None:
        if self.answer_state in ("answered", "hangup"):
            return
        self.answer_state, self.answered_at = "answered", self.switch.clock.now()
        if self.direction == "outbound" and "is_loopback" not in self.variables:  # a telephone tells who answered
            account = self.variables.get("dialed_user", self.profile.destination)
            self.profile = replace(self.profile, callee_name=account, callee_number=account)
        self.fire("CHANNEL_ANSWER")
        self.call_state = "ACTIVE"
        self.answered.set()
        self._changed()
        if self.peer and self.direction == "inbound":
            self.peer.answer()

    def hangup(self, cause: str = "NORMAL_CLEARING") -> None:
        """Begins the end; what the channel executes notices at its next frame."""
        if self.hung_up:
            return
        self.hold(False)
        self.hangup_cause, self.hung_up_at = cause, self.switch.clock.now()
        self.answer_state = "hangup"
        self.fire("CHANNEL_HANGUP")
        self.variables["hangup_cause"] = cause
        self.gone.set()
        self._changed()
        if self._running:
            self._interrupt()
        else:
            self.switch.in_background(self._end())

    def _changed(self) -> None:
        for tell in self.on_change:
            tell()

    async def _end(self) -> None:
        self.playback.cut()
        await self.stop_stream()
        self.state, self.call_state = "CS_REPORTING", "HANGUP"
        if hook := self.variables.get("api_hangup_hook"):
            await self.switch.api(await self.expand(hook))
        self.fire("CHANNEL_HANGUP_COMPLETE")
        self.switch.remove_channel(self)
        self.fire("CHANNEL_DESTROY")
        if self.peer:
            self.switch.clock.later(FRAME, self.peer.hangup, self.hangup_cause)

    async def stop_stream(self) -> bool:
        stream, self.stream = self.stream, None
        if stream is None:
            return False
        await stream.stop()
        return True

    # Execution

    def transfer(self, destination: str, dialplan: str = "", context: str = "") -> None:
        """Sends the channel to another extension; what it executes is left at the next frame."""
        old = self.profile
        dialplan, context = dialplan or old.dialplan or "XML", context or old.context
        source = f"{int(self.switch.clock.now())}:{self.switch.new_uuid()}:bl_xfer:{destination}/{context}/{dialplan}"
        self.profile = replace(
            old,
            destination=destination,
            dialplan=dialplan,
            context=context,
            rdnis=old.destination,
            transfer_source=source,
            index=old.index + 1,
        )
        self.variables["transfer_source"] = source
        self._pending = (destination, dialplan, context)
        if self._running:
            self._interrupt()
        else:
            self.execute()

    def execute(self, actions: Actions | None = None) -> None:
        """Begins to run applications: `actions`, or what the dialplan has for the destination."""
        if self.direction == "outbound":
            self._flip_caller_id()
        if actions is None and self._pending is None:
            self._pending = (self.profile.destination, self.profile.dialplan, self.profile.context)
        self._running = self.switch.in_background(self._run(actions))

    def _flip_caller_id(self) -> None:
        # Behind originate the roles turn: who was called is now the caller on this leg.
        profile = self.profile
        self.profile = replace(
            profile,
            caller_name=profile.callee_name,
            caller_number=profile.callee_number,
            callee_name=profile.original_name,
            callee_number=profile.original_number,
        )

    async def _run(self, actions: Actions | None) -> None:
        await self.switch.clock.frame()
        self.state, self.hit_dialplan = "CS_EXECUTE", True
        while not self.hung_up:
            if actions is None:
                actions = self._hunt()
            if actions is None:
                self.hangup("NO_ROUTE_DESTINATION")
                break
            await self._execute(actions)
            actions = None
            if self._pending is None and not self.hung_up:
                self.hangup("NORMAL_CLEARING")
        await self._end()

    def _hunt(self) -> Actions | None:
        destination, dialplan, context = self._pending or ("", "", "")
        self._pending = None
        actions = self.switch.dialplan.hunt(destination, dialplan, context)
        if dialplan == "inline":
            # The inline dialplan puts the number dialled before back in its place.
            self.profile = replace(self.profile, destination=self.profile.rdnis, rdnis="")
        return actions

    async def _execute(self, actions: Actions) -> None:
        for application, data in actions:
            run = APPLICATIONS.get(application)
            if run is None:
                self.hangup("DESTINATION_OUT_OF_ORDER")
                return
            self.application = (application, data)
            self._application_task = asyncio.ensure_future(self._apply(run, application, data))
            await asyncio.wait([self._application_task])
            if self._failed(self._application_task):
                self.hangup("DESTINATION_OUT_OF_ORDER")
            if self.hung_up or self._pending:
                return

    async def _apply(self, run: Application, application: str, data: str) -> None:
        data = await self.expand(data)
        self.application = (application, data)
        self.variables |= {"current_application_data": data, "current_application": application}
        await run(self, data)

    @staticmethod
    def _failed(task: asyncio.Task[None]) -> bool:
        if task.cancelled() or task.exception() is None:
            return False
        logger.error("an application of a simulated channel failed", exc_info=task.exception())
        return True

    def _interrupt(self) -> None:
        task = self._application_task
        if task and not task.done():
            self.switch.clock.later(FRAME, task.cancel)

    async def kill(self) -> None:
        """Ends the channel without events, as a switch that dies does."""
        # What runs the applications goes first, else it would go on to the next of them.
        for task in (self._running, self._application_task):
            if task:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await task
        await self.stop_stream()
        self.hangup_cause = self.hangup_cause or "SYSTEM_SHUTDOWN"
        self.gone.set()

    # Variables and keys

    def variable(self, name: str) -> str:
        builtin = {"destination_number": self.profile.destination, "caller_id_number": self.profile.caller_number}
        return self.variables.get(name) or builtin.get(name, "")

    def set(self, name: str, value: str) -> None:
        """An empty value unsets, as in FreeSWITCH."""
        if value:
            self.variables[name] = value
        else:
            self.variables.pop(name, None)

    async def expand(self, text: str) -> str:
        return await expand(text, self.variable, self.switch.api)

    def press(self, digit: str, source: str = "RTP") -> None:
        """A key arrives; the event and the conference's own controls follow at the next frame."""
        self.switch.clock.later(FRAME, self._pressed, digit, source)

    def _pressed(self, digit: str, source: str) -> None:
        if self.hung_up:
            return
        headers = [("DTMF-Digit", digit), ("DTMF-Duration", "2000"), ("DTMF-Source", source)]
        self.fire("DTMF", headers, variables=False)
        if self.member:
            self.member.conference.pressed(self.member, digit)

    def hold(self, held: bool) -> None:
        """The telephone's own hold (a re-INVITE)."""
        if self.hung_up or self.leg.on_hold == held:
            return
        self.leg.on_hold = held
        self.call_state = "HELD" if held else "ACTIVE"
        self.fire("CHANNEL_HOLD" if held else "CHANNEL_UNHOLD")
