"""Snapshots for the machine's tests: a transfer in any state, as the machine itself would have made it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from calls.transfer import events as e
from calls.transfer.machine import Step, step
from calls.transfer.snapshot import Policy, Snapshot
from calls.transfer.states import Source, State
from calls.transfer.work import Deadline

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
MARK = "0123456789abcdef"
AGENT = "b-leg"
POLICY = Policy(ticket_on=("rejected", "timeout", "no_answer", "busy", "unavailable", "voicemail", "error"))


def requested(**policy: object) -> Snapshot:
    return Snapshot(
        short_id="abc123abc123",
        conference="transfer_abc123abc123_1",
        caller_uuid="a-leg",
        requested_at=NOW,
        policy=replace(POLICY, **policy),  # type: ignore[arg-type]
        deadline=NOW,
        deadline_kind=Deadline.START,
    )


def play(snapshot: Snapshot, *events: e.Event, at: datetime = NOW) -> Step:
    """Step through the events; the commands of all of them together."""
    commands: list = []
    result = Step(snapshot, (), None)  # type: ignore[arg-type]
    for event in events:
        result = step(result.snapshot, event, at)
        commands.extend(result.commands)
    return replace(result, commands=tuple(commands))


def kinds(result: Step) -> list[str]:
    """Names of the commands that followed."""
    return [type(command).__name__ for command in result.commands]


START = e.DeadlinePassed(Deadline.START)
PARKED = e.CallerParked(252)
CLAIMED = e.AgentClaimed(MARK, ("2001",), "job-1")
READY = e.AnnouncerReady(MARK, "ws://here/audio/token")
JOINED = e.AgentJoined(MARK, AGENT, 253, "2001")
SPOKEN = e.AnnouncementEnded(MARK)
ACCEPT = e.DecisionMade(MARK, e.Choice.ACCEPT, Source.VOICE)
REJECT = e.DecisionMade(MARK, e.Choice.REJECT, Source.VOICE, "em reunião")
THROUGH = e.PutThroughDone(MARK)
TICKET = e.TicketOpened("2611221234")
NOBODY = e.NobodyToRing(busy=False)
HOME = e.CallerWentHome()
GONE = e.CallerLeft("NORMAL_CLEARING")

PATHS: dict[State, tuple[e.Event, ...]] = {
    State.REQUESTED: (),
    State.PARKING: (START,),
    State.DIALLING: (START, PARKED, CLAIMED),
    State.ANNOUNCING: (START, PARKED, CLAIMED, READY, JOINED),
    State.CONNECTING: (START, PARKED, CLAIMED, READY, JOINED, SPOKEN, ACCEPT),
    State.CONNECTED: (START, PARKED, CLAIMED, READY, JOINED, SPOKEN, ACCEPT, THROUGH),
    State.INFORMING: (START, PARKED, CLAIMED, READY, JOINED, REJECT, NOBODY, TICKET),
    State.RETURNING: (START, PARKED, CLAIMED, e.CancelRequested(Source.API)),
    State.ENDED: (START, PARKED, CLAIMED, GONE),
}


def in_state(state: State, **policy: object) -> Snapshot:
    """A transfer that came into `state` on its usual path."""
    snapshot = play(requested(**policy), *PATHS[state]).snapshot
    assert snapshot.state is state, snapshot.state
    return snapshot


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)
