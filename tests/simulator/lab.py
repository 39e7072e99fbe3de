"""The telephones and the caller of the laboratory in which the recordings were made (its own domain is `lab`)."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

from calls.simulator.clock import Clock
from calls.simulator.directory import REGISTERED_ONLY
from calls.simulator.endpoints import SoundMouth
from calls.simulator.switch import SimulatedSwitch
from tests.simulator.eslclient import Block, EventSocket

LAB_PROFILES = {"default": {"caller-controls": "none", "moh-sound": "tone_stream://%(200,1800,440);loops=-1"}}


@dataclass(frozen=True)
class LabTelephone:
    """What the laboratory's dialplan plays for one extension."""

    clock: Clock
    sound: str = "tone_stream://%(20000,0,900);loops=-1"
    rings: bool = False
    answers_after: float | None = 0.0
    refuses: str = ""
    contact: str = ""
    """USER@HOST:PORT of its registration; by default that of its number."""

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


TWO_REGISTRATIONS = [
    {"rings": True, "answers_after": 2.0, "contact": "gw+mobile@127.0.0.1:5082", "sound": "silence_stream://-1"},
    {"rings": True, "answers_after": None, "contact": "gw+deskphone@127.0.0.1:5080"},
]
"""Of 2013: one is answered, the other rings for ever."""


class LabDirectory:
    """The users 2001 to 2007, 2013 with two registrations, 2050, and 1009 whose telephone is not registered."""

    def __init__(self):
        self.clock = Clock()
        self.extra: dict[str, list[dict]] = {}

    def knows(self, number: str) -> bool:
        return number == "1009" or bool(self._options(number))

    def telephones(self, number: str) -> list[LabTelephone]:
        return [LabTelephone(self.clock, **options) for options in self._options(number)]

    def dial_string(self, number: str) -> str:
        fixed = self._options(number) and number != "2013"
        return f"sofia/internal/{number}@127.0.0.1:5080" if fixed else REGISTERED_ONLY

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
            "2050": {"rings": True, "contact": "2050@127.0.0.1:5090"},
        }
        if number == "2013" and number not in self.extra:
            return TWO_REGISTRATIONS
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
    switch.globals.clear()
    return switch


LAB_CALLER = "&playback(tone_stream://%(20000,0,300);loops=-1)"
"""As the laboratory dialled it. The data ends at the first closing parenthesis: such a caller hangs up after 20 s."""


async def call_in(switch: LabSwitch, extra: str = "", application: str = LAB_CALLER, uuid: str = "") -> str:
    """A caller rings in and sits in the IVR. Returns the uuid of the A-leg, which may be given."""
    before = set(switch.channels)
    if uuid:
        switch.uuids = (switch.new_uuid(), uuid)
    answer = await switch.api(
        f"originate {{origination_caller_id_number=5511999990000,origination_caller_id_name=Maria{extra}}}"
        f"sofia/phones/ivr@127.0.0.1:5060 {application}"
    )
    assert answer.startswith("+OK "), answer
    a_leg = next(c for c in switch.channels.values() if c.uuid not in before and c.direction == "inbound")
    async with asyncio.timeout(5):
        # Two things of another object, and no event for either.
        while a_leg.application[0] != "playback" or a_leg.leg.mouth is None:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
    return a_leg.uuid


WAY_IN = (
    "m:^:set:conference_controls={controls}^set:conference_endconference_grace_time=5"
    "^conference:{room}@default+flags{{{flags}}}^unset:conference_controls"
    "^unset:conference_endconference_grace_time^transfer:${{transferhub_return}}"
)


class Lab:
    """A running switch and one client of its Event Socket."""

    def __init__(self, switch: LabSwitch, esl: EventSocket):
        self.switch, self.esl = switch, esl
        self.api, self.event = esl.api, esl.event

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, switch: LabSwitch) -> AsyncIterator["Lab"]:
        await switch.start()
        esl = await EventSocket.connect(switch.port, "ClueCon", "ALL")
        try:
            yield cls(switch, esl)
        finally:
            await esl.close()
            await switch.stop()

    def telephones(self, number: str, *options: dict) -> None:
        """Registers telephones (LabTelephone's fields) for a number."""
        self.switch.directory.extra[number] = list(options)

    async def caller(self) -> str:
        """Who hums a tone until he is hung up."""
        return await call_in(self.switch, ",sim_caller=tone:300", "&playback(silence_stream://-1)")

    async def parked(
        self,
        room: str = "room",
        flags: str = "mute|moderator|mandatory_member_endconf",
        home: str = "ivr_return XML public",
        controls: str = "none",
    ) -> str:
        """A caller who sits in a conference, with a way home behind it. Returns the A-leg's uuid."""
        a = await self.caller()
        await self.api(f"uuid_setvar {a} transferhub_return {home}")
        way = WAY_IN.format(room=room, flags=flags, controls=controls)
        assert await self.api(f"uuid_transfer {a} '{way}' inline") == "+OK\n"
        await self.event(Action="add-member", Unique_ID=a)
        return a

    async def agent(
        self, number: str = "2001", room: str = "room", flags: str = "join-only", variables: str = ""
    ) -> str:
        """An agent who answered into the conference. Returns the B-leg's uuid."""
        block = f"{{{variables}}}" if variables else ""
        chain = f"'m:^:set:conference_controls=none^conference:{room}@default+flags{{{flags}}}' inline"
        answer = await self.api(f"originate {block}user/{number}@lab {chain}")
        assert answer.startswith("+OK "), answer
        b = answer[4:].strip()
        await self.event(Action="add-member", Unique_ID=b)
        return b

    async def member(self, uuid: str) -> str:
        """The numeric id under which this leg came in last."""
        await self.event(Action="add-member", Unique_ID=uuid)
        return self.esl.seen(Action="add-member", Unique_ID=uuid)[-1].event["Member-ID"]

    async def ended(self, uuid: str) -> str:
        """Waits for the end of a leg. Returns the cause."""
        return (await self.event(Event_Name="CHANNEL_HANGUP_COMPLETE", Unique_ID=uuid)).event["Hangup-Cause"]

    async def home(self, uuid: str) -> None:
        """Waits until the caller is back in the menu."""
        await self.event(Event_Name="PLAYBACK_START", Unique_ID=uuid, Caller_Destination_Number="ivr_return")

    def story(self, uuid: str) -> list[str]:
        """What happened to one leg, by Action or event name."""
        return [_name(block) for block in self.esl.events if block.event.get("Unique-ID") == uuid]

    async def hears(self, listener: str, talker: str, seconds: float = 0.3) -> bool:
        """Whether one leg hears another within that time of sound from now on."""
        media = self.switch.media
        before, until = media.ledger.seconds_heard(listener, talker), media.now + seconds
        async with asyncio.timeout(10):
            while media.now < until:  # noqa: ASYNC110 - the sound's own time has no event
                await asyncio.sleep(0.001)
        return media.ledger.seconds_heard(listener, talker) - before > seconds / 2

    async def ledger(self, uuid: str) -> list[dict]:
        return json.loads(await self.api(f"sim_ledger {uuid}"))


def _name(block: Block) -> str:
    return block.event.get("Action") or block.event.get("Event-Subclass") or block.event["Event-Name"]
