"""FreeSWITCH's wire: whatever it brings, we end the connection or go on; nothing else is ever raised."""

import time
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.switch import resync
from calls.switch.index import Index
from calls.switch.interpret import interpret
from calls.switch.parsing import BlockReader, ProtocolError, job_result, json_list, json_object, parse_event
from calls.transfer import commands as c
from tests.fuzz.mutations import VALUES, spoiled, twisted
from tests.switch import recordings

pytestmark = pytest.mark.fuzz
NAMES = st.sampled_from(recordings.NAMES)


@cache
def blocks(name: str) -> list[bytes]:
    return [recordings.recounted(line.text) for line in recordings.lines(name) if not line.sent]


@st.composite
def recorded(draw):
    return draw(st.sampled_from(blocks(draw(NAMES))))


def read(data: bytes, cuts: list[int]) -> list:
    reader, found = BlockReader(), []
    for begin, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
        found += reader.feed(data[begin:end])
    return found


@given(st.data())
def test_spoiled_traffic_is_read_or_refused_however_it_is_cut(data):
    whole = data.draw(recorded().flatmap(spoiled)) + data.draw(recorded())
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=5)))
    try:
        at_once = read(whole, [])
    except ProtocolError:
        with pytest.raises(ProtocolError):
            read(whole, cuts)
        return
    assert read(whole, cuts) == at_once
    for block in at_once:
        event = parse_event(block)
        if event:
            job_result(event), event.micros, event.action, event.uuid


@cache
def rooms(name: str) -> dict[str, str]:
    """Conference -> the leg that was first in it."""
    found: dict[str, str] = {}
    for event in recordings.events(name):
        if room := event.get("Conference-Name"):
            found.setdefault(room, event.uuid)
    return found


def known(name: str) -> Index:
    """An index that takes the recorded legs for its own."""
    index = Index()
    for number, (room, caller) in enumerate(rooms(name).items()):
        followed = index.follow(number, f"short{number}", caller, room)
        index.learn(followed, c.Dial("mark", "job", ("2001",), "lab", "x", "x", 9, "", False))
        index.learn(followed, c.StartStream("caller", caller, "ws://x"))
    return index


@given(st.data())
def test_a_strange_event_is_interpreted_without_an_error(data):
    name = data.draw(NAMES)
    index = known(name)
    for text in data.draw(st.lists(st.sampled_from(blocks(name)), min_size=1, max_size=4)):
        for block in _blocks_of(data.draw(spoiled(text))):
            event = parse_event(block)
            if event is not None:
                for leg in (event.uuid, event.get("Unique-ID")):
                    index.by_leg(leg, "mark", "2001")
                interpret(event, index, 1_795_347_925_000)


def _blocks_of(data: bytes) -> list:
    try:
        return BlockReader().feed(data)
    except ProtocolError:
        return []


SHOWN = {"row_count": 1, "rows": [{"uuid": "b", "state": "CS_EXECUTE", "presence_id": "2001@lab", "dest": "2001"}]}
ROOMS = [{"conference_name": "transfer_a_1", "members": [{"uuid": "a", "id": 1}, {"uuid": "b", "id": 2}]}]


@given(twisted(SHOWN), twisted(ROOMS), st.text(max_size=5))
def test_what_a_switch_shows_is_read_whatever_it_shows(shown, rooms, number):
    import orjson

    def text(value):
        try:
            return orjson.dumps(value).decode()
        except TypeError:
            return str(value)

    resync.seen(text(shown), text(rooms), {})
    resync.on_a_call(text(shown), number)


@given(VALUES)
def test_json_of_any_kind_is_an_object_a_list_or_nothing(value):
    import json

    assert isinstance(json_object(json.dumps(value)), dict)
    assert isinstance(json_list(json.dumps(value)), list)


def test_a_long_line_that_never_ends_costs_no_more_than_its_length():
    reader, began = BlockReader(), time.process_time()
    with pytest.raises(ProtocolError):
        for _ in range(100_000):
            reader.feed(b"x" * 64)
    assert time.process_time() - began < 2
