"""The scratch pad of one step: the snapshot as it becomes, and the commands that come of it, in order.

`moves*.py` write on it; only `machine.step` makes one. Nothing here reads a clock.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from calls.transfer import commands as c
from calls.transfer.snapshot import Announcer, Snapshot
from calls.transfer.states import DECISION_OF_OUTCOME, AttemptOutcome, Outcome, Source, State

# Seconds. Our own deadline is the longer net behind FreeSWITCH's limit; the dead man's timer stands behind both.
PARK_NET = 10  # A is on his way into the conference
PARK_LIMIT = 12
RING_MARGIN = 5  # after the ring limit that FreeSWITCH itself keeps
JOIN_LIMIT = 5  # from the answer to add-member
CONNECT_LIMIT = 5  # to hear that they are put through; then it is ordered again, which changes nothing if they are
CONNECT_TRIES = 6  # a slow switch takes its time; the dead man's timer stands until they talk
PROMPT_LIMIT = 30  # to make the prompt and play it to the caller
HOME_LIMIT = 8  # to see the caller leave the conference
NET_MARGIN = 3
SHORTEST_RING = 5  # no new attempt when less of the total wait is left
ANNOUNCER_TRIES = 2
ANNOUNCER_LIMIT = 4  # an agent does not listen to nothing for longer
HOME_TRIES = 3


class Deadline:
    """Names of what a deadline is for; a passed deadline of another name is void."""

    START = "start"
    PARK = "park"
    RING = "ring"
    JOIN = "join"
    ANNOUNCER = "announcer"  # the agent is there, the announcer is not yet
    ANNOUNCE = "announce"
    DECISION = "decision"
    CONNECT = "connect"
    TICKET = "ticket"
    PROMPT = "prompt"
    HOME = "home"


class Work:
    """One step in the making."""

    def __init__(self, snapshot: Snapshot, now: datetime):
        self.snapshot = snapshot
        self.now = now
        self.commands: list[c.Command] = []
        self.note = ""  # why an event was late, or what was decided; for the log

    def set(self, **changes: Any) -> None:
        self.snapshot = replace(self.snapshot, **changes)

    def do(self, *commands: c.Command) -> None:
        self.commands.extend(commands)

    def go(self, state: State) -> None:
        """Enter a state; its deadline follows with arm()."""
        self.set(state=state, deadline=None, deadline_kind="")

    def arm(self, kind: str, seconds: float) -> None:
        self.set(deadline=self.now + timedelta(seconds=seconds), deadline_kind=kind)

    # ------------------------------------------------------------ things several moves need
    def net(self, stage: str, seconds: float) -> None:
        """A new dead man's timer on the switch; the former ones go once it stands."""
        s = self.snapshot
        stage = f"{stage}{s.attempts_made}"
        disarm = tuple(name for name in s.nets if name != stage)
        self.do(c.ArmNet(s.caller_uuid, s.conference, stage, round(seconds + NET_MARGIN + 0.5), disarm))
        self.set(nets=(stage,))

    def decide(self, outcome: Outcome, *, by: Source | None = None, reason: str = "", error: str = "") -> None:
        """The outcome, once and for all."""
        self.set(
            outcome=outcome,
            decision=DECISION_OF_OUTCOME.get(outcome),
            decided_by=by,
            reason=reason,
            error=error,
        )

    def close_attempt(self, outcome: AttemptOutcome, *, cause: str = "", reason: str = "") -> None:
        """The current attempt is over; its announcer too."""
        s = self.snapshot
        if not s.attempt:
            return
        self.do(c.CloseAttempt(s.attempt, outcome.value, cause, reason))
        if s.announcer != Announcer.NONE:
            self.do(c.CloseAnnouncer(s.attempt))
        self.set(
            attempt="", numbers=(), agent_uuid="", agent_member=0, agent_held=False, agent_left=False,
            decide_until=None, announcement_over=False, announcer=Announcer.NONE, announcer_url="", announcer_losses=0,
        )  # fmt: skip

    def let_agent_go(self) -> None:
        """Whatever stage B is in: ringing is cancelled, a joined leg is taken out."""
        s = self.snapshot
        if not s.attempt:
            return
        if s.agent_member:
            self.do(c.LetGo(s.agent_uuid, s.agent_member, s.conference))
        else:
            self.do(c.CancelDial(s.attempt))

    def home_variables(self) -> dict[str, str]:
        """What A carries home, so that the menu knows whom it greets."""
        s = self.snapshot
        return {
            "transferhub_outcome": s.outcome.value if s.outcome else "pending",
            "transferhub_protocol": s.ticket_number or s.protocol,
        }

    def send_home(self) -> None:
        """Order A home and wait to see him leave."""
        s = self.snapshot
        self.go(State.RETURNING)
        self.do(c.SendHome(s.caller_uuid, s.conference, s.policy.return_to, s.nets, self.home_variables()))
        self.set(home_orders=s.home_orders + 1)
        self.arm(Deadline.HOME, HOME_LIMIT)

    def end(self) -> None:
        """Nobody is in our care any more."""
        self.do(c.ReleaseAgents())
        self.go(State.ENDED)
