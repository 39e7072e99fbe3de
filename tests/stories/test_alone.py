"""The stories of tests/README.md that break a part all calls share: one after the other, on a stack of their own."""

import pytest

from tests.stories import plots, table
from tests.stories.verdict import check

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("name", plots.ALONE)
async def test_the_story_is_lived_alone_as_the_table_says(stack, name):
    await check(stack, await getattr(plots, name)(stack), table.stories()[name])
    await stack.tidy()
