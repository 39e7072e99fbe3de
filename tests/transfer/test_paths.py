"""The machine's paths and races: who is rung next, which decision wins, where the caller goes."""

import pytest

from calls.transfer import commands as c
from calls.transfer import events as e
from calls.transfer.machine import step
from calls.transfer.states import Decision, Outcome, Source, State, Verdict
from calls.transfer.work import Deadline
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
    REJECT,
    SPOKEN,
    START,
    THROUGH,
    TICKET,
    in_state,
    kinds,
    later,
    play,
    requested,
)


def test_the_accepted_path_parks_dials_announces_and_puts_through():
    result = play(requested(), START, PARKED, CLAIMED, READY, JOINED, SPOKEN, ACCEPT, THROUGH)
    assert kinds(result) == [
        "Park",
        "ArmNet",
        "ClaimAgent",
        "PrepareAnnouncer",
        "Dial",
        "ArmNet",
        "StartStream",
        "PutThrough",
        "CloseAnnouncer",
        "CloseAttempt",
    ]
    assert result.snapshot.outcome is Outcome.ACCEPTED
    assert result.snapshot.decision is Decision.ACCEPTED
    assert result.snapshot.decided_by is Source.VOICE


def test_a_rejection_rings_the_next_agent_and_forgets_the_rejected_outcome():
    rejected = play(in_state(State.ANNOUNCING), REJECT)
    assert kinds(rejected) == ["LetGo", "CloseAttempt", "CloseAnnouncer", "ClaimAgent"]
    again = play(rejected.snapshot, e.AgentClaimed("second", ("2002",), "job-2"))
    assert again.snapshot.state is State.DIALLING
    assert again.snapshot.outcome is None
    assert kinds(again) == ["ArmNet", "PrepareAnnouncer", "Dial"]


def test_when_nobody_is_left_the_last_attempts_outcome_stands():
    result = play(in_state(State.ANNOUNCING), REJECT, NOBODY)
    assert result.snapshot.state is State.INFORMING
    assert (result.snapshot.outcome, result.snapshot.decision) == (Outcome.REJECTED, Decision.REJECTED)


def test_no_more_agents_are_tried_than_the_department_allows():
    result = play(in_state(State.ANNOUNCING, max_attempts=1), REJECT)
    assert "ClaimAgent" not in kinds(result)
    assert result.snapshot.outcome is Outcome.REJECTED


def test_no_agent_is_rung_after_the_callers_total_wait():
    result = play(in_state(State.ANNOUNCING, total_seconds=30), REJECT, at=later(28))
    assert "ClaimAgent" not in kinds(result)


@pytest.mark.parametrize(
    ("cause", "outcome", "decision"),
    [
        ("USER_BUSY", Outcome.BUSY, None),
        ("ON_ANOTHER_CALL", Outcome.BUSY, None),
        ("NO_ANSWER", Outcome.NO_ANSWER, None),
        ("USER_NOT_REGISTERED", Outcome.UNAVAILABLE, None),
        ("SUBSCRIBER_ABSENT", Outcome.UNAVAILABLE, None),
        ("CALL_REJECTED", Outcome.REJECTED, Decision.REJECTED),
        ("LOST", Outcome.ERROR, Decision.ERROR),
    ],
)
def test_the_switchs_cause_gives_the_outcome(cause, outcome, decision):
    result = play(in_state(State.DIALLING), e.DialFailed(MARK, cause), NOBODY)
    assert (result.snapshot.outcome, result.snapshot.decision) == (outcome, decision)


def test_a_timeout_is_not_a_rejection():
    snapshot = play(in_state(State.ANNOUNCING), SPOKEN).snapshot
    result = play(snapshot, e.DeadlinePassed(Deadline.DECISION), NOBODY)
    assert (result.snapshot.outcome, result.snapshot.decision) == (Outcome.TIMEOUT, Decision.TIMEOUT)


def test_the_time_to_decide_runs_from_the_end_of_the_announcement():
    snapshot = play(in_state(State.ANNOUNCING), SPOKEN, at=later(10)).snapshot
    assert snapshot.deadline == later(25)


