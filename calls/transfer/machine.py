"""The state machine of a transfer. Everything that changes a transfer's state is in TABLE and the moves it names.

Theory of operation
-------------------
`step(snapshot, event, now)` is pure: it gets what is known, one thing that happened and the time, and returns the new
snapshot, the commands that follow, and a verdict. It knows no database, no socket, no clock. Four kinds of source
speak through the same events: the switch, the announcer, people (secretary, supervisor) and deadlines.

The table has a rule for every state and every event, one of three verdicts:
  MOVED    the event was expected and taken
  LATE     it lost a race (answered after we gave up, a deadline that was re-armed, a duplicate): noted, nothing
           changes, though something may be tidied up (a leg that joined too late is taken out again)
  ILLEGAL  it makes no sense here: people are refused with a reason, the network's are recorded; the snapshot stays

Who wins when two events compete is decided by which is stepped first: the first valid decision moves the state on,
and the second finds a state in which it is late. Events that carry an attempt's mark are late when it is no longer the
current attempt. An armed deadline has a name; a deadline that passes under another name is void.

ENDED absorbs everything. Every other state but CONNECTED has a deadline (tests/transfer hold this), and in every
state in which the caller is inside the conference a dead man's timer stands on the switch behind ours.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from calls.transfer import events as e
from calls.transfer import moves as m
from calls.transfer import moves_after as a
from calls.transfer.commands import Command
from calls.transfer.snapshot import Snapshot
from calls.transfer.states import State, Verdict
from calls.transfer.work import Deadline, Work

Move = Callable[[Work, Any], None]


@dataclass(frozen=True, slots=True)
class Rule:
    """What an event means in a state. `to`: the states the move may lead to (the diagram is drawn from it)."""

    verdict: Verdict
    move: Move | None = None
    to: frozenset[State] = frozenset()
    reason: str = ""  # of an ILLEGAL one: a code that calls.services.reasons puts into words


@dataclass(frozen=True, slots=True)
class Step:
    """What came of one event."""

    snapshot: Snapshot
    commands: tuple[Command, ...]
    verdict: Verdict
    reason: str = ""


def moves(move: Move, *to: State) -> Rule:
    return Rule(Verdict.MOVED, move, frozenset(to))


def late(move: Move | None = None) -> Rule:
    return Rule(Verdict.LATE, move)


def illegal(reason: str) -> Rule:
    return Rule(Verdict.ILLEGAL, reason=reason)


REQUESTED, PARKING, DIALLING, ANNOUNCING, CONNECTING, CONNECTED, INFORMING, RETURNING, ENDED = State

# Where a hunt ends that finds no other agent (one that does leads to DIALLING, by AgentClaimed).
HUNT = (INFORMING, RETURNING, ENDED)
LATE, TOO_EARLY, OVER = late(), illegal("too_early"), illegal("already_over")

# event -> state -> rule; "otherwise" is the rule of every state not named.
_ROWS: dict[type[e.Event], dict[State | str, Rule]] = {
    # ------------------------------------------------------------ people
    e.CancelRequested: {
        REQUESTED: moves(a.cancel_before, ENDED),
        PARKING: moves(a.cancel, RETURNING),
        DIALLING: moves(a.cancel, RETURNING),
        ANNOUNCING: moves(a.cancel, RETURNING),
        CONNECTING: illegal("being_connected"),
        CONNECTED: moves(a.take_back_connected, RETURNING),
        INFORMING: illegal("already_returning"),
        RETURNING: illegal("already_returning"),
        "otherwise": OVER,
    },
    e.SkipRequested: {
        REQUESTED: TOO_EARLY,
        PARKING: TOO_EARLY,
        DIALLING: moves(m.skip, *HUNT),
        ANNOUNCING: moves(m.skip, *HUNT),
        CONNECTING: illegal("being_connected"),
        CONNECTED: illegal("already_talking"),
        INFORMING: illegal("already_returning"),
        RETURNING: illegal("already_returning"),
        "otherwise": OVER,
    },
    e.RedirectRequested: {
        REQUESTED: TOO_EARLY,
        PARKING: TOO_EARLY,
        DIALLING: moves(m.redirect, *HUNT),
        ANNOUNCING: moves(m.redirect, *HUNT),
        CONNECTING: illegal("being_connected"),
        CONNECTED: illegal("already_talking"),
        INFORMING: illegal("already_returning"),
        RETURNING: illegal("already_returning"),
        "otherwise": OVER,
    },
    e.EndRequested: {
        REQUESTED: TOO_EARLY,
        PARKING: TOO_EARLY,
        DIALLING: illegal("not_talking"),
        ANNOUNCING: illegal("not_talking"),
        CONNECTING: illegal("being_connected"),
        CONNECTED: moves(a.end_conversation, RETURNING),
        INFORMING: illegal("already_returning"),
        RETURNING: illegal("already_returning"),
        "otherwise": OVER,
    },
    e.RepeatRequested: {
        REQUESTED: TOO_EARLY,
        PARKING: TOO_EARLY,
        DIALLING: illegal("nobody_answered_yet"),
        ANNOUNCING: moves(m.repeat),
        CONNECTING: illegal("being_connected"),
        CONNECTED: illegal("already_talking"),
        INFORMING: illegal("already_returning"),
        RETURNING: illegal("already_returning"),
        "otherwise": OVER,
    },
    e.DecisionMade: {
        REQUESTED: TOO_EARLY,
        PARKING: TOO_EARLY,
        DIALLING: illegal("nobody_answered_yet"),
        ANNOUNCING: moves(m.decided, CONNECTING, *HUNT),
        CONNECTING: LATE,
        CONNECTED: LATE,
        "otherwise": LATE,
    },
    # ------------------------------------------------------------ deadlines
    e.DeadlinePassed: {
        REQUESTED: moves(m.start, PARKING),
        PARKING: moves(m.park_overdue, RETURNING),
        DIALLING: moves(m.ring_overdue, *HUNT),
        ANNOUNCING: moves(m.decision_overdue, *HUNT),
        CONNECTING: moves(a.connect_overdue, INFORMING, RETURNING, ENDED),
        INFORMING: moves(a.informing_overdue, RETURNING),
        RETURNING: moves(a.home_overdue, RETURNING, ENDED),
        "otherwise": LATE,
    },
    # ------------------------------------------------------------ the caller's leg
    e.CallerParked: {
        REQUESTED: illegal("not_ordered"),
        PARKING: moves(m.parked, DIALLING),
        RETURNING: late(a.late_parked),
        ENDED: late(a.late_parked),
        "otherwise": LATE,
    },
    e.ParkFailed: {
        PARKING: moves(m.park_failed, ENDED),
        REQUESTED: illegal("not_ordered"),
        "otherwise": LATE,
    },
    e.CallerLeft: {
        REQUESTED: moves(a.caller_left, ENDED),
        PARKING: moves(a.caller_left, ENDED),
        DIALLING: moves(a.caller_left, ENDED),
        ANNOUNCING: moves(a.caller_left, ENDED),
        CONNECTING: moves(a.caller_left_connecting),
        CONNECTED: moves(a.talk_over, ENDED),
        INFORMING: moves(a.caller_left_informing, ENDED),
        RETURNING: moves(a.home, ENDED),
        "otherwise": LATE,
    },
    e.CallerWentHome: {
        REQUESTED: illegal("not_ordered"),
        PARKING: moves(a.caller_went_home, ENDED),
        DIALLING: moves(a.caller_went_home, ENDED),
        ANNOUNCING: moves(a.caller_went_home, ENDED),
        CONNECTING: moves(a.caller_home_connecting),
        CONNECTED: moves(a.talk_over, ENDED),
        INFORMING: moves(a.home, ENDED),
        RETURNING: moves(a.home, ENDED),
        "otherwise": LATE,
    },
    e.PromptReady: {INFORMING: moves(a.prompt_ready), "otherwise": LATE},
    e.PromptFailed: {INFORMING: moves(a.prompt_failed, RETURNING), "otherwise": LATE},
    e.CallerTold: {INFORMING: moves(a.told, RETURNING), "otherwise": LATE},
    # ------------------------------------------------------------ the agent's leg
    e.AgentClaimed: {
        DIALLING: moves(m.claimed),
        ANNOUNCING: moves(m.claimed, DIALLING),
        CONNECTING: moves(m.claimed, DIALLING),
        "otherwise": illegal("not_ordered"),
    },
    e.NobodyToRing: {
        REQUESTED: moves(a.closed, ENDED),
        DIALLING: moves(m.nobody, *HUNT),
        ANNOUNCING: moves(m.nobody, *HUNT),
        CONNECTING: moves(m.nobody, *HUNT),
        "otherwise": illegal("not_ordered"),
    },
    e.AgentRinging: {DIALLING: moves(m.ringing), "otherwise": LATE},
    e.AgentAnswered: {DIALLING: moves(m.answered), "otherwise": LATE},
    e.AgentJoined: {
        DIALLING: moves(m.joined, ANNOUNCING),
        ANNOUNCING: LATE,
        CONNECTING: LATE,
        CONNECTED: LATE,
        "otherwise": late(a.late_joined),
    },
    e.DialFailed: {DIALLING: moves(m.dial_failed, *HUNT), "otherwise": LATE},
    e.AgentLeft: {
        DIALLING: moves(m.left_before_joining, *HUNT),
        ANNOUNCING: moves(m.left_announcing, *HUNT),
        CONNECTING: moves(a.agent_left_connecting),
        CONNECTED: moves(a.agent_left_connected, RETURNING),
        "otherwise": late(a.late_left),
    },
    e.AgentHeld: {ANNOUNCING: moves(m.agent_held), "otherwise": LATE},
    e.AgentUnheld: {ANNOUNCING: moves(m.agent_unheld), "otherwise": LATE},
    # ------------------------------------------------------------ the announcer
    e.AnnouncerReady: {
        DIALLING: moves(m.announcer_ready),
        ANNOUNCING: moves(m.announcer_ready),
        "otherwise": LATE,
    },
    e.AnnouncerLost: {
        DIALLING: moves(m.announcer_lost),
        ANNOUNCING: moves(m.announcer_lost, INFORMING, RETURNING, ENDED),
        "otherwise": LATE,
    },
    e.AnnouncementStarted: {ANNOUNCING: moves(m.announcement_started), "otherwise": LATE},
    e.AnnouncementEnded: {ANNOUNCING: moves(m.announcement_ended), "otherwise": LATE},
    # ------------------------------------------------------------ results
    e.PutThroughDone: {CONNECTING: moves(a.through, CONNECTED, RETURNING, ENDED), "otherwise": LATE},
    e.PutThroughFailed: {CONNECTING: moves(a.not_through, *HUNT), "otherwise": LATE},
    e.TicketOpened: {
        INFORMING: moves(a.ticket_opened),
        RETURNING: moves(a.ticket_opened, RETURNING),
        ENDED: moves(a.ticket_opened),
        "otherwise": illegal("not_ordered"),
    },
    e.TicketNumbered: {INFORMING: moves(a.ticket_numbered), "otherwise": LATE},
}

# Events of an attempt that is over: what is tidied up. Every other one is only noted.
_STALE: dict[type[e.Event], Rule] = {
    e.AgentJoined: late(a.late_joined),
    e.AgentAnswered: late(a.late_answered),
    e.AgentLeft: late(a.late_left),
}

TABLE: dict[State, dict[type[e.Event], Rule]] = {
    state: {event: row.get(state) or row["otherwise"] for event, row in _ROWS.items()} for state in State
}


class MachineError(Exception):
    """A move led to a state its rule does not name: our own bug, never the world's."""


