"""Redis is gone for a while: people are still put through, by key and by voice, and whoever comes new is served."""

import asyncio
import subprocess
import time

import pytest
import pytest_asyncio

from calls.demo import valkey
from calls.demo.orphans import ends_with_parent
from calls.models import Ticket
from tests.stack import Stack
from tests.stories import plots

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

SHORT = {"instructions": "{caller}. Pode atender?", "ticket_text": "Protocolo {protocol}."}


class Redis:
    """A Valkey of this module's own."""

    def __init__(self, folder):
        self._command, self.url = valkey.configure(folder, persist=False)
        self._process: subprocess.Popen | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=ends_with_parent()
        )
        while not valkey.answers(self.url):
            time.sleep(0.02)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    redis = Redis(tmp_path_factory.mktemp("valkey"))
    redis.start()
    yield redis
    redis.kill()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(redis, django_db_setup, django_db_blocker):
    from django.conf import settings

    usual, settings.REDIS_URL = settings.REDIS_URL, redis.url
    try:
        with django_db_blocker.unblock():
            async with Stack() as stack:
                yield stack
    finally:
        settings.REDIS_URL = usual


async def test_decisions_by_key_and_by_voice_work_without_redis_and_tickets_wait_for_it(stack, redis):
    redis.kill()
    by_key, by_voice, refused = await asyncio.gather(
        plots.live(stack, "presses_1", fields=SHORT),
        plots.live(stack, "accepts", fields=SHORT),
        plots.live(stack, "presses_2", fields=SHORT),
    )
    assert (by_key.transfer["outcome"], by_key.transfer["decided_by"]) == ("accepted", "key")
    assert (by_voice.transfer["outcome"], by_voice.transfer["decided_by"]) == ("accepted", "voice")
    for told in (by_key, by_voice):
        assert stack.heard_each_other(told.call.uuid, told.transfer["agent_uuid"])
    assert refused.transfer["outcome"] == "rejected"
    assert stack.seconds_heard(refused.call.uuid, "broadcast:") > 2
    assert [stack.returns(each.call) for each in (by_key, by_voice, refused)] == [1, 1, 1]
    ticket = await Ticket.objects.aget(protocol=refused.transfer["ticket"]["protocol"])
    assert (ticket.state, ticket.told) == (Ticket.State.PENDING, True)
    await stack.tidy()
    redis.start()
