import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calls.switch.parsing import (
    MAX_HEADERS,
    Block,
    BlockReader,
    ProtocolError,
    job_result,
    json_list,
    json_object,
    parse_event,
)
from tests.switch import recordings


def envelope(body: bytes) -> bytes:
    return b"Content-Length: %d\nContent-Type: text/event-plain\n\n%s" % (len(body), body)


def event_of(body: bytes):
    (block,) = BlockReader().feed(envelope(body))
    return parse_event(block)


@pytest.mark.parametrize("name", recordings.NAMES)
def test_every_recording_is_read_to_its_last_byte(name):
    reader = BlockReader()
    blocks = reader.feed(recordings.received(name))
    assert not reader.inside
    assert len(blocks) == sum(not line.sent for line in recordings.lines(name))
    for block in blocks:
        assert block.kind in {
            "auth/request", "command/reply", "api/response", "text/event-plain", "text/disconnect-notice",
        }  # fmt: skip
        event = parse_event(block)
        assert (event is not None) == (block.kind == "text/event-plain")
        if event:
            assert event.name and event.name != "CUSTOM"
            assert event.get("Core-UUID") and event.micros > 1_700_000_000_000_000
            assert "%3A" not in event.get("Event-Date-Local")


def test_the_recordings_are_all_there():
    assert len(recordings.NAMES) == 40


@pytest.mark.parametrize("name", recordings.NAMES)
def test_every_body_of_a_job_names_a_leg_or_a_cause(name):
    for event in recordings.events(name):
        if event.name == "BACKGROUND_JOB":
            result = job_result(event)
            assert result.job_uuid and len(result.job_uuid) == 36
            assert result.ok == event.body.startswith("+OK")
            assert result.text and "\n" not in result.text
            assert event.get("Content-Length") == str(len(event.body))


@pytest.mark.parametrize("name", recordings.NAMES)
def test_every_body_of_the_audio_stream_is_an_object(name):
    for event in recordings.events(name):
        if event.name.startswith("mod_audio_stream::"):
            body = json_object(event.body)
            assert body
            if event.name == "mod_audio_stream::play":
                assert body["file"].endswith(".wav")


def test_lists_of_channels_and_conferences_are_read():
    (conferences,) = [b for b in BlockReader().feed(recordings.received("accepted")) if b.reply.startswith("[{")]
    assert [member["id"] for member in json_list(conferences.reply)[0]["members"]] == [253, 252]
    (channels,) = [b for b in BlockReader().feed(recordings.received("errors")) if '"rows"' in b.reply]
    assert len(json_object(channels.reply)["rows"]) == 2


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 400), min_size=1, max_size=60))
def test_it_does_not_matter_how_the_stream_is_torn(sizes):
    data = recordings.received("busy")
    whole, torn = BlockReader().feed(data), []
    reader, position, turn = BlockReader(), 0, 0
    while position < len(data):
        size = sizes[turn % len(sizes)]
        torn += reader.feed(data[position : position + size])
        position, turn = position + size, turn + 1
    assert torn == whole


def test_an_encoded_newline_in_a_name_adds_no_header():
    event = event_of(
        b"Event-Name: CHANNEL_HANGUP\nCaller-Caller-ID-Name: Bob%0AUnique-ID: evil%0AEvent-Name: DTMF\n"
        b"Unique-ID: good\n\n"
    )
    assert event.name == "CHANNEL_HANGUP"
    assert event.uuid == "good"
    assert event.get("Caller-Caller-ID-Name") == "Bob\nUnique-ID: evil\nEvent-Name: DTMF"


def test_the_first_of_two_equal_headers_counts():
    assert event_of(b"Event-Name: X\nUnique-ID: first\nUnique-ID: second\n\n").uuid == "first"


