"""What the adversary does, and when: decided by a seed alone. Pure.

The blows of a deck are dealt in an order of chance, then the next deck; so every kind comes, and none too often. They
may overlap: a blow's `seconds` are longer than the pause before the next one.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Blow:
    """`after` the one before, something of `kind` is broken for `seconds` (0: it is over at once)."""

    after: float
    kind: str
    seconds: float = 0.0


DECK: dict[str, tuple[int, float, float]] = {
    # kind: times in a deck, shortest, longest (seconds that a dead part stays dead, or a fault lasts)
    "web killed": (2, 0.1, 3),
    "web told to stop": (1, 0.1, 1),
    "switch killed": (2, 0.1, 3),
    "switch told to stop": (1, 0.1, 1),
    "worker killed": (1, 0.1, 3),
    "redis killed": (1, 0.1, 3),
    "redis frozen": (1, 2, 14),
    "all of ours killed": (1, 0.5, 3),
    "freeswitch restarted": (1, 0, 0),
    "event socket cut": (2, 0, 0),
    "event socket refused": (1, 1, 4),
    "event socket half open": (1, 5, 10),
    "event socket slow": (1, 3, 6),
    "event socket garbage": (1, 0, 0),
    "events late": (1, 3, 6),
    "events doubled": (1, 3, 6),
    "events out of order": (1, 3, 6),
    "audio refused": (1, 2, 5),
    "audio dropped": (2, 0, 0),
    "audio silent": (1, 2, 5),
    "realtime refuses": (1, 2, 6),
    "realtime stalls": (1, 2, 6),
    "realtime drops": (1, 1, 3),
    "realtime expires": (1, 1, 3),
    "realtime talks nonsense": (1, 2, 6),
    "realtime calls both tools": (1, 3, 8),
    "realtime is mute": (1, 2, 6),
    "omniplay slow": (1, 3, 8),
    "omniplay answers 500": (1, 3, 8),
    "omniplay answers nonsense": (1, 3, 8),
    "database locked": (2, 1, 5),
    "database connections cut": (1, 0, 0),
}
PAUSE = (3.0, 7.0)
LONG = {
    # what is gone for a minute and more in the long form; everything else is as above
    "web killed": (1, 60, 75),
    "switch killed": (1, 60, 75),
    "worker killed": (1, 60, 75),
    "redis killed": (1, 60, 75),
    "all of ours killed": (2, 60, 90),
    "event socket refused": (1, 60, 75),
    "database locked": (1, 60, 75),
    "realtime refuses": (1, 60, 75),
    "omniplay answers 500": (1, 60, 75),
}
AFTER_LONG = 20.0
"""Seconds of rest after a long outage, so that the next one finds calls in every stage."""
KINDS = tuple(DECK)


def adversary(seed: int, *, long: bool = False, without: frozenset[str] = frozenset()) -> Iterator[Blow]:
    """Blows for ever. `without`: kinds that are not possible here."""
    chance = random.Random(seed)
    while True:
        deck = [(kind, *bounds) for kind, (times, *bounds) in DECK.items() for _ in range(times) if kind not in without]
        chance.shuffle(deck)
        for kind, shortest, longest in deck:
            yield Blow(chance.uniform(*PAUSE), kind, round(chance.uniform(shortest, longest), 2))
        if long:
            yield from _outages(chance, without)


def _outages(chance: random.Random, without: frozenset[str]) -> Iterator[Blow]:
    outages = [(kind, *bounds) for kind, (times, *bounds) in LONG.items() for _ in range(times) if kind not in without]
    chance.shuffle(outages)
    before = AFTER_LONG
    for kind, shortest, longest in outages:
        seconds = chance.uniform(shortest, longest)
        yield Blow(before, kind, round(seconds, 2))
        before = seconds + AFTER_LONG
