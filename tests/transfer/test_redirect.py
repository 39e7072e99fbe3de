"""Somebody else is to be rung: what becomes of the agent of now, and of the limits."""

import pytest

from calls.transfer import commands as c
from calls.transfer import events as e
from calls.transfer.machine import step
from calls.transfer.states import AttemptOutcome, Outcome, Source, State, Verdict
from tests.transfer.builders import NOBODY, NOW, in_state, kinds, later, play

BY_KEY = e.RedirectRequested("2003", Source.KEY)
BY_HAND = e.RedirectRequested("2003", Source.CONSOLE, by="rita")


def one(result, kind):
    return next(command for command in result.commands if isinstance(command, kind))


def test_while_it_rings_the_ringing_is_cancelled_and_that_extension_is_claimed():
    result = play(in_state(State.DIALLING), BY_HAND)
    assert kinds(result) == ["CancelDial", "CloseAttempt", "CloseAnnouncer", "ClaimAgent"]
    assert one(result, c.ClaimAgent).number == "2003"
    assert one(result, c.CloseAttempt).outcome == AttemptOutcome.SKIPPED


@pytest.mark.parametrize("source", [Source.VOICE, Source.KEY])
def test_an_agent_who_names_another_is_let_go_as_one_who_does_not_take_the_call(source):
    result = play(in_state(State.ANNOUNCING), e.RedirectRequested("2003", source))
    assert kinds(result) == ["LetGo", "CloseAttempt", "CloseAnnouncer", "ClaimAgent"]
    closed = one(result, c.CloseAttempt)
    assert (closed.outcome, closed.reason) == (AttemptOutcome.REJECTED, "redirected")
    assert result.snapshot.outcome is Outcome.REJECTED


def test_the_extension_asked_for_is_the_next_attempt():
    result = play(in_state(State.ANNOUNCING), BY_KEY, e.AgentClaimed("second", ("2003",), "job-2"))
    assert result.snapshot.state is State.DIALLING
    assert (result.snapshot.numbers, result.snapshot.attempts_made) == (("2003",), 2)
    assert one(result, c.Dial).numbers == ("2003",)


def test_it_is_rung_although_no_attempt_is_left():
    result = play(in_state(State.ANNOUNCING, max_attempts=1), BY_HAND)
    assert "ClaimAgent" in kinds(result)


def test_it_is_not_rung_when_the_callers_whole_wait_is_over():
    result = step(in_state(State.ANNOUNCING), BY_HAND, later(179))
    assert "ClaimAgent" not in kinds(result)
    assert result.snapshot.state is State.INFORMING


def test_if_nobody_can_be_rung_after_all_the_outcome_stands():
    result = play(in_state(State.ANNOUNCING), BY_KEY, NOBODY)
    assert (result.snapshot.state, result.snapshot.outcome) == (State.INFORMING, Outcome.REJECTED)


def test_a_wish_of_an_agent_who_is_gone_comes_too_late():
    result = step(in_state(State.ANNOUNCING), e.RedirectRequested("2003", Source.KEY, "an older attempt"), NOW)
    assert result.verdict is Verdict.LATE


@pytest.mark.parametrize("state", [State.REQUESTED, State.PARKING, State.CONNECTING, State.RETURNING, State.ENDED])
def test_outside_the_hunt_it_is_refused_with_a_reason(state):
    result = step(in_state(state), BY_HAND, NOW)
    assert result.verdict is Verdict.ILLEGAL and result.reason