def rule_for(snapshot: Snapshot, event: e.Event) -> Rule:
    """The table's rule, after the two tests that hold in every state: stale attempt, void deadline."""
    mark = getattr(event, "attempt", "")
    if mark and mark != snapshot.attempt and not isinstance(event, e.AgentClaimed):
        return _STALE.get(type(event), LATE)
    if isinstance(event, e.DeadlinePassed) and event.kind != snapshot.deadline_kind:
        return LATE
    return TABLE[snapshot.state][type(event)]


def step(snapshot: Snapshot, event: e.Event, now: datetime) -> Step:
    """What follows from `event`. Never raises for an event; a MachineError is a fault of the table."""
    rule = rule_for(snapshot, event)
    if rule.verdict is Verdict.ILLEGAL or rule.move is None:
        return Step(snapshot, (), rule.verdict, rule.reason)
    work = Work(snapshot, now)
    rule.move(work, event)
    before, after = snapshot.state, work.snapshot.state
    if rule.verdict is Verdict.LATE:
        # Tidying up gives commands; what is known of the transfer stays.
        return Step(snapshot, tuple(work.commands), rule.verdict, work.note)
    if after is not before and after not in rule.to:
        raise MachineError(f"{type(event).__name__} in {before} led to {after}")
    return Step(work.snapshot, tuple(work.commands), rule.verdict, work.note)


def initial_deadline_kind() -> str:
    """The name of the deadline of a transfer that has just been requested."""
    return Deadline.START
