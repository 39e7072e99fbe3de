import json

import pytest

from calls.transfer.decision import (
    Accept,
    Hearing,
    Redirect,
    Reject,
    Response,
    Span,
    ToolCall,
    Unclear,
    Voicemail,
    by_sound_alone,
    dispose,
    event_of,
    interrupts,
    is_greeting,
    longest_speech_ms,
    normalised,
    reason_of,
)
from calls.transfer.events import RedirectRequested
from calls.transfer.states import Source

YES = ToolCall("call_1", "accept_transfer")
NO = ToolCall("call_2", "reject_transfer", '{"reason": "em reunião"}')
MACHINE = ToolCall("call_3", "voicemail_detected")
ANSWER = Span(9000, 9900)
"""Said after an announcement that began at 200."""
ANSWERED = Hearing(200, (ANSWER,))


def completed(*calls):
    return Response("completed", calls, asked_at_ms=10_500)


@pytest.mark.parametrize(
    ("calls", "verdict"),
    [
        ((), Unclear()),
        ((YES,), Accept()),
        ((NO,), Reject("em reunião")),
        ((MACHINE,), Voicemail("machine_recognised")),
        ((YES, YES), Accept()),
        ((YES, ToolCall("call_9", "accept_transfer")), Accept()),
        ((YES, NO), Unclear("contradictory_calls")),
        ((YES, MACHINE), Unclear("contradictory_calls")),
        ((ToolCall("call_4", "transfer_money"),), Unclear()),
        ((ToolCall("call_4", "transfer_money"), YES), Accept()),
    ],
)
def test_an_agent_who_answered_is_believed_once_and_without_contradiction(calls, verdict):
    assert dispose(completed(*calls), ANSWERED) == verdict


@pytest.mark.parametrize("status", ["cancelled", "failed", "incomplete", "in_progress", ""])
@pytest.mark.parametrize("call", [YES, NO, MACHINE])
def test_a_tool_call_of_a_response_that_was_not_completed_counts_for_nothing(status, call):
    assert dispose(Response(status, (call,), 10_500), ANSWERED) == Unclear("response_not_completed")


@pytest.mark.parametrize(
    ("hearing", "rule"),
    [
        (Hearing(None, (ANSWER,)), "nothing_announced"),
        (Hearing(200, ()), "agent_has_not_spoken"),
        (Hearing(200, (Span(10_600, 11_900),)), "agent_has_not_spoken"),  # after the response was asked for
        (Hearing(2000, (Span(300, 1900),)), "agent_has_not_spoken"),  # before the announcement began
        (Hearing(200, (Span(9000, 9100),)), "agent_has_not_spoken"),  # a knock
        (Hearing(200, (Span(500, 950),)), "only_a_greeting"),
        (Hearing(200, (Span(100, 600),)), "only_a_greeting"),  # an "alô" as the announcement begins
        (Hearing(200, (Span(500, 950), Span(1500, 1900))), "only_a_greeting"),
    ],
)
@pytest.mark.parametrize("call", [YES, NO])
def test_nobody_who_has_not_answered_accepts_or_rejects(hearing, rule, call):
    assert dispose(completed(call), hearing) == Unclear(rule)


def test_a_machine_that_only_said_a_word_may_still_be_recognised_as_one():
    assert dispose(completed(MACHINE), Hearing(200, (Span(500, 950),))) == Voicemail("machine_recognised")


def test_a_short_yes_counts_once_the_first_moments_are_over():
    assert dispose(completed(YES), Hearing(200, (Span(1800, 2100),))) == Accept()


def test_a_long_interruption_in_the_first_moments_is_an_answer():
    assert dispose(completed(YES), Hearing(200, (Span(600, 1400),))) == Accept()


def test_a_call_that_was_disposed_of_before_counts_no_second_time():
    assert dispose(completed(YES), ANSWERED, already_answered={"call_1"}) == Unclear()


@pytest.mark.parametrize(
    ("spans", "longest"),
    [
        ((), 0),
        ((Span(0, 3000),), 3000),
        ((Span(0, 2000), Span(2400, 4500)), 4500),  # a breath between sentences
        ((Span(0, 2000), Span(2700, 5000)), 2300),  # a real pause
        ((Span(2400, 4500), Span(0, 2000)), 4500),
    ],
)
def test_a_speech_goes_on_over_a_breath_and_ends_at_a_pause(spans, longest):
    assert longest_speech_ms(spans) == longest


@pytest.mark.parametrize("call", [YES, NO, MACHINE])
def test_a_long_uninterrupted_speech_is_voicemail_whatever_the_model_says(call):
    hearing = Hearing(200, (Span(400, 2300), Span(2700, 4700)))
    assert dispose(completed(call), hearing) == Voicemail("long_speech")


def test_a_long_speech_needs_no_model_at_all():
    assert by_sound_alone(4001) == Voicemail("long_speech")
    assert by_sound_alone(4000) == Unclear()


