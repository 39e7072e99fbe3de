"""How the simulated agents behave, as data: the name of a temperament, what it does, and its options.

Every behaviour is a coroutine over an `Agent`; it ends when the person has nothing more to do but wait to be hung up.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from zlib import crc32

from calls.simulator.handset import Handset, IncomingCall, Speaker
from calls.simulator.phrases import PHRASES, VOICES, Meaning
from calls.simulator.sound import Sound
from calls.simulator.tones import sine

OPTIONS: dict[str, Any] = {
    "ring_seconds": 1.0,  # 0: answers or refuses without ringing
    "talk_seconds": 6.0,  # from the caller's first word; None: stays until hung up
    "reason": None,  # rejects: a key of phrases.py, or the reason as its table has it
    "phrase": None,  # accepts, redirects: a key of phrases.py
    "hello": None,  # whether he says "alô?" when he answers; None: as the temperament does
    "voice": None,  # an espeak-ng voice; None: by the number
    "after_seconds": None,  # interrupts, hangs_up: seconds into the speech
    "hold_seconds": 4.0,
    "answered_by": "accepts",  # two_phones: temperament of the one that answers
    "frequency": 900,  # tone: Hz
    "patience_seconds": 20.0,  # consent given and nobody speaks: hangs up
}

TOO_OFTEN = 2
"""Times a consent is said again when the announcer asks again."""


class Agent:
    """A person with a telephone, one call long."""

    def __init__(self, number: str, call: IncomingCall, options: dict[str, Any], speaker: Speaker, speed: float):
        self.call = call
        self.options = OPTIONS | options
        self._speed = speed
        self._dice = crc32(number.encode())
        self._speaker = speaker
        self._voice = self.options["voice"] or VOICES[self._dice % len(VOICES)]
        self.handset: Handset

    async def rings(self) -> None:
        seconds = self.options["ring_seconds"]
        if seconds > 0:
            await self.call.ring()
            await asyncio.sleep(seconds / self._speed)

    async def picks_up(self, *, hello: bool) -> None:
        await self.rings()
        self.handset = Handset(self.call.leg, self._voice, self._speaker)
        await self.call.answer()
        if self.options["hello"] if self.options["hello"] is not None else hello:
            await self.handset.pause(0.3)
            await self.speaks("alo")

    async def hears_out(self) -> None:
        """Until the announcer has spoken and finished, since this person last began to speak."""
        await self.handset.until(self.handset.asked)

    async def hears_some(self, seconds: float) -> None:
        """Until `seconds` of speech have been heard since then (option after_seconds)."""
        seconds = self.options["after_seconds"] or seconds
        await self.handset.until(lambda: self.handset.heard >= seconds)

    async def says(self, meaning: Meaning) -> None:
        """A phrase with this meaning: the option's, or one by the number."""
        await self.speaks(self.phrase(meaning))

    async def speaks(self, key: str) -> None:
        """What is heard from here on answers it; also what comes before it is at its end."""
        self.handset.forget()
        await self.handset.say(key)

    def phrase(self, meaning: Meaning) -> str:
        wanted = {Meaning.ACCEPT: self.options["phrase"], Meaning.REJECT: self.options["reason"]}.get(meaning)
        if wanted:
            return phrase_key(wanted)
        keys = [key for key, phrase in PHRASES.items() if phrase.meaning == meaning]
        return keys[self._dice // len(VOICES) % len(keys)]

    async def talks(self, again: Callable[[], Awaitable[None]]) -> None:
        """After the consent: wait for the caller, talk, hang up. `again` repeats the consent when asked again."""
        handset = self.handset

        def met_or_asked(listens: bool) -> bool:
            return handset.person > 0.2 or (listens and handset.asked())

        for left in reversed(range(TOO_OFTEN + 1)):
            handset.forget()
            came = await handset.until(partial(met_or_asked, left > 0), self.options["patience_seconds"])
            if not came or handset.person:
                break
            await again()
        if not handset.person:
            self.call.hangup()
            return
        seconds = self.options["talk_seconds"]
        chat = asyncio.create_task(self._chats())
        try:
            await handset.until(lambda: False, seconds)
        finally:
            chat.cancel()
        self.call.hangup()

    async def _chats(self) -> None:
        await self.handset.until(lambda: self.handset.quiet > 0.3, 4)
        await self.handset.say("em_que_posso_ajudar")
        while True:
            await self.handset.pause(2.5)
            await self.handset.until(lambda: self.handset.quiet > 0.3)
            await self.handset.say("deixa_eu_ver")


def phrase_key(wanted: str) -> str:
    """A key of PHRASES from itself or from the reason it stands for. Raises ValueError."""
    for key, phrase in PHRASES.items():
        if wanted == key or wanted == phrase.reason:
            return key
    raise ValueError(f"no phrase for {wanted!r}: one of {', '.join(PHRASES)}")


async def _consent(agent: Agent) -> None:
    async def speak() -> None:
        await agent.says(Meaning.ACCEPT)

    await speak()
    await agent.talks(speak)


async def accepts(agent: Agent) -> None:
    await agent.picks_up(hello=True)
    await agent.hears_out()
    await _consent(agent)


async def interrupts(agent: Agent) -> None:
    await agent.picks_up(hello=False)
    await agent.hears_some(1.5)
    await _consent(agent)


async def hesitates(agent: Agent) -> None:
    await agent.picks_up(hello=True)
    await agent.hears_out()
    await agent.says(Meaning.WHO)
    await agent.hears_out()
    await _consent(agent)


async def asks_then_rejects(agent: Agent) -> None:
    await agent.picks_up(hello=True)
    await agent.hears_out()
    await agent.says(Meaning.WHO)
    await agent.hears_out()
    await agent.says(Meaning.REJECT)


async def rejects(agent: Agent) -> None:
    await agent.picks_up(hello=True)
    await agent.hears_out()
    await agent.says(Meaning.REJECT)


async def redirects(agent: Agent) -> None:
    """Names another extension (option phrase; else one that nobody has); asked again, he says no."""
    await agent.picks_up(hello=True)
    await agent.hears_out()
    await agent.speaks(phrase_key(agent.options["phrase"] or "nao_existe_esse_ramal"))
    await agent.hears_out()
    await agent.says(Meaning.REJECT)


async def silent(agent: Agent) -> None:
    await agent.picks_up(hello=False)


async def hello_only(agent: Agent) -> None:
    await agent.picks_up(hello=True)


async def hangs_up(agent: Agent) -> None:
    await agent.picks_up(hello=True)
    await agent.hears_some(2.0)
    agent.call.hangup()


def presses(*digits: str) -> Callable[[Agent], Awaitable[None]]:
    async def behave(agent: Agent) -> None:
        await agent.picks_up(hello=False)
        for digit in digits:
            await agent.hears_out()
            agent.handset.forget()
            agent.call.dtmf(digit)

        async def again() -> None:
            agent.call.dtmf(digits[-1])

        if digits[-1] == "1":
            await agent.talks(again)

    return behave


async def voicemail(agent: Agent) -> None:
    await agent.picks_up(hello=False)
    await agent.handset.pause(0.5)
    await agent.says(Meaning.VOICEMAIL)
    await agent.handset.pause(1.2)
    await agent.handset.sound(Sound(sine(600, 1000)))


async def holds(agent: Agent) -> None:
    await agent.picks_up(hello=True)
    await agent.hears_out()
    agent.call.hold()
    await agent.handset.pause(agent.options["hold_seconds"])
    agent.call.unhold()
    await agent.handset.until(lambda: agent.handset.quiet > 0.7)
    await _consent(agent)


async def busy(agent: Agent) -> None:
    agent.call.reject("USER_BUSY")


async def declines(agent: Agent) -> None:
    agent.call.reject("CALL_REJECTED")


async def no_answer(agent: Agent) -> None:
    await agent.call.ring()


async def tone(agent: Agent) -> None:
    """A measuring device: a steady tone until it is hung up; with frequency 0, silence."""
    agent.options["hello"] = False
    await agent.picks_up(hello=False)
    if agent.options["frequency"]:
        await agent.handset.sound(Sound(sine(1000, agent.options["frequency"]), rounds=-1))


BEHAVIOURS: dict[str, Callable[[Agent], Awaitable[None]]] = {
    "accepts": accepts,
    "rejects": rejects,
    "hesitates": hesitates,
    "silent": silent,
    "busy": busy,
    "declines": declines,
    "no_answer": no_answer,
    "hangs_up": hangs_up,
    "presses_1": presses("1"),
    "presses_2": presses("2"),
    "presses_0": presses("0", "1"),
    "voicemail": voicemail,
    "holds": holds,
    "hello_only": hello_only,
    "interrupts": interrupts,
    "asks_then_rejects": asks_then_rejects,
    "redirects": redirects,
    "tone": tone,
}
"""What the one telephone of a number does. Two more temperaments say how many telephones there are: not_registered
(none) and two_phones (one rings for ever, the other behaves as answered_by says)."""

NAMES = (*BEHAVIOURS, "not_registered", "two_phones")
