"""Stories share one stack a module: `pytestmark = pytest.mark.asyncio(loop_scope="module")` in each."""

import pytest
import pytest_asyncio

from tests.stack import Stack

pytest.register_assert_rewrite("tests.stories.verdict")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        async with Stack() as stack:
            yield stack
