"""3, an extension, #."""

import pytest

from calls.switch.keys import FORGOTTEN_AFTER_MS, ExtensionKeys


def pressed(keys, every_ms=500):
    extension = ExtensionKeys()
    return [extension.press(key, at * every_ms) for at, key in enumerate(keys)]


def test_three_digits_and_hash_give_the_extension():
    assert pressed("32003#")[-1] == "2003"


def test_digits_of_an_extension_are_no_answers():
    assert pressed("32012#") == ["", "", "", "", "", "2012"]


@pytest.mark.parametrize("keys", ["1", "2", "0", "#", "*"])
def test_other_keys_are_left_to_who_asks_for_answers(keys):
    assert pressed(keys) == [None]


def test_a_star_takes_it_back_and_the_next_key_is_an_answer_again():
    assert pressed("32*1")[-2:] == ["", None]


def test_who_has_pressed_nothing_for_a_while_has_thought_better_of_it():
    assert pressed("31", FORGOTTEN_AFTER_MS + 1) == ["", None]


def test_hash_alone_names_nobody_and_a_second_extension_may_follow():
    assert pressed("3#3200#")[-1] == "200"
    assert pressed("3#")[-1] == ""


def test_a_number_longer_than_any_extension_is_dropped():
    assert pressed("3" + "1" * 13 + "1")[-1] is None
