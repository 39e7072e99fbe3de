"""SIGKILL after each write and each command: three stories, each process, and what its people then experienced.

`make test` dies at every fifth point, beginning at another one each day; `make crash` at all of them. The header of
pytest's report says which: `make test ARGS=tests/crash` with these in the environment repeats it.
"""

import pytest
import pytest_asyncio

from tests.crash.lanes import Lanes
from tests.crash.lanes import lanes as at_work
from tests.crash.points import AS_SET, EVERY, PROCESSES, STORIES

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lanes():
    async with at_work() as lanes:
        yield lanes


@pytest.mark.parametrize("story", STORIES)
async def test_without_a_death_each_story_ends_as_it_should(lanes: Lanes, story: str):
    told = await lanes.told(story)
    assert (told["wrong"], told.get("outcome")) == ("", STORIES[story][1])


@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize("process", PROCESSES)
async def test_whenever_a_process_dies_the_promises_hold(lanes: Lanes, process: str, story: str):
    trial = await lanes.result(process, story)
    assert not trial.wrong, f"{AS_SET}: " + "\n".join(trial.wrong)
    assert trial.died or lanes.natural[story]["done"][process] < EVERY, "nothing died"