def test_while_the_announcer_answers_a_question_the_time_to_decide_stands_still():
    asked = play(in_state(State.ANNOUNCING), SPOKEN, e.AnnouncementStarted(MARK)).snapshot
    assert asked.deadline == later(60)
    answered = play(asked, SPOKEN, at=later(20)).snapshot
    assert answered.deadline == later(35)


def test_the_whole_announcement_is_limited_however_late_it_ends():
    snapshot = play(in_state(State.ANNOUNCING), SPOKEN, at=later(55)).snapshot
    assert snapshot.deadline == later(60)


def test_the_agents_hold_stops_the_time_to_decide_but_not_the_whole():
    held = play(in_state(State.ANNOUNCING), SPOKEN, e.AgentHeld(MARK, AGENT)).snapshot
    assert held.deadline == later(60)
    back = play(held, e.AgentUnheld(MARK, AGENT), at=later(30)).snapshot
    assert back.deadline == later(45)


def test_a_deadline_that_was_armed_again_is_void():
    snapshot = play(in_state(State.ANNOUNCING), SPOKEN).snapshot
    assert step(snapshot, e.DeadlinePassed(Deadline.ANNOUNCE), NOW).verdict is Verdict.LATE


def test_the_first_decision_wins_in_either_order():
    for first, second, state in ((ACCEPT, REJECT, State.CONNECTING), (REJECT, ACCEPT, State.ANNOUNCING)):
        one = step(in_state(State.ANNOUNCING), first, NOW)
        two = step(one.snapshot, second, NOW)
        assert two.snapshot.state is state
        assert two.snapshot.outcome == one.snapshot.outcome
        assert two.verdict is Verdict.LATE


def test_accept_against_cancel_gives_the_call_to_who_came_first():
    cancel = e.CancelRequested(Source.API)
    accepted = step(in_state(State.ANNOUNCING), ACCEPT, NOW)
    assert step(accepted.snapshot, cancel, NOW).verdict is Verdict.ILLEGAL
    cancelled = step(in_state(State.ANNOUNCING), cancel, NOW)
    assert step(cancelled.snapshot, ACCEPT, NOW).verdict is Verdict.LATE
    assert cancelled.snapshot.outcome is Outcome.CANCELLED


def test_ending_the_conversation_hangs_up_the_agent_whose_hook_takes_the_caller_on():
    ended = step(in_state(State.CONNECTED), e.EndRequested("bob"), NOW)
    assert kinds(ended) == ["LetGo"] and ended.snapshot.state is State.RETURNING
    assert ended.snapshot.outcome is Outcome.ACCEPTED
    left = e.AgentLeft(MARK, AGENT, "NORMAL_CLEARING")
    assert play(ended.snapshot, left, HOME).snapshot.state is State.ENDED


def test_a_hook_that_does_not_fire_after_the_conversation_was_ended_is_helped_along():
    ended = step(in_state(State.CONNECTED), e.EndRequested("bob"), NOW)
    assert kinds(play(ended.snapshot, e.DeadlinePassed(Deadline.HOME))) == ["SendHome"]


def test_there_is_nothing_to_end_before_two_people_talk():
    for state in State:
        ends = step(in_state(state), e.EndRequested("bob"), NOW).verdict is Verdict.MOVED
        assert ends is (state is State.CONNECTED)


def test_an_agent_who_answers_after_the_ring_limit_is_let_go_again():
    overdue = play(in_state(State.DIALLING), e.DeadlinePassed(Deadline.RING), NOBODY)
    assert "CancelDial" in kinds(overdue)
    late = step(overdue.snapshot, JOINED, NOW)
    assert late.verdict is Verdict.LATE
    assert kinds(late) == ["LetGo"]


def test_a_caller_who_comes_in_after_we_gave_up_goes_straight_home():
    overdue = play(in_state(State.PARKING), e.DeadlinePassed(Deadline.PARK))
    assert kinds(step(overdue.snapshot, PARKED, NOW)) == ["SendHome"]


def test_an_agent_who_accepts_and_is_gone_before_the_hook_hands_over_to_the_next():
    result = play(in_state(State.CONNECTING), e.PutThroughFailed(MARK, "-ERR No such channel!"))
    assert "ClaimAgent" in kinds(result)
    assert play(result.snapshot, e.AgentClaimed("second", ("2002",), "job-2")).snapshot.state is State.DIALLING


