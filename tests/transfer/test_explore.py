"""The machine, the words it sends and the resync, explored: no order of events, loss or death breaks a promise.

`make explore` (EXPLORE_STEPS) goes on where these stop. An episode that fails is told by its seed: replayed(seed).
"""

import os

import pytest

from tests.transfer.explore.mutations import MUTATIONS
from tests.transfer.explore.sentences import Broken
from tests.transfer.explore.world import World, replayed

STEPS = int(os.environ.get("EXPLORE_STEPS", 110_000))
FIRST = int(os.environ.get("EXPLORE_SEED", 0))
SEEDS_FOR_A_MUTATION = 4_000


def explore(seed: int) -> World:
    world = World(seed)
    world.run()
    return world


def test_whatever_happens_in_whatever_order_the_promises_hold():
    steps, seed = 0, FIRST
    outcomes: set[tuple[str, str | None]] = set()
    while steps < STEPS:
        try:
            world = explore(seed)
        except Broken as broken:
            pytest.fail(f"seed {seed}: {broken}\n" + "\n".join(replayed(seed)[-60:]), pytrace=False)
        steps += world.steps
        outcomes |= {(t.snapshot.state.value, t.snapshot.outcome) for t in world.database.transfers}
        seed += 1
    # It went everywhere: every outcome was reached, and death struck in every state that can be died in.
    assert {outcome for state, outcome in outcomes if state == "ended"} >= {
        "accepted", "rejected", "timeout", "no_answer", "busy", "unavailable", "voicemail", "caller_left", "cancelled",
        "error",
    }  # fmt: skip
    assert {state for state, _ in outcomes} >= {
        "requested", "parking", "dialling", "announcing", "connecting", "connected", "informing", "returning", "ended",
    }  # fmt: skip


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_a_fault_that_is_planted_is_found(mutation, monkeypatch):
    mutation(monkeypatch)
    for seed in range(FIRST, FIRST + SEEDS_FOR_A_MUTATION):
        try:
            explore(seed)
        except Broken:
            return
        except Exception as error:  # a mutant may also stumble over itself, which is no finding of ours
            pytest.fail(f"seed {seed}: {error!r}")
    pytest.fail(f"{mutation.__doc__} was not found in {SEEDS_FOR_A_MUTATION} episodes")
