"""What a wire may make of a message: bytes lost, doubled, changed, put in; values that are of another kind."""

from typing import Any

from hypothesis import strategies as st

NASTY = [
    b"\n", b"\n\n", b"\r\n", b"\x00", b"\xff\xfe", b"%0A%0A", b"%", b": ", b"Content-Length: 999999999\n",
    b"Content-Length: -1\n", b"Content-Length: 4\n\n", "\u2028".encode(), b"${evil}", b"'", b"{", b"}", b"[[[[",
]  # fmt: skip
NUMBERS = st.sampled_from([0, -1, 1, 2**31, 2**63, 2**64, 10**30, 1e308, -0.0])
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=20) | st.sampled_from(["", "NaN", "\x00", "\ud83d"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@st.composite
def spoiled(draw: Any, original: bytes) -> bytes:
    """The bytes with one to four faults."""
    data = bytearray(original)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        match draw(st.integers(0, 3)):
            case 0:
                del data[at : at + draw(st.integers(1, 40))]
            case 1:
                data[at:at] = data[at : at + draw(st.integers(1, 200))]
            case 2:
                data[at:at] = draw(st.sampled_from(NASTY) | st.binary(max_size=8))
            case _ if at < len(data):
                data[at] = draw(st.integers(0, 255))
    return bytes(data)


@st.composite
def twisted(draw: Any, original: Any) -> Any:
    """The JSON value with some of its parts gone or of another kind."""
    if draw(st.integers(0, 6)) == 0:
        return draw(VALUES)
    if isinstance(original, dict):
        kept = {key: draw(twisted(value)) for key, value in original.items() if draw(st.integers(0, 12))}
        return kept | (draw(st.dictionaries(st.text(max_size=4), VALUES, max_size=1)) if draw(st.booleans()) else {})
    if isinstance(original, list):
        return [draw(twisted(value)) for value in original if draw(st.integers(0, 8))]
    return original
