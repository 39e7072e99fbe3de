"""There are words for everything that can happen."""

import inspect
from datetime import timedelta

import pytest
from django.utils import translation

from calls.console.presenter import OUTCOME_LOOKS, STATE_LOOKS
from calls.console.timeline import CHOICES, DEADLINES, EVENTS, event_words
from calls.console.times import clock
from calls.models import TransferEvent
from calls.transfer import events
from calls.transfer.states import AttemptOutcome, Outcome, Source, State
from calls.transfer.work import Deadline
from calls.words import ATTEMPTS, OUTCOMES, SOURCES, STATES, masked


def every_event() -> set[str]:
    return {
        name
        for name, each in inspect.getmembers(events, inspect.isclass)
        if issubclass(each, events.Event) and each is not events.Event
    }


def test_every_event_has_a_sentence():
    assert every_event() - {"DecisionMade", "DeadlinePassed"} == set(EVENTS)


def test_every_choice_and_every_deadline_has_a_sentence():
    assert {choice.value for choice in events.Choice} == set(CHOICES)
    kinds = {value for name, value in vars(Deadline).items() if name.isupper()}
    assert kinds == set(DEADLINES)


def test_every_state_outcome_and_source_has_a_word():
    assert set(STATES) == set(State) and set(OUTCOMES) == set(Outcome)
    assert set(ATTEMPTS) == set(AttemptOutcome) and set(SOURCES) == set(Source)


def test_stages_can_be_told_apart_without_colour():
    shapes = [shape for shape, _tone in STATE_LOOKS.values()]
    assert len(set(shapes)) == len(shapes) == len(State) - 1  # an ended one shows its outcome
    assert len({shape for shape, _tone in OUTCOME_LOOKS.values()}) == len(OUTCOME_LOOKS)


@pytest.mark.parametrize("language", ["pt-br", "en"])
@pytest.mark.parametrize("name", sorted(every_event()))
def test_a_sentence_never_shows_its_placeholders(name, language):
    details = {
        "DecisionMade": [{"choice": choice} for choice in CHOICES],
        "DeadlinePassed": [{"kind": kind} for kind in DEADLINES],
    }
    with translation.override(language):
        for detail in details.get(name, [{}, {"cause": "USER_BUSY"}]):
            words = event_words(TransferEvent(event=name, detail=detail, source="voice"), {})
            assert words and "%(" not in words and name not in words


def test_an_event_of_a_newer_version_is_shown_by_its_name():
    assert event_words(TransferEvent(event="SomethingNew", detail={}), {}) == "SomethingNew"


@pytest.mark.parametrize(
    "number, shown", [("", ""), ("2001", "••••"), ("12345678", "••••"), ("+5511987654321", "•••• 4321")]
)
def test_a_masked_number_shows_its_end_and_a_short_one_nothing(number, shown):
    assert masked(number) == shown


@pytest.mark.parametrize(
    "seconds, shown", [(-3, "0:00"), (7.9, "0:07"), (750, "12:30"), (3600, "1:00:00"), (3723, "1:02:03")]
)
def test_a_length_is_written_as_a_clock_shows_it(seconds, shown):
    assert clock(timedelta(seconds=seconds)) == shown
