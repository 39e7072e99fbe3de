"""Faults that the exploration found once, each by its name: tests/transfer/test_explore.py finds them again."""

import pytest

from calls.transfer import commands as c
from calls.transfer import events as e
from calls.transfer.machine import step
from calls.transfer.states import Outcome, Source, State
from calls.transfer.work import CONNECT_TRIES, Deadline
from tests.transfer.builders import GONE, HOME, MARK, NOW, THROUGH, TICKET, in_state, kinds, later, play

OVERDUE = e.DeadlinePassed(Deadline.CONNECT)
FAILED = e.PutThroughFailed(MARK, "-ERR No such channel!")


# ---------------------------------------------------------------- tickets by the rule, also where parking fails
def test_a_caller_who_could_not_be_parked_stays_with_the_secretary_and_has_his_ticket():
    result = step(in_state(State.PARKING), e.ParkFailed("bridged"), NOW)
    assert (result.snapshot.state, result.snapshot.outcome) == (State.ENDED, Outcome.ERROR)
    assert "OpenTicket" in kinds(result) and "SendHome" not in kinds(result)


def test_a_parking_that_takes_too_long_opens_the_ticket_and_sends_its_number_home_with_the_caller():
    snapshot = in_state(State.PARKING)
    result = play(snapshot, e.DeadlinePassed(Deadline.PARK), TICKET, at=later(12))
    home = [command for command in result.commands if isinstance(command, c.SendHome)]
    assert [order.variables["transferhub_protocol"] for order in home] == [TICKET.protocol]
    assert result.snapshot.state is State.RETURNING


@pytest.mark.parametrize("event", [e.ParkFailed("bridged"), e.DeadlinePassed(Deadline.PARK)])
def test_where_the_rule_asks_for_none_a_failed_parking_opens_no_ticket(event):
    assert "OpenTicket" not in kinds(step(in_state(State.PARKING, ticket_on=()), event, NOW))


def test_a_caller_whose_number_never_comes_is_sent_home_by_the_deadline():
    waiting = step(in_state(State.PARKING), e.DeadlinePassed(Deadline.PARK), NOW).snapshot
    assert kinds(step(waiting, e.DeadlinePassed(Deadline.HOME), later(8))) == ["SendHome"]


# ---------------------------------------------------------------- putting through, and its answer late or lost
def test_an_unanswered_put_through_is_ordered_again_and_tears_no_talk():
    result = step(in_state(State.CONNECTING), OVERDUE, later(5))
    assert kinds(result) == ["PutThrough"]
    assert result.snapshot.deadline_kind == Deadline.CONNECT
    assert step(result.snapshot, THROUGH, later(6)).snapshot.state is State.CONNECTED


def test_a_put_through_that_is_never_answered_ends_one_day():
    snapshot = in_state(State.CONNECTING)
    for _ in range(CONNECT_TRIES):
        snapshot = step(snapshot, OVERDUE, later(5)).snapshot
    assert (snapshot.state, snapshot.outcome) == (State.INFORMING, Outcome.ERROR)


def test_every_decision_to_accept_has_all_its_tries():
    snapshot = step(in_state(State.CONNECTING), OVERDUE, NOW).snapshot
    assert snapshot.connect_orders == 2
    second = e.AgentClaimed("second", ("2002",), "job-2")
    joined = e.AgentJoined("second", "c-leg", 254, "2002")
    accept = e.DecisionMade("second", e.Choice.ACCEPT, Source.KEY)
    assert play(snapshot, FAILED, second, joined, accept).snapshot.connect_orders == 1


def test_a_caller_who_leaves_while_he_is_put_through_may_have_talked():
    left = step(in_state(State.CONNECTING), GONE, NOW)
    assert kinds(left) == ["SayCallerLeft"]
    ended = step(left.snapshot, THROUGH, NOW)
    assert (ended.snapshot.state, ended.snapshot.outcome) == (State.ENDED, Outcome.ACCEPTED)
    assert "OpenTicket" not in kinds(ended)


@pytest.mark.parametrize("event", [FAILED, OVERDUE])
def test_a_caller_who_left_before_he_was_put_through_has_left(event):
    result = play(in_state(State.CONNECTING, ticket_on=("caller_left",)), GONE, event)
    assert (result.snapshot.state, result.snapshot.outcome) == (State.ENDED, Outcome.CALLER_LEFT)
    assert kinds(result).count("OpenTicket") == 1


def test_who_has_hung_up_is_not_at_home_whatever_is_told_later():
    result = play(in_state(State.CONNECTING), GONE, HOME, FAILED)
    assert result.snapshot.outcome is Outcome.CALLER_LEFT


def test_a_caller_who_is_home_when_putting_through_gives_up_has_his_ticket():
    result = play(in_state(State.CONNECTING), HOME, OVERDUE)
    assert result.snapshot.outcome is Outcome.ERROR
    assert kinds(result).count("OpenTicket") == 1
