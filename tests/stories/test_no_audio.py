"""A FreeSWITCH that cannot reach our audio address: the one story that needs a stack of its own."""

import pytest
import pytest_asyncio

from calls.demo.ports import free_port
from tests.stack import Stack
from tests.stories import plots, table
from tests.stories.verdict import check

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        async with Stack(AUDIO_BASE_URL=f"ws://127.0.0.1:{free_port()}") as stack:
            yield stack


async def test_an_agent_who_cannot_be_spoken_to_is_let_go_and_the_caller_taken_home(stack):
    told = await plots.audio_socket_refused(stack)
    await check(stack, told, table.stories()["audio_socket_refused"])
    await stack.tidy()
