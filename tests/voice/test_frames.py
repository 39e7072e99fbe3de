"""A WebSocket's bytes cut into frames: ours to their hearer, all others whole to the library, in order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from calls.voice.frames import BINARY, LARGEST, TEXT, FrameCutter

KINDS = {BINARY: Opcode.BINARY, TEXT: Opcode.TEXT}
payloads = st.one_of(st.binary(max_size=130), st.integers(120, 70_000).map(bytes))
frames = st.builds(
    Frame,
    st.sampled_from([Opcode.BINARY, Opcode.TEXT, Opcode.CONT, Opcode.PING, Opcode.PONG]),
    payloads,
    fin=st.booleans(),
    rsv1=st.booleans(),
)


def on_the_wire(frame, masked):
    """As the library writes it, without its checks: what comes may be anything."""
    data = bytearray(Frame(Opcode.BINARY, frame.data).serialize(mask=masked))
    data[0] = frame.fin << 7 | frame.rsv1 << 6 | frame.opcode
    return bytes(data)


def cut(pieces, kind, masked):
    seen = []
    cutter = FrameCutter(kind, lambda x: seen.append(("heard", x)), lambda x: seen.append(("other", x)), masked=masked)
    for piece in pieces:
        cutter.feed(piece)
    return seen


@given(
    st.lists(frames, max_size=5), st.lists(st.integers(1, 3000), max_size=60), st.sampled_from([*KINDS]), st.booleans()
)
def test_however_the_bytes_come_the_frames_are_the_same(sent, sizes, kind, masked):
    wire = [on_the_wire(frame, masked) for frame in sent]
    stream, pieces = b"".join(wire), []
    for size in sizes:
        pieces.append(stream[:size])
        stream = stream[size:]
    ours = [frame.opcode == KINDS[kind] and frame.fin and not frame.rsv1 for frame in sent]
    expected = [
        ("heard", bytes(frame.data)) if mine else ("other", raw)
        for frame, raw, mine in zip(sent, wire, ours, strict=True)
    ]
    assert cut([*pieces, stream], kind, masked) == expected


@pytest.mark.parametrize("masked", [True, False])
def test_from_a_frame_of_the_wrong_side_on_all_is_the_librarys(masked):
    good, bad = (Frame(Opcode.BINARY, b"voice").serialize(mask=side) for side in (masked, not masked))
    seen = cut([good + bad + good, good], BINARY, masked)
    assert seen == [("heard", b"voice"), ("other", bad + good), ("other", good)]


def test_from_a_huge_frame_on_all_is_the_librarys_and_nothing_is_kept_back():
    huge = Frame(Opcode.TEXT, bytes(LARGEST + 1)).serialize(mask=False)
    pieces = [huge[at : at + 100_000] for at in range(0, len(huge), 100_000)]
    seen = cut(pieces, TEXT, False)
    assert seen == [("other", piece) for piece in pieces]


def test_who_passes_all_in_the_middle_of_a_frame_keeps_nothing_back():
    seen = []
    cutter = FrameCutter(BINARY, seen.append, seen.append, masked=False)
    raw = Frame(Opcode.BINARY, b"voice").serialize(mask=False)
    cutter.feed(raw[:3])
    cutter.pass_all()
    cutter.feed(raw[3:])
    assert seen == [raw[:3], raw[3:]]