def test_lines_end_at_newlines_only():
    event = event_of("Event-Name: X\nA: one\u2028Unique-ID: evil\x0bUnique-ID: worse\x85\nUnique-ID: good\n\n".encode())
    assert event.uuid == "good"
    assert event.get("A").startswith("one\u2028Unique-ID: evil")


def test_a_body_in_latin_1_is_still_read():
    event = event_of(b"Event-Name: X\nCaller-Caller-ID-Name: Jos%E9\nRaw: Jos\xe9\nUnique-ID: good\n\n")
    assert event.get("Caller-Caller-ID-Name") == "Jos\ufffd"
    assert event.uuid == "good"


def test_a_body_does_not_overwrite_headers():
    body = b"Job-UUID: evil\n+OK x\n"
    event = event_of(b"Event-Name: BACKGROUND_JOB\nJob-UUID: good\nContent-Length: %d\n\n%s" % (len(body), body))
    assert event.get("Job-UUID") == "good"
    assert event.body == body.decode()


def test_an_empty_last_header_stays_empty():
    event = event_of(b"Event-Name: X\nA: value\nB: \n\n")
    assert event.get("A") == "value"
    assert event.get("B", "absent") == ""


def test_lengths_count_bytes_not_letters():
    (first, second) = BlockReader().feed(
        "Content-Type: api/response\nContent-Length: 5\n\nçãoContent-Type: command/reply\nReply-Text: +OK\n\n".encode()
    )
    assert first.reply == "ção"
    assert second.reply == "+OK"


def test_a_stream_that_stops_inside_a_body_is_noticed():
    reader = BlockReader()
    assert reader.feed(b"Content-Type: api/response\nContent-Length: 10\n\n123") == []
    assert reader.inside


@pytest.mark.parametrize("length", [b"-1", b"ten", b"9999999999999", "٣".encode()])
def test_a_length_that_is_none_is_refused(length):
    with pytest.raises(ProtocolError):
        BlockReader().feed(b"Content-Type: api/response\nContent-Length: " + length + b"\n\n")


def test_headers_that_never_end_are_refused():
    with pytest.raises(ProtocolError):
        BlockReader().feed(b"x" * (MAX_HEADERS + 1))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_no_bytes_at_all_raise_anything_but_a_protocol_error(data):
    try:
        for block in BlockReader().feed(data + b"\n\n" + envelope(data) + b"\n\n"):
            parse_event(block)
    except ProtocolError:
        pass


@pytest.mark.parametrize(
    ("body", "ok", "text"),
    [
        ("+OK 9e2b060f-16e4-46ec-9744-5d9e777142cb\n", True, "9e2b060f-16e4-46ec-9744-5d9e777142cb"),
        ("-ERR USER_BUSY\n", False, "USER_BUSY"),
        ("-ERR nosuchcommand Command not found!\n", False, "ERROR"),
        ("-USAGE: <call url>\n", False, "ERROR"),
        ("", False, "ERROR"),
    ],
)
def test_a_job_went_well_only_when_it_says_so(body, ok, text):
    event = event_of(b"Event-Name: BACKGROUND_JOB\nContent-Length: %d\n\n%s" % (len(body), body.encode()))
    result = job_result(event)
    assert (result.ok, result.text) == (ok, text)


def test_bodies_that_are_no_json_are_empty():
    assert json_object("nonsense") == json_object("[1]") == {}
    assert json_list("-ERR Conference x not found") == json_list("{}") == []


def test_a_block_that_is_no_event_has_none():
    assert parse_event(Block({"Content-Type": "log/data"}, b"Event-Name: X\n\n")) is None


@pytest.mark.parametrize("length", [b"999999999", b"-1", b"all"])
def test_an_event_whose_own_length_is_none_has_no_body_and_costs_no_connection(length):
    event = event_of(b"Event-Name: BACKGROUND_JOB\nJob-UUID: j\nContent-Length: " + length + b"\n\n+OK\n")
    assert (event.get("Job-UUID"), event.body) == ("j", "")
