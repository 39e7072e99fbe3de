import pytest

from calls.simulator.predictions import TEMPERAMENTS
from calls.trial.forecast import Setting, forecast
from calls.words import TEMPERAMENTS as WORDS


def setting(first, then="", *, agents=2, max_attempts=3, together=False):
    return Setting(agents, max_attempts, together, first, then or first)


@pytest.mark.parametrize("temperament, outcome", [("accepts", "accepted"), ("rejects", "rejected"), ("busy", "busy")])
def test_people_who_are_all_alike_end_it_as_the_one_would(temperament, outcome):
    assert forecast(setting(temperament)) == outcome
    assert forecast(setting(temperament, together=True)) == outcome


def test_the_following_count_where_the_first_does_not_take_the_call():
    assert forecast(setting("rejects", "accepts")) == "accepted"
    assert forecast(setting("accepts", "rejects")) == "accepted"
    assert forecast(setting("rejects", "silent")) == "timeout"


def test_nobody_follows_in_a_department_of_one_or_with_one_attempt():
    assert forecast(setting("rejects", "accepts", agents=1)) == "rejected"
    assert forecast(setting("rejects", "accepts", max_attempts=1)) == "rejected"


def test_nothing_is_foretold_of_different_people_who_are_rung_together():
    assert forecast(setting("rejects", "accepts", together=True)) == ""


def test_every_temperament_of_the_simulator_has_words():
    assert set(WORDS) == set(TEMPERAMENTS)
