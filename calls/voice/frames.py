"""A WebSocket's bytes, cut into whole frames. Pure.

Fifty frames a second of each call are whole messages of one kind: they go straight to their hearer. All others (of
other kinds, in parts, pings, the close, and whatever is wrong) go to the library that knows what to do with them, whole
too, so that it always stands between two frames. The library's own way costs three times as much a frame.
"""

from collections.abc import Callable

from websockets.frames import apply_mask

TEXT, BINARY = 0x81, 0x82
"""First byte of a whole, uncompressed message."""
LARGEST = 1 << 20
"""A larger frame would be copied too often while it comes in; from there on everything is the library's."""


class FrameCutter:
    """`kind` goes to `hear` as its payload, all else to `other` as it came; `masked`: what comes is a client's."""

    def __init__(self, kind: int, hear: Callable[[bytes], None], other: Callable[[bytes], None], *, masked: bool):
        self._kind, self._hear, self._other = kind, hear, other
        self._mask = 0x80 if masked else 0
        self._rest = b""
        self._all_other = False

    def pass_all(self) -> None:
        """From now on everything is for `other`."""
        self._all_other = True
        rest, self._rest = self._rest, b""
        if rest:
            self._other(rest)

    def feed(self, data: bytes) -> None:
        if self._all_other:
            self._other(data)
            return
        if self._rest:
            data = self._rest + data
            self._rest = b""
        at, end = 0, len(data)
        while end - at >= 2:
            size, begin = data[at + 1] ^ self._mask, at + 2
            if size == 126:
                begin = at + 4
                size = int.from_bytes(data[at + 2 : begin], "big") if begin <= end else end
            elif size == 127:
                begin = at + 10
                size = int.from_bytes(data[at + 2 : begin], "big") if begin <= end else end
            if size > LARGEST or data[at + 1] & 0x80 != self._mask:
                self._rest = data[at:]
                self.pass_all()
                return
            if self._mask:
                begin += 4
            stop = begin + size
            if stop > end:
                break
            if data[at] != self._kind:
                self._other(data[at:stop])
            elif self._mask:
                self._hear(apply_mask(data[begin:stop], data[begin - 4 : begin]))
            else:
                self._hear(data[begin:stop])
            at = stop
            if self._all_other:  # by what was just heard
                if at < end:
                    self._other(data[at:])
                return
        if at < end:
            self._rest = data[at:]
