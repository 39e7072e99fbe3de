"""What the telephones lived through, noted by the simulated FreeSWITCH itself as it happens.

This is the account that the product is judged by. It knows calls, legs, conferences and who heard whom; it knows
nothing of the product.
"""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from calls.simulator.channel import Channel
from calls.simulator.switch import SimulatedSwitch

NOT_PEOPLE = ("moh", "hold", "clip", "broadcast", "playback")
UNMUTE = re.compile(r"conference (\S+) unmute")


@dataclass
class Stay:
    """A leg in a conference. Seconds since 1970, as everywhere here."""

    conference: str
    since: float
    until: float | None = None


@dataclass
class Leg:
    """One leg of the switch, also when it is gone."""

    channel: Channel
    since: float
    until: float | None = None
    died_with_switch: bool = False
    stays: list[Stay] = field(default_factory=list)

    @property
    def uuid(self) -> str:
        return self.channel.uuid

    @property
    def attempt(self) -> str:
        return self.channel.variables.get("transferhub_attempt", "")

    @property
    def returns(self) -> int:
        return int(self.channel.variables.get("ivr_returns", 0))

    @property
    def answered_at(self) -> float:
        return self.channel.answered_at

    @property
    def hung_up_by_himself(self) -> bool:
        return self.channel.far_end_hung_up

    @property
    def stay(self) -> Stay | None:
        """Where he is now."""
        return self.stays[-1] if self.stays and self.stays[-1].until is None else None


class WatchedSwitch(SimulatedSwitch):
    """A simulated FreeSWITCH that remembers all its legs."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.legs: dict[str, Leg] = {}
        self.unmuted: dict[str, float] = {}
        """Conference → when somebody in it was first allowed to speak."""

    def add_channel(self, channel: Channel) -> None:
        super().add_channel(channel)
        self.legs[channel.uuid] = Leg(channel, time.time())

    def remove_channel(self, channel: Channel) -> None:
        super().remove_channel(channel)
        self.legs[channel.uuid].until = time.time()

    async def join_conference(self, channel: Channel, data: str) -> None:
        name = re.split(r"[@+]", data.strip(), maxsplit=1)[0]
        stay = Stay(name, time.time())
        self.legs[channel.uuid].stays.append(stay)
        try:
            await super().join_conference(channel, data)
        finally:
            stay.until = time.time()

    async def api(self, line: str) -> str:
        asked = UNMUTE.match(line)
        at = time.time()
        reply = await super().api(line)
        if asked and reply.startswith("+OK"):
            self.unmuted.setdefault(asked[1], at)
        return reply

    async def restart(self) -> None:
        """As if its machine had lost power: nobody on it is anybody's fault but the power's."""
        for leg in self.legs.values():
            if leg.until is None:
                leg.until, leg.died_with_switch = time.time(), True
        await super().restart()

    # ------------------------------------------------------------ asking
    def agents_of(self, attempts: set[str]) -> list[Leg]:
        """In any thread: the switch goes on meanwhile."""
        return [leg for leg in list(self.legs.values()) if leg.attempt in attempts and leg.attempt]

    def people_heard(self, uuid: str) -> Iterator[tuple[str, float]]:
        """(uuid of whom this leg heard, seconds), played sounds left out."""
        seconds: dict[str, float] = {}
        for span in self.media.ledger.heard(uuid):
            for talker in span.talkers:
                if talker.partition(":")[0] not in NOT_PEOPLE:
                    seconds[talker] = seconds.get(talker, 0.0) + span.end - span.start
        yield from seconds.items()

    def forget(self, *uuids: str) -> None:
        """Judged: nobody asks for these legs any more."""
        for uuid in uuids:
            self.legs.pop(uuid, None)
