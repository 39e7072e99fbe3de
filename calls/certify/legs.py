"""The people of the certificate: loopback legs of the switch, whose far halves speak and hear as we order.

    near half                            far half ("the person")
    a caller's call, an agent's line  <->  parked; tones are broadcast to it, its audio stream is its ear

Everything carries the run's mark, and a timer on the switch itself ends whatever has it, should we be gone.
"""

import asyncio
import contextlib
import time
from collections import Counter
from dataclasses import dataclass

from calls.certify.hearing import Ear
from calls.certify.listening import Ears
from calls.demo.esl import EslError, EventSocket, Headers

EVENTS = ("CHANNEL_ANSWER", "CHANNEL_PARK", "CHANNEL_HANGUP", "CUSTOM", "mod_audio_stream::play")
NET_SECONDS, NET_EVERY = 60, 20.0
ANSWERS, BUSY = "answers", "busy"
HOME = "m:^:set:transferhub_back=yes^park inline"
"""The way home: without blanks, so no dialplan is needed."""


def agent_leg(mark: str, number: str) -> str:
    """What is dialled in place of an extension whose number begins with what it does."""
    begins = f"m:^:set:transferhub_trial={mark}^set:transferhub_agent={number}"
    if number.startswith(BUSY):
        return f"{begins}^hangup:USER_BUSY"
    return f"{begins}^ring_ready^sleep:400^answer^park"


@dataclass
class Person:
    """One human being on a loopback leg. `near` is the half the product deals with."""

    esl: EventSocket
    near: str
    far: str
    answered_at: float
    """Monotonic seconds."""
    ear: Ear

    async def say(self, hertz: int, milliseconds: int) -> None:
        await self.esl.api(f"uuid_broadcast {self.far} tone_stream://%({milliseconds},0,{hertz}) aleg")

    async def keep_saying(self, hertz: int) -> None:
        await self.esl.api(f"uuid_broadcast {self.far} tone_stream://%(10000,0,{hertz});loops=-1 aleg")

    async def press(self, digit: str) -> None:
        await self.esl.api(f"uuid_send_dtmf {self.far} {digit}")

    async def hang_up(self) -> None:
        """As a telephone does: a half whose other half goes first leaves its conference before it hangs up."""
        with contextlib.suppress(EslError):  # gone already
            await self.esl.api(f"uuid_kill {self.near}")


class Switchboard:
    """The Event Socket, who is where, and the net beneath. Raises EslError, TimeoutError where it orders anything."""

    def __init__(self, esl: EventSocket, ears: Ears, mark: str):
        self.esl, self.ears, self.mark = esl, ears, mark
        self.parked: Counter[str] = Counter()
        """How often each leg was parked: a caller's second time is his way home."""
        self.gone: dict[str, float] = {}
        """When each leg hung up."""
        self.reports: dict[str, asyncio.Queue[str]] = {}
        """Bodies of mod_audio_stream::play, for the legs somebody asks about."""
        self._agents: dict[str, asyncio.Future[tuple[str, float]]] = {}
        self._net: asyncio.Task[None] | None = None
        self._nets = 0
        esl.watchers.append(self._event)

    async def open(self) -> None:
        await self._spread_net()
        self._net = asyncio.create_task(self._keep_net())

    async def leg(self, number: str = "0000") -> Person:
        """Somebody on the line, parked on both sides."""
        block = f"transferhub_trial={self.mark},origination_caller_id_number={number},ignore_early_media=true"
        answer = await self.esl.api(f"originate {{{block}}}loopback/m:^:answer^park/default/inline 'park:' inline")
        near = answer.removeprefix("+OK ").strip()
        far = await self.esl.api(f"uuid_getvar {near} other_loopback_leg_uuid")
        return Person(self.esl, near, far, time.monotonic(), await self.ears.on(self.esl, far))

    def expect(self, number: str) -> None:
        """The agent of this extension may be rung from now on."""
        self._agents[number] = asyncio.get_running_loop().create_future()

    async def agent(self, number: str, patience: float = 20.0) -> Person:
        """The agent, as soon as he has answered and can hear."""
        try:
            async with asyncio.timeout(patience):
                far, answered_at = await asyncio.shield(self._agents[number])
        except TimeoutError:
            raise TimeoutError(f"no agent's leg answered within {patience:g} s") from None
        ear = await self.ears.on(self.esl, far)
        near = await self.esl.api(f"uuid_getvar {far} other_loopback_leg_uuid")
        return Person(self.esl, near, far, answered_at, ear)

    async def variable(self, leg: str, name: str) -> str:
        """Empty when it is not set, or the leg is gone."""
        try:
            value = await self.esl.api(f"uuid_getvar {leg} {name}")
        except EslError:
            return ""
        return "" if value == "_undef_" else value

    async def clear(self) -> None:
        """Everything with our mark goes, and the net with it."""
        if self._net:
            self._net.cancel()
        await self.esl.api(f"hupall NORMAL_CLEARING transferhub_trial {self.mark}")
        for number in (self._nets - 1, self._nets):
            await self.esl.api(f"sched_del {self._net_name(number)}")

    # ------------------------------------------------------------ inside
    def _event(self, event: Headers, body: str) -> None:
        uuid, name = event.get("Unique-ID", ""), event.get("Event-Name", "")
        if name == "CHANNEL_ANSWER":
            agent = self._agents.get(event.get("variable_transferhub_agent", ""))
            if agent and not agent.done():
                agent.set_result((uuid, time.monotonic()))
        elif name == "CHANNEL_PARK":
            self.parked[uuid] += 1
        elif name == "CHANNEL_HANGUP":
            self.gone.setdefault(uuid, time.monotonic())
        elif event.get("Event-Subclass") == "mod_audio_stream::play" and uuid in self.reports:
            self.reports[uuid].put_nowait(body)

    async def _keep_net(self) -> None:
        while True:
            await asyncio.sleep(NET_EVERY)
            await self._spread_net()

    async def _spread_net(self) -> None:
        """A new one first, then the old one goes."""
        self._nets += 1
        order = f"hupall NORMAL_CLEARING transferhub_trial {self.mark}"
        await self.esl.api(f"sched_api +{NET_SECONDS} {self._net_name(self._nets)} {order}")
        await self.esl.api(f"sched_del {self._net_name(self._nets - 1)}")

    def _net_name(self, number: int) -> str:
        return f"th_{self.mark}_net{number}"
