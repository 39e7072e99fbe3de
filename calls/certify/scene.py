"""What one story needs: a caller, a department with one agent, and who was heard by whom."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from calls.certify import tones
from calls.certify.installation import Desk, Installation
from calls.certify.legs import Person, Switchboard
from calls.certify.relay import Relay

PATIENCE = 30.0
LOOK_EVERY = 0.05
ANNOUNCEMENT = tones.SECONDS[tones.ANNOUNCEMENT_TEXT]
PROMPT = tones.SECONDS[tones.PROMPT_TEXT]
LEAST = 0.9
"""So much of what was said must have been heard."""
PITCH_OFF = 0.02
"""A conference plays a file of 24 kHz at 8 kHz six parts in a thousand too fast; more than this is another fault."""
LONGEST_GAP = 150.0
"""Milliseconds; 20 to 40 are between any two clips."""
PAUSE = 0.4
"""Seconds of silence behind the announcement."""


class StoryFailed(Exception):
    """The story cannot go on; the message says what did not happen."""


class Measures:
    """What was measured in all the stories, by name: milliseconds, Hz."""

    def __init__(self) -> None:
        self.values: dict[str, list[float]] = defaultdict(list)

    def note(self, name: str, value: float) -> None:
        self.values[name].append(round(value, 1))


class Scene:
    """`problems` are what should have been otherwise, in words."""

    def __init__(
        self, board: Switchboard, house: Installation, relay: Relay, desk: Desk, caller_number: str, measures: Measures
    ):
        self.board, self.house, self.relay, self.desk, self.measures = board, house, relay, desk, measures
        self.problems: list[str] = []
        self.transfer: dict[str, Any] = {}
        self._caller_number = caller_number
        self.caller: Person

    # ------------------------------------------------------------ doing
    async def begin(self) -> None:
        """A caller in the menu, who speaks all the time, and the request for a person."""
        self.board.expect(self.desk.number)
        self.caller = await self.board.leg(self._caller_number)
        await self.caller.keep_saying(tones.CALLER)
        body = {
            "call_uuid": self.caller.near,
            "department": self.desk.slug,
            "summary": "teste",
            "caller": {"number": self._caller_number, "name": "Certificado"},
        }
        answer = await self.house.http.post("/transfers", json=body)
        if answer.status_code != 202:
            raise StoryFailed(f"the API answered {answer.status_code}")
        self.transfer = answer.json()

    async def announced(self) -> Person:
        """The agent, when he has heard the announcement to its end."""
        agent = await self.board.agent(self.desk.number)
        ear = agent.ear
        whole = LEAST * ANNOUNCEMENT
        await self.until(lambda: ear.seconds(tones.ANNOUNCER) >= whole, "the agent did not hear the announcement")
        await self.until(
            lambda: time.monotonic() - ear.spans(tones.ANNOUNCER)[-1].end > PAUSE, "the announcement had no end"
        )
        first = ear.spans(tones.ANNOUNCER)[0]
        pitch, gap = ear.pitch(tones.ANNOUNCER), max(ear.gaps(tones.ANNOUNCER), default=0)
        self.measures.note("answer to first words", (first.start - agent.answered_at) * 1000)
        self.measures.note("announcement: pitch", pitch)
        self.measures.note("announcement: longest gap", gap)
        self.check(abs(pitch - tones.ANNOUNCER) < PITCH_OFF * tones.ANNOUNCER, f"the pitch was {pitch:.0f} Hz, not 500")
        self.check(gap <= LONGEST_GAP, f"the announcement stuttered: {gap:.0f} ms of silence in it")
        return agent

    async def talk(self, agent: Person, since: float) -> None:
        """The two hear one another now, and did not before `since`."""
        await self.until(lambda: agent.ear.seconds(tones.CALLER) > 0.3, "the agent did not hear the caller")
        self.check(agent.ear.seconds(tones.CALLER, until=since) == 0, "the agent heard the caller before he had agreed")
        await agent.keep_saying(tones.AGENT)
        await self.until(lambda: self.caller.ear.seconds(tones.AGENT) > 0.5, "the caller did not hear the agent")

    async def until(self, look: Callable[[], Any], otherwise: str, patience: float = PATIENCE) -> Any:
        """The first true thing. Raises StoryFailed with `otherwise`."""
        ends = time.monotonic() + patience
        while not (found := look()):
            if time.monotonic() > ends:
                raise StoryFailed(otherwise)
            await asyncio.sleep(LOOK_EVERY)
        return found

    # ------------------------------------------------------------ looking
    def check(self, good: bool, otherwise: str) -> None:
        if not good:
            self.problems.append(otherwise)

    async def ended(self, outcome: str, decision: str | None, by: str | None = None) -> None:
        """The transfer ends so."""
        ends = time.monotonic() + PATIENCE
        while self.transfer["state"] != "ended":
            if time.monotonic() > ends:
                raise StoryFailed(f"the transfer is still {self.transfer['state']}")
            await asyncio.sleep(LOOK_EVERY)
            self.transfer = (await self.house.http.get(f"/transfers/{self.transfer['id']}")).json()
        for name, wanted in (("outcome", outcome), ("decision", decision), ("decided_by", by)):
            found = self.transfer[name]
            self.check(wanted is None or found == wanted, f"{name} is {found}, not {wanted}")

    async def home(self, outcome: str, patience: float = PATIENCE) -> None:
        """The caller is back in the menu, once, and carries how it went."""
        near = self.caller.near
        await self.until(lambda: self.board.parked[near] > 1, "the caller did not come back", patience)
        self.check(self.board.parked[near] == 2, "the caller came back twice")
        self.check(await self.board.variable(near, "transferhub_back") == "yes", "the caller took another way home")
        told = await self.board.variable(near, "transferhub_outcome")
        self.check(told == outcome, f"the caller carries the outcome {told or 'nothing'}, not {outcome}")
        self.check(near not in self.board.gone, "the caller was hung up")

    async def told(self) -> None:
        """The caller has heard the prompt to its end."""
        least = LEAST * PROMPT
        await self.until(lambda: self.caller.ear.seconds(tones.PROMPT) >= least, "the caller did not hear the prompt")
        self.measures.note("prompt: pitch", self.caller.ear.pitch(tones.PROMPT))

    async def let_go(self, agent: Person, patience: float = 10.0) -> None:
        await self.until(lambda: agent.near in self.board.gone, "the agent was not let go", patience)

    def never_together(self, agent: Person, until: float = float("inf")) -> None:
        """Neither heard the other, and the announcement was for the agent alone. A synthesised voice behind `until`
        has something of every tone."""
        self.check(agent.ear.seconds(tones.CALLER, until=until) == 0, "the agent heard the caller and had not agreed")
        self.check(self.caller.ear.seconds(tones.AGENT) == 0, "the caller heard the agent without his consent")
        self.announced_to_the_agent_alone()

    def announced_to_the_agent_alone(self) -> None:
        self.check(self.caller.ear.seconds(tones.ANNOUNCER) == 0, "the caller heard the announcement")
