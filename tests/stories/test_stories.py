"""The stories of tests/README.md, each through API, simulator, relay and database, lived at the same time on one stack.

They take as long as telephone calls do, so all of them are begun at once and each test waits for its own.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio

from calls.simulator.predictions import OUTCOMES, WITH_TICKET
from tests.stack import Stack
from tests.stories import plots, table
from tests.stories.verdict import check

pytestmark = pytest.mark.asyncio(loop_scope="module")

STORIES = table.stories()
TEMPERAMENTS = table.temperaments()
TOGETHER = [name for name in STORIES if name not in plots.ALONE + plots.ELSEWHERE]
AT_ONCE = 8
"""Stories that run at the same time: more and the two cores' audio would run late, which is not what is tested."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def telling(stack: Stack, request: pytest.FixtureRequest):
    """Every chosen story and temperament's transfer as a task under way."""
    chosen = " ".join(item.name for item in request.session.items)
    places = asyncio.Semaphore(AT_ONCE)

    async def begin(plot: Callable[..., Awaitable[plots.Told]], *arguments: Any, **options: Any) -> plots.Told:
        async with places:
            return await plot(stack, *arguments, **options)

    tasks = {
        name: asyncio.create_task(begin(getattr(plots, name)), name=name) for name in TOGETHER if f"[{name}]" in chosen
    }
    for name in (name for name in TEMPERAMENTS if f"[{name}]" in chosen):
        fields = plots.SHORT if OUTCOMES[name] == "timeout" else None
        tasks[f"agent {name}"] = asyncio.create_task(begin(plots.live, name, fields=fields), name=name)
    yield tasks
    for task in tasks.values():
        task.cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)


@pytest.mark.parametrize("name", TOGETHER)
async def test_the_story_is_lived_as_the_table_says(stack, telling, name):
    await check(stack, await telling[name], STORIES[name])


@pytest.mark.parametrize("name", TEMPERAMENTS)
async def test_a_temperament_has_its_outcome(stack, telling, name):
    told = await telling[f"agent {name}"]
    outcome, reason = TEMPERAMENTS[name]
    assert told.transfer["outcome"] == outcome == OUTCOMES[name]
    assert (told.transfer["ticket"] is not None) == (outcome in WITH_TICKET)
    said = told.transfer["reason"] or "-"
    assert said == reason or (reason == "his words" and len(said) > 3)


async def test_nothing_is_left_over_when_all_stories_have_been_told(stack, telling):
    await asyncio.gather(*telling.values(), return_exceptions=True)
    await stack.tidy()
    assert stack.complaints == []


async def test_every_row_has_a_plot_and_every_temperament_a_row():
    assert all(hasattr(plots, name) for name in STORIES)
    assert set(TEMPERAMENTS) == set(OUTCOMES)


async def test_no_log_holds_a_secret_a_number_a_token_or_what_was_said(stack, telling):
    told = [
        each for each in await asyncio.gather(*telling.values(), return_exceptions=True) if isinstance(each, plots.Told)
    ]
    logs = "".join(stack.log(name) for name in stack.parts)
    assert told and logs.count("transfer.event") > 5 * len(told)
    secrets = [stack.switch.password, stack.omniplay.token, "sk-stack", "the tests' own key"]
    numbers = {each.call.number for each in told}
    said = {"pode passar", "em reunião", "orçamento", "Maria", "secretária virtual", "protocolo é"}
    assert [each for each in [*secrets, *numbers, *said, "/audio/", "thk_"] if each and each in logs] == []
