import pytest

from calls.simulator.parsing import atoi, inline_actions, split_words, take_block


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("a b  c", ["a", "b", "c"]),
        ("uuid 'm:^:set:a=b c^park' inline", ["uuid", "m:^:set:a=b c^park", "inline"]),
        ("{name='Secretaria Virtual'}user/1 &park", ["{name=Secretaria Virtual}user/1", "&park"]),
        (r"a\sb c", ["a b", "c"]),
        (r"{text=one\ntwo}x y", ["{text=one\ntwo}x", "y"]),
        ("", []),
    ],
)
def test_words_are_split_at_blanks_outside_quotes(line, words):
    assert split_words(line) == words


def test_an_odd_apostrophe_swallows_the_rest_of_the_line():
    assert len(split_words("{name='Maria D'Avila'}user/1@lab &park")) == 1


def test_the_last_word_may_be_the_rest_of_the_line():
    assert split_words("uuid name one two three", limit=3) == ["uuid", "name", "one two three"]


def test_a_comma_in_a_value_splits_it():
    assert take_block("{name=Silva, Maria,x=1}user/1", "{", "}") == ({"name": "Silva", "x": "1"}, "user/1")


def test_another_delimiter_lets_commas_through():
    assert take_block("{^^:name=Silva, Maria:x=1}user/1", "{", "}")[0] == {"name": "Silva, Maria", "x": "1"}


def test_a_closing_brace_ends_the_block():
    variables, rest = take_block("{text=a}b,x=1}user/1", "{", "}")
    assert (variables, rest) == ({"text": "a"}, "b,x=1}user/1")


@pytest.mark.parametrize(("text", "number"), [("253", 253), ("3fce37b1-eac1", 3), ("a330", 0), ("", 0), ("uuid=1", 0)])
def test_atoi_reads_leading_digits_only(text, number):
    assert atoi(text) == number


def test_a_comma_inside_inline_data_splits_it_too():
    assert inline_actions("conference:room+flags{mute,moderator}") == [
        ("conference", "room+flags{mute"),
        ("moderator}", ""),
    ]


def test_another_delimiter_keeps_commas_in_inline_data():
    assert inline_actions("m:^:set:a=1,2^park") == [("set", "a=1,2"), ("park", "")]