@pytest.mark.parametrize(
    ("transcript", "verdict"),
    [
        ("", Accept()),
        ("Sim, pode passar.", Accept()),
        ("Alô? Sim, pode passar.", Accept()),
        ("Não, tudo bem, pode passar.", Accept()),
        ("Pois não, manda a ligação pra mim.", Accept()),
        ("Alô?", Unclear("a_question_is_no_answer")),
        ("Alô, pois não?", Unclear("a_question_is_no_answer")),
        ("Bom dia!", Unclear("a_question_is_no_answer")),
        ("Quem está falando?", Unclear("a_question_is_no_answer")),
        ("Alô, quem é?", Unclear("a_question_is_no_answer")),
        ("Quem fala, por favor?", Unclear("a_question_is_no_answer")),
        ("Do que se trata?", Unclear("a_question_is_no_answer")),
        ("Agora não.", Unclear("transcript_says_no")),
        ("Não posso, estou em reunião.", Unclear("transcript_says_no")),
        ("I cannot.", Unclear("transcript_says_no")),
    ],
)
def test_a_transcript_that_is_no_yes_stops_an_acceptance(transcript, verdict):
    assert dispose(completed(YES), Hearing(200, (ANSWER,), transcript)) == verdict


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ('{"reason": "em reunião"}', "em reunião"),
        ('{"reason": "  em\\n outra\\u0000 ligação "}', "em outra ligação"),
        ('{"reason": 5}', ""),
        ('{"reason": null}', ""),
        ('{"why": "x"}', ""),
        ('["reason"]', ""),
        ("null", ""),
        ("", ""),
        ("{", ""),
        ("[" * 100_000, ""),
    ],
)
def test_arguments_are_read_defensively(arguments, reason):
    assert reason_of([ToolCall("c", "reject_transfer", arguments)]) == reason


def test_a_reason_is_cut_at_three_hundred_characters():
    assert reason_of([ToolCall("c", "reject_transfer", '{"reason": "' + "é" * 5000 + '"}')]) == "é" * 300


@pytest.mark.parametrize(
    ("span", "announced_at", "greeting"),
    [
        (Span(100, 500), None, True),
        (Span(300, 999), 200, True),
        (Span(300, 1000), 200, False),  # 700 ms
        (Span(1699, 2000), 200, True),
        (Span(1700, 2000), 200, False),  # 1.5 s after the beginning
    ],
)
def test_a_greeting_is_short_and_early(span, announced_at, greeting):
    assert is_greeting(span, announced_at) is greeting


@pytest.mark.parametrize(
    ("span", "meant"),
    [
        (Span(500, 900), False),  # an "alô" that goes on
        (Span(500, 1200), True),  # 700 ms of speech
        (Span(1720, 1760), True),  # after the first moments any speech counts at once
        (None, False),  # only the model hears something: a noise, or our own voice come back
    ],
)
def test_an_announcement_is_silenced_by_speech_that_is_long_or_late_enough(span, meant):
    assert interrupts(span, 200) is meant


def test_words_are_compared_without_accents_and_case():
    assert normalised("  NÃO  posso,\nJosé ") == "nao posso, jose"


def named(number, name="transfer_to_extension"):
    return ToolCall("call_5", name, json.dumps({"number": number}))


@pytest.mark.parametrize(("said", "number"), [("2003", "2003"), ("2 0 0 3", "2003"), ("20-03.", "2003")])
def test_an_agent_who_names_another_extension_sends_the_caller_there(said, number):
    verdict = dispose(completed(named(said)), ANSWERED)
    assert verdict == Redirect(number)
    assert event_of(verdict, "mark") == RedirectRequested(number, Source.VOICE, "mark")


@pytest.mark.parametrize("said", ["", "Carla", "2003; sched_api", "٢٠٠٣", "1" * 13, 2003, None])
def test_what_is_no_number_names_no_extension(said):
    assert dispose(completed(named(said)), ANSWERED) == Unclear("no_extension_named")


def test_nobody_is_sent_elsewhere_by_an_agent_who_has_not_answered():
    call = named("2003")
    assert dispose(Response("cancelled", (call,), 10_500), ANSWERED) == Unclear("response_not_completed")
    assert dispose(completed(call), Hearing(200, ())) == Unclear("agent_has_not_spoken")
    assert dispose(completed(call), Hearing(200, (Span(500, 950),))) == Unclear("only_a_greeting")
    assert dispose(completed(call), Hearing(200, (ANSWER,), "Alô, quem fala?")) == Unclear("a_question_is_no_answer")
    assert dispose(completed(call, YES), ANSWERED) == Unclear("contradictory_calls")
    assert dispose(completed(call, named("2004")), ANSWERED) == Redirect("2003")  # one call_id counts once
    other = ToolCall("call_6", "transfer_to_extension", '{"number": "2004"}')
    assert dispose(completed(call, other), ANSWERED) == Unclear("no_extension_named")


def test_what_decides_nothing_tells_the_transfer_nothing():
    assert event_of(Unclear("only_a_greeting"), "mark") is None
