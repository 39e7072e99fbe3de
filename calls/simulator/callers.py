"""The person on the caller's side of a simulated call.

Chosen by the channel variable `sim_caller`: "patient" (speaks now and then, talks with whoever comes, stays),
"impatient[:S]" (hangs up when nobody came within S seconds, 8 if not given), "hangs_up_after:S", "holds[:S]" (puts the
line on hold for S seconds, 3 if not given, then as patient), "silent", "tone:HZ". `sim_talk_seconds` ends the call that
long after the agent's first word, `sim_menu_seconds` that long after coming back to the menu; `sim_voice` is his voice.
"""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import TypeVar

from calls.simulator.handset import Handset, IncomingCall, Speaker, live
from calls.simulator.phrases import VOICES
from calls.simulator.sound import Sound
from calls.simulator.speech import spoken
from calls.simulator.tones import sine

T = TypeVar("T")

EVERY = 3.0
"""Seconds between two sentences of a caller."""


class CallerTelephone:
    """A caller whose call is already answered: `invited` only lives on the line until the call has ended."""

    def __init__(self, variables: Mapping[str, str], *, speaker: Speaker = spoken):
        """Raises ValueError for an unknown `sim_caller` or a number that is none."""
        kind, _, argument = variables.get("sim_caller", "patient").partition(":")
        if kind not in ("patient", "impatient", "hangs_up_after", "holds", "silent", "tone"):
            raise ValueError(f"no simulated caller is called {kind!r}")
        self._kind = kind
        self._argument = float(argument) if argument else None
        self._talk_seconds = _seconds(variables, "sim_talk_seconds")
        self._menu_seconds = _seconds(variables, "sim_menu_seconds")
        self._voice = variables.get("sim_voice", VOICES[1])
        self._speaker = speaker

    async def invited(self, call: IncomingCall) -> None:
        handset = Handset(call.leg, self._voice, self._speaker)
        await live(call, self._behave(call, handset))

    async def _behave(self, call: IncomingCall, handset: Handset) -> None:
        if self._kind == "tone":
            await handset.sound(Sound(sine(1000, self._argument or 300), rounds=-1))
        elif self._kind == "hangs_up_after":
            await self._while_speaking(handset, handset.pause(self._argument or 0.0))
            call.hangup()
        elif self._kind == "impatient":
            met = handset.until(lambda: handset.person > 0, self._argument or 8.0)
            if await self._while_speaking(handset, met):
                await self._talks(call, handset)
            else:
                call.hangup()
        elif self._kind != "silent":
            if self._kind == "holds":
                await handset.pause(2.0)
                call.hold()
                await handset.pause(self._argument or 3.0)
                call.unhold()
            await self._talks(call, handset)
        else:
            await self._leaves(call, handset)

    async def _talks(self, call: IncomingCall, handset: Handset) -> None:
        await self._while_speaking(handset, self._leaves(call, handset))

    async def _leaves(self, call: IncomingCall, handset: Handset) -> None:
        """Hang up when the talk or the menu has lasted as long as it should; else stay for ever."""
        ends = [self._ends_talk(handset), self._ends_menu(handset)]
        tasks = [asyncio.ensure_future(end) for end in ends]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
        call.hangup()

    async def _ends_talk(self, handset: Handset) -> None:
        await handset.until(lambda: self._talk_seconds is not None and handset.person > 0)
        await handset.pause(self._talk_seconds or 0.0)

    async def _ends_menu(self, handset: Handset) -> None:
        # He was in the menu before too: what counts is its sound after music or a voice elsewhere.
        await handset.until(lambda: self._menu_seconds is not None and handset.music + handset.heard > 0)
        handset.menu = 0.0
        await handset.until(lambda: handset.menu > 0)
        await handset.pause(self._menu_seconds or 0.0)

    async def _while_speaking(self, handset: Handset, ending: Awaitable[T]) -> T:
        """Say a sentence now and then, and answer whoever speaks, until `ending` is done; its result."""
        speaking = asyncio.ensure_future(self._speaks(handset))
        try:
            return await ending
        finally:
            speaking.cancel()

    async def _speaks(self, handset: Handset) -> None:
        await handset.pause(0.5)
        while True:
            await handset.until(lambda: handset.quiet > 0.5)
            await handset.say("queria_um_orcamento" if handset.person else "estou_aguardando")
            await handset.pause(EVERY)


def _seconds(variables: Mapping[str, str], name: str) -> float | None:
    return float(variables[name]) if variables.get(name) else None