def test_an_agent_who_hangs_up_while_being_put_through_sends_the_caller_home_once():
    left = e.AgentLeft(MARK, AGENT, "NORMAL_CLEARING")
    hook_first = play(in_state(State.CONNECTING), left, HOME, THROUGH)
    assert hook_first.snapshot.state is State.ENDED
    assert "SendHome" not in kinds(hook_first)
    hook_missing = play(in_state(State.CONNECTING), left, THROUGH)
    assert hook_missing.snapshot.state is State.RETURNING


def test_after_a_talk_the_hook_takes_the_caller_home_and_we_only_make_sure():
    left = play(in_state(State.CONNECTED), e.AgentLeft(MARK, AGENT, "NORMAL_CLEARING"))
    assert left.snapshot.state is State.RETURNING
    assert "SendHome" not in kinds(left)
    sure = play(left.snapshot, e.DeadlinePassed(Deadline.HOME))
    assert "SendHome" in kinds(sure)
    assert play(left.snapshot, HOME).snapshot.state is State.ENDED


def test_a_second_web_process_begins_the_announcement_again():
    lost = play(in_state(State.ANNOUNCING), e.AnnouncerLost(MARK, "web_process_died"))
    assert kinds(lost) == ["PrepareAnnouncer"]
    again = play(lost.snapshot, e.AnnouncerReady(MARK, "ws://there/audio/other"))
    [start] = again.commands
    assert start.restart and start.url == "ws://there/audio/other"


def test_an_agent_who_cannot_be_spoken_to_twice_is_let_go_with_an_error():
    result = play(
        in_state(State.ANNOUNCING), e.AnnouncerLost(MARK, "refused"), READY, e.AnnouncerLost(MARK, "refused"), TICKET
    )
    assert result.snapshot.outcome is Outcome.ERROR
    assert result.snapshot.state is State.INFORMING
    assert "LetGo" in kinds(result)


def test_a_prompt_cut_off_in_mid_sentence_does_not_count_as_told():
    ready = play(in_state(State.INFORMING), e.PromptReady("ws://here/audio/p", 6000))
    cut = play(ready.snapshot, e.CallerTold(2000))
    assert not cut.snapshot.told
    whole = play(ready.snapshot, e.CallerTold(6000))
    assert whole.snapshot.told
    assert "MarkTold" in kinds(whole)


def test_omniplays_number_is_spoken_when_it_comes_in_time_and_ours_when_not():
    waiting = play(
        in_state(State.DIALLING, asks_omniplay=True, max_attempts=1), e.DialFailed(MARK, "NO_ANSWER"), TICKET
    )
    in_time = play(waiting.snapshot, e.TicketNumbered("777"))
    assert in_time.commands[-1] == c.PreparePrompt("777", "no_answer")
    too_late = play(waiting.snapshot, e.DeadlinePassed(Deadline.TICKET))
    assert too_late.commands[-1] == c.PreparePrompt("2611221234", "no_answer")
    assert step(too_late.snapshot, e.TicketNumbered("777"), NOW).snapshot == too_late.snapshot


def test_what_the_caller_carries_home_names_outcome_and_protocol():
    ready = play(in_state(State.INFORMING), e.PromptReady("ws://here/audio/p", 6000), e.CallerTold(6000))
    [order] = [command for command in ready.commands if isinstance(command, c.SendHome)]
    assert order.variables == {"transferhub_outcome": "rejected", "transferhub_protocol": "2611221234"}


def test_a_caller_who_leaves_during_the_announcement_has_the_agent_told():
    result = play(in_state(State.ANNOUNCING), GONE)
    assert kinds(result) == ["SayCallerLeft", "CloseAttempt"]
    assert result.snapshot.outcome is Outcome.CALLER_LEFT
    left = play(result.snapshot, e.AgentLeft(MARK, AGENT, "NORMAL_CLEARING"))
    assert kinds(left) == ["ReleaseAgents"]


def test_a_closed_department_ends_at_once_with_a_ticket_and_without_touching_the_caller():
    result = play(requested(), NOBODY, TICKET)
    assert result.snapshot.state is State.ENDED
    assert result.snapshot.outcome is Outcome.UNAVAILABLE
    assert kinds(result) == ["OpenTicket", "ReleaseAgents"]
