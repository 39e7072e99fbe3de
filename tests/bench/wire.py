"""The Event Socket's wire between the switch process and the switch, with the time of every byte; read afterwards.

Times are ns of this host's monotonic clock, taken where the bytes pass.
"""

import asyncio
import re
import time
from collections.abc import Iterator
from itertools import pairwise

from calls.switch.parsing import BlockReader, SwitchEvent, parse_event

now = time.monotonic_ns


class Wire:
    """`port` listens; everything is passed on to `to`, and kept."""

    def __init__(self, to: int) -> None:
        self._to = to
        self.port = 0
        self._said: list[tuple[int, bytes]] = []
        self._heard: list[tuple[int, bytes]] = []

    async def __aenter__(self) -> "Wire":
        self._server = await asyncio.get_running_loop().create_server(lambda: _End(self._said, self._join), "127.0.0.1")
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    def commands(self) -> Iterator[tuple[int, str]]:
        """What the product has sent, in order."""
        rest = b""
        for at, data in self._said:
            *whole, rest = (rest + data).split(b"\n\n")
            for command in whole:
                yield at, command.decode().strip()

    def events(self) -> Iterator[tuple[int, SwitchEvent]]:
        """What the switch has told of, in order."""
        reader = BlockReader()
        for at, data in self._heard:
            for block in reader.feed(data):
                if event := parse_event(block):
                    yield at, event

    def _join(self, product: "_End") -> None:
        async def connect() -> None:
            switch = _End(self._heard)
            await asyncio.get_running_loop().create_connection(lambda: switch, "127.0.0.1", self._to)
            switch.other, product.other = product, switch
            for data in product.early:
                switch.transport.write(data)

        self._task = asyncio.create_task(connect())


class _End(asyncio.Protocol):
    """One of the two sockets."""

    def __init__(self, kept: list[tuple[int, bytes]], joined=lambda end: None) -> None:
        self._kept, self._joined = kept, joined
        self.other: _End | None = None
        self.early: list[bytes] = []

    def connection_made(self, transport) -> None:
        self.transport = transport
        self._joined(self)

    def data_received(self, data: bytes) -> None:
        self._kept.append((now(), data))
        if self.other:
            self.other.transport.write(data)
        else:
            self.early.append(data)

    def connection_lost(self, error: Exception | None) -> None:
        if self.other:
            self.other.transport.close()


STAGES = ("stream asked for", "clip handed over", "play command")
"""Of the first words, each from the end of the one before:
the machine's step and the outbox, from the event add-member to `uuid_audio_stream … start`;
FreeSWITCH's WebSocket, our admission of it, and its file of our clip (18 ms are FreeSWITCH's), to the event play;
the command, to `conference … play`."""


def first_words(wire: Wire) -> dict[str, list[float]]:
    """ms of each of STAGES for the first clip of every announcement, by the call's conference."""
    joined: dict[str, str] = {}  # the agent's leg -> conference
    times: dict[str, list[int]] = {}  # conference ->
    for at, what in sorted([*wire.events(), *wire.commands()], key=lambda each: each[0]):
        if isinstance(what, SwitchEvent):
            if what.action == "add-member" and what.get("Member-Type") != "moderator":
                joined[what.uuid] = what.get("Conference-Name")
                times[joined[what.uuid]] = [at]
            elif what.name == "mod_audio_stream::play" and len(times.get(joined.get(what.uuid, ""), ())) == 2:
                times[joined[what.uuid]].append(at)
        elif found := re.match(r"api uuid_audio_stream (\S+) start ", what):
            if len(times.get(joined.get(found[1], ""), ())) == 1:
                times[joined[found[1]]].append(at)
        elif (found := re.match(r"api conference (\S+) play ", what)) and len(times.get(found[1], ())) == 3:
            times[found[1]].append(at)
    whole = {room: each for room, each in times.items() if len(each) == len(STAGES) + 1}
    return {room: [(then - before) / 1e6 for before, then in pairwise(each)] for room, each in whole.items()}


def unmuted(wire: Wire) -> dict[str, int]:
    """When each conference's caller was let speak, ns."""
    found = ((re.match(r"api conference (\S+) unmute ", command), at) for at, command in wire.commands())
    return {match[1]: at for match, at in found if match}
