"""Faults planted by hand, one at a time, in the table, the moves, the wording and the resync: each must be found."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from calls.switch import resync, wording
from calls.transfer import commands as c
from calls.transfer import events as e
from calls.transfer import machine, moves_after, work
from calls.transfer.states import Outcome, State, Verdict

Mutation = Callable[[Any], None]


def _rule(patch: Any, state: State, event: type[e.Event], rule: machine.Rule) -> None:
    patch.setitem(machine.TABLE[state], event, rule)


def _with(rule: machine.Rule, move: Any) -> machine.Rule:
    return replace(rule, move=move)


def a_lost_deadline(patch: Any) -> None:
    """Ringing has no limit of ours."""
    original = machine.TABLE[State.DIALLING][e.AgentClaimed].move
    assert original is not None

    def claimed(w: work.Work, event: e.AgentClaimed) -> None:
        original(w, event)
        w.set(deadline=None, deadline_kind="")

    for state in (State.DIALLING, State.ANNOUNCING, State.CONNECTING):
        _rule(patch, state, e.AgentClaimed, _with(machine.TABLE[state][e.AgentClaimed], claimed))


def a_net_that_is_not_armed(patch: Any) -> None:
    """Nothing but we would get the caller out of an announcement."""
    original = work.Work.net

    def net(self: work.Work, stage: str, seconds: float) -> None:
        before = len(self.commands)
        original(self, stage, seconds)
        if stage == "announce":
            armed = self.commands[before]
            assert isinstance(armed, c.ArmNet)
            self.commands[before] = replace(armed, seconds=90_000)

    patch.setattr(work.Work, "net", net)


def a_missing_hook(patch: Any) -> None:
    """B's end is nobody's business."""
    _lines(patch, c.PutThrough, lambda lines: [replace(lines[0], text=lines[0].text.partition(" conf")[0]), *lines[1:]])


def unmuted_before_the_hook(patch: Any) -> None:
    """The caller is heard and the nets go, and only then is the agent's end provided for."""
    _lines(patch, c.PutThrough, lambda lines: [*lines[1:], lines[0]])


def an_unmuted_caller(patch: Any) -> None:
    """The caller comes into the conference with his mouth open."""
    _lines(patch, c.Park, lambda lines: [replace(x, text=x.text.replace("flags{mute|", "flags{")) for x in lines])


def a_way_home_that_is_forgotten(patch: Any) -> None:
    """Nothing stands behind the conference."""
    home = "^transfer:${transferhub_return}"
    _lines(patch, c.Park, lambda lines: [replace(x, text=x.text.replace(home, "")) for x in lines])


def an_order_home_that_goes_everywhere(patch: Any) -> None:
    """The dead man's timer transfers the caller wherever he is."""
    _lines(patch, c.ArmNet, lambda lines: [replace(lines[0], text=_unscoped(lines[0].text)), *lines[1:]])


def an_outcome_that_is_not_reset(patch: Any) -> None:
    """The second agent is tried under the outcome of the first."""
    original = machine.TABLE[State.DIALLING][e.AgentClaimed].move
    assert original is not None

    def claimed(w: work.Work, event: e.AgentClaimed) -> None:
        outcome = w.snapshot.outcome
        original(w, event)
        w.set(outcome=outcome)

    for state in (State.DIALLING, State.ANNOUNCING, State.CONNECTING):
        _rule(patch, state, e.AgentClaimed, _with(machine.TABLE[state][e.AgentClaimed], claimed))


def a_late_agent_who_stays(patch: Any) -> None:
    """Who joins when another is being tried already sits beside the caller."""
    patch.setitem(machine._STALE, e.AgentJoined, machine.LATE)
    patch.setitem(machine._STALE, e.AgentAnswered, machine.LATE)
    _lines(patch, c.CancelDial, lambda lines: [])


def a_decision_by_whoever_is_first(patch: Any) -> None:
    """A decision counts although its attempt is over."""

    def rule_for(snapshot: Any, event: e.Event) -> machine.Rule:
        if isinstance(event, e.DecisionMade):
            return machine.TABLE[snapshot.state][e.DecisionMade]
        return original(snapshot, event)

    original = machine.rule_for
    patch.setattr(machine, "rule_for", rule_for)


def two_tickets(patch: Any) -> None:
    """A ticket is opened although there is one."""

    def caller_left(w: work.Work, event: e.CallerLeft) -> None:
        w.do(c.OpenTicket("caller_left"))
        moves_after.caller_left_informing(w, event)

    rule = machine.TABLE[State.INFORMING][e.CallerLeft]
    _rule(patch, State.INFORMING, e.CallerLeft, _with(rule, caller_left))


def no_ticket_for_an_error(patch: Any) -> None:
    """The rule is not asked where parking fails."""

    def park_failed(w: work.Work, event: e.ParkFailed) -> None:
        w.decide(Outcome.ERROR, error=event.reason)
        w.end()

    def park_overdue(w: work.Work, event: e.DeadlinePassed) -> None:
        w.decide(Outcome.ERROR, error="park_timeout")
        w.send_home()

    _rule(patch, State.PARKING, e.ParkFailed, _with(machine.TABLE[State.PARKING][e.ParkFailed], park_failed))
    _rule(patch, State.PARKING, e.DeadlinePassed, _with(machine.TABLE[State.PARKING][e.DeadlinePassed], park_overdue))


def a_talk_that_is_torn(patch: Any) -> None:
    """A put-through whose answer is late counts as failed."""
    patch.setattr(moves_after, "CONNECT_TRIES", 0)


def an_agent_who_is_never_let_go(patch: Any) -> None:
    """Who has rejected stays in the conference."""
    patch.setattr(work.Work, "let_agent_go", lambda self: None)


def a_hunt_that_forgets_to_finish(patch: Any) -> None:
    """When the last agent has failed nothing follows."""
    _rule(patch, State.DIALLING, e.DialFailed, machine.Rule(Verdict.MOVED, lambda w, event: w.set(deadline=None)))


def a_resync_that_sees_nothing(patch: Any) -> None:
    """After a death nobody looks at what became of the caller."""
    patch.setattr(resync, "reconcile", lambda known, seen: [])


def _lines(patch: Any, command: type, change: Callable[[list[wording.Line]], list[wording.Line]]) -> None:
    original = wording._WORDS[command]
    patch.setitem(wording._WORDS, command, lambda given, setting: tuple(change(list(original(given, setting)))))


def _unscoped(text: str) -> str:
    head, _, caller = text.partition(" conference ")[0], "", text.rpartition("uuid=")[2]
    return f"{head} uuid_transfer {caller} ivr_return XML public"


MUTATIONS: list[Mutation] = [
    a_lost_deadline, a_net_that_is_not_armed, a_missing_hook, unmuted_before_the_hook, an_unmuted_caller,
    a_way_home_that_is_forgotten, an_order_home_that_goes_everywhere, an_outcome_that_is_not_reset,
    a_late_agent_who_stays, a_decision_by_whoever_is_first, two_tickets, no_ticket_for_an_error, a_talk_that_is_torn,
    an_agent_who_is_never_let_go, a_hunt_that_forgets_to_finish, a_resync_that_sees_nothing,
]  # fmt: skip
