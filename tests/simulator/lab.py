"""The telephones and the caller of the laboratory in which the recordings were made (its own domain is `lab`)."""

import asyncio
from dataclasses import dataclass

from calls.simulator.clock import Clock
from calls.simulator.endpoints import SoundMouth
from calls.simulator.switch import SimulatedSwitch

LAB_PROFILES = {"default": {"caller-controls": "none", "moh-sound": "tone_stream://%(200,1800,440);loops=-1"}}


@dataclass(frozen=True)
class LabTelephone:
    """What the laboratory's dialplan plays for one extension."""

    clock: Clock
    sound: str = "tone_stream://%(20000,0,900);loops=-1"
    rings: bool = False
    answers_after: float | None = 0.0
    refuses: str = ""

    async def invited(self, call) -> None:
        if self.refuses:
            call.reject(self.refuses)
            return
        if self.rings:
            await call.ring()
        if self.answers_after is not None:
            await self.clock.sleep(self.answers_after)
            await call.answer()
            call.leg.mouth = SoundMouth(self.sound)
        await call.ended.wait()


class LabDirectory:
    """The users 2001 to 2007, and 1009 whose telephone is not registered."""

    def __init__(self):
        self.clock = Clock()
        self.extra: dict[str, list[dict]] = {}

    def knows(self, number: str) -> bool:
        return number == "1009" or bool(self._options(number))

    def telephones(self, number: str) -> list[LabTelephone]:
        return [LabTelephone(self.clock, **options) for options in self._options(number)]

    def registered(self) -> list[str]:
        return []  # the laboratory's users have a dial string instead

    def _options(self, number: str) -> list[dict]:
        lab = {
            "2001": {},
            "2002": {"rings": True, "answers_after": 2.5},
            "2003": {"refuses": "USER_BUSY"},
            "2004": {"rings": True, "answers_after": None},
            "2005": {"refuses": "CALL_REJECTED"},
            "2006": {"sound": "tone_stream://%(20000,0,1300);loops=-1"},
            "2007": {"sound": "silence_stream://-1"},
        }
        return self.extra.get(number) or ([lab[number]] if number in lab else [])


class LabSwitch(SimulatedSwitch):
    """Gives out the uuids in `uuids` first: some recordings are about the digits of one."""

    uuids: tuple[str, ...] = ()

    def new_uuid(self) -> str:
        if not self.uuids:
            return super().new_uuid()
        uuid, *self.uuids = self.uuids
        return uuid


def lab_switch(speed: float = 20, **options) -> LabSwitch:
    directory = LabDirectory()
    options = {"profiles": LAB_PROFILES} | options
    switch = LabSwitch(phonebook=directory, speed=speed, **options)
    directory.clock = switch.clock
    return switch


async def call_in(switch: LabSwitch, extra: str = "", uuid: str = "") -> str:
    """A caller rings in and sits in the IVR. Returns the uuid of the A-leg, which may be given."""
    before = set(switch.channels)
    if uuid:
        switch.uuids = (switch.new_uuid(), uuid)
    answer = await switch.api(
        f"originate {{origination_caller_id_number=5511999990000,origination_caller_id_name=Maria{extra}}}"
        "sofia/phones/ivr@127.0.0.1:5060 &playback(tone_stream://%(20000,0,300);loops=-1)"
    )
    assert answer.startswith("+OK "), answer
    a_leg = next(c for c in switch.channels.values() if c.uuid not in before and c.direction == "inbound")
    async with asyncio.timeout(5):
        # Two things of another object, and no event for either.
        while a_leg.application[0] != "playback" or a_leg.leg.mouth is None:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
    return a_leg.uuid
