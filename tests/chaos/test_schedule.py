"""The adversary is fair, thorough, and the same every time for the same seed."""

from itertools import islice

from tests.chaos.schedule import DECK, KINDS, LONG, adversary

WHOLE_DECK = sum(times for times, _, _ in DECK.values())


def test_a_seed_always_strikes_alike_and_another_one_otherwise():
    assert list(islice(adversary(7), 100)) == list(islice(adversary(7), 100))
    assert list(islice(adversary(7), 100)) != list(islice(adversary(8), 100))


def test_every_kind_comes_in_every_deck():
    assert {blow.kind for blow in islice(adversary(1), WHOLE_DECK)} == set(KINDS)


def test_what_is_not_possible_here_never_comes():
    without = frozenset({"database connections cut"})
    assert "database connections cut" not in {blow.kind for blow in islice(adversary(1, without=without), 200)}


def test_the_long_form_has_outages_of_a_minute_and_more_between_the_short_ones():
    long = [blow for blow in islice(adversary(1, long=True), 200) if blow.seconds >= 60]
    assert {blow.kind for blow in long} == set(LONG)
