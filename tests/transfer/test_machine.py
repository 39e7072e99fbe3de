"""The machine's table: total, with a deadline in every state that needs one, and the same answer in every race."""

import ast
import sys
from pathlib import Path

import pytest

from calls.transfer import commands as c
from calls.transfer import events as e
from calls.transfer.diagram import mermaid
from calls.transfer.machine import TABLE, step
from calls.transfer.snapshot import from_json, to_json
from calls.transfer.states import Source, State, Verdict
from tests.transfer.builders import (
    ACCEPT,
    AGENT,
    CLAIMED,
    GONE,
    HOME,
    JOINED,
    MARK,
    NOBODY,
    NOW,
    PARKED,
    READY,
    SPOKEN,
    THROUGH,
    TICKET,
    in_state,
    kinds,
)

# by name from the module: a slotted dataclass leaves its first class behind among Event.__subclasses__()
ALL_EVENTS = [x for x in vars(e).values() if isinstance(x, type) and issubclass(x, e.Event) and x is not e.Event]
SAMPLES: dict[type[e.Event], e.Event] = {
    e.DeadlinePassed: e.DeadlinePassed("start"),
    e.CancelRequested: e.CancelRequested(Source.API),
    e.SkipRequested: e.SkipRequested("ana"),
    e.RedirectRequested: e.RedirectRequested("2003", Source.CONSOLE),
    e.EndRequested: e.EndRequested("ana"),
    e.RepeatRequested: e.RepeatRequested(MARK, Source.KEY),
    e.DecisionMade: ACCEPT,
    e.CallerParked: PARKED,
    e.ParkFailed: e.ParkFailed("bridged"),
    e.CallerLeft: GONE,
    e.CallerWentHome: HOME,
    e.CallerTold: e.CallerTold(5000),
    e.PromptReady: e.PromptReady("ws://here/audio/x", 5000),
    e.PromptFailed: e.PromptFailed("socket"),
    e.AgentClaimed: CLAIMED,
    e.NobodyToRing: NOBODY,
    e.AgentRinging: e.AgentRinging(MARK, AGENT),
    e.AgentAnswered: e.AgentAnswered(MARK, AGENT),
    e.AgentJoined: JOINED,
    e.DialFailed: e.DialFailed(MARK, "USER_BUSY"),
    e.AgentLeft: e.AgentLeft(MARK, AGENT, "NORMAL_CLEARING"),
    e.AgentHeld: e.AgentHeld(MARK, AGENT),
    e.AgentUnheld: e.AgentUnheld(MARK, AGENT),
    e.AnnouncerReady: READY,
    e.AnnouncerLost: e.AnnouncerLost(MARK, "refused"),
    e.AnnouncementStarted: e.AnnouncementStarted(MARK),
    e.AnnouncementEnded: SPOKEN,
    e.PutThroughDone: THROUGH,
    e.PutThroughFailed: e.PutThroughFailed(MARK, "-ERR No such channel!"),
    e.TicketOpened: TICKET,
    e.TicketNumbered: e.TicketNumbered("OMNI-1"),
}


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("event", ALL_EVENTS, ids=lambda event: event.__name__)
def test_every_event_has_a_verdict_in_every_state(state, event):
    rule = TABLE[state][event]
    result = step(in_state(state), SAMPLES[event], NOW)
    assert result.verdict in Verdict
    if rule.verdict is Verdict.ILLEGAL:
        assert rule.reason


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("event", ALL_EVENTS, ids=lambda event: event.__name__)
def test_an_illegal_or_late_event_changes_nothing_that_is_known(state, event):
    before = in_state(state)
    result = step(before, SAMPLES[event], NOW)
    if result.verdict is not Verdict.MOVED:
        assert result.snapshot == before


@pytest.mark.parametrize("state", [state for state in State if state not in (State.ENDED, State.CONNECTED)])
def test_every_state_but_connected_and_ended_has_a_deadline_whose_passing_moves_it(state):
    snapshot = in_state(state)
    assert snapshot.deadline is not None
    result = step(snapshot, e.DeadlinePassed(snapshot.deadline_kind), snapshot.deadline)
    assert result.verdict is Verdict.MOVED


@pytest.mark.parametrize("state", [state for state in State if state not in (State.CONNECTING, State.ENDED)])
def test_wherever_he_is_a_caller_who_hangs_up_ends_the_transfer(state):
    result = step(in_state(state), GONE, NOW)
    assert result.snapshot.state is State.ENDED
    assert result.snapshot.deadline is None


@pytest.mark.parametrize("state", [State.DIALLING, State.ANNOUNCING, State.CONNECTING, State.INFORMING])
def test_while_the_caller_is_inside_a_dead_mans_timer_stands_on_the_switch(state):
    assert in_state(state).nets


@pytest.mark.parametrize("state", list(State))
def test_deadlines_alone_bring_every_transfer_to_its_end(state):
    """Nobody answers anything any more: not the switch, not the announcer, not OmniPlay."""
    snapshot = in_state(state)
    if state is State.CONNECTED:
        return  # FreeSWITCH's hook and the conference look after the two who talk
    for _ in range(20):
        if snapshot.deadline is None:
            break
        result = step(snapshot, e.DeadlinePassed(snapshot.deadline_kind), snapshot.deadline)
        snapshot = result.snapshot
        for command in result.commands:
            if isinstance(command, c.ClaimAgent):
                snapshot = step(snapshot, NOBODY, NOW).snapshot
            elif isinstance(command, c.OpenTicket):
                snapshot = step(snapshot, TICKET, NOW).snapshot
    assert snapshot.state is State.ENDED
    assert snapshot.outcome is not None


def test_nobody_is_put_through_without_a_decision_to_accept():
    for state in State:
        for event in ALL_EVENTS:
            result = step(in_state(state), SAMPLES[event], NOW)
            if "PutThrough" in kinds(result):
                assert (state, event) == (State.ANNOUNCING, e.DecisionMade)


@pytest.mark.parametrize("state", list(State))
def test_a_snapshot_survives_the_database(state):
    snapshot = in_state(state)
    assert from_json(to_json(snapshot)) == snapshot


def test_the_package_imports_nothing_but_the_standard_library():
    for path in Path("calls/transfer").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                assert name.startswith("calls.transfer") or name.split(".")[0] in sys.stdlib_module_names, (path, name)


def test_the_readmes_diagram_is_drawn_from_the_table():
    assert mermaid() in Path("README.md").read_text()
