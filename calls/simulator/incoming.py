"""A call as the telephone at its far end sees it: what telephones.py calls an IncomingCall."""

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from calls.simulator.channel import Channel
    from calls.simulator.media import Leg

REFUSED = 403


class Call:
    """The far end of one channel: the agent's telephone that is rung, or the caller's."""

    def __init__(self, channel: "Channel", variables: dict[str, str] | None = None):
        self._channel = channel
        self.variables = channel.variables if variables is None else variables
        self.leg: Leg = channel.leg
        self.ended: asyncio.Event = channel.gone

    @property
    def ended_cause(self) -> str:
        return self._channel.hangup_cause

    async def ring(self) -> None:
        self._channel.ring()

    async def answer(self) -> None:
        self._channel.answer()

    def reject(self, cause: str) -> None:
        self._channel.hangup(cause)

    def hangup(self, cause: str = "NORMAL_CLEARING") -> None:
        self._channel.far_end_hung_up = self._channel.far_end_hung_up or not self._channel.hung_up
        self._channel.hangup(cause)

    def dtmf(self, digit: str) -> None:
        self._channel.press(digit)

    def hold(self) -> None:
        self._channel.hold(True)

    def unhold(self) -> None:
        self._channel.hold(False)

    def refer(self, target: str) -> int:
        """A blind transfer by the telephone; returns what it is told of it.

        Inside a conference FreeSWITCH answers 202 Accepted, and at once a NOTIFY says 403 Forbidden: no event tells of
        it, and nothing happens to the call.
        """
        return REFUSED
