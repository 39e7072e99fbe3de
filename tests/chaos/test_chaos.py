"""The chaos soak in its shortest form; `make chaos` is the whole of it."""

import pytest
from asgiref.sync import sync_to_async
from django.db import connection

from tests.chaos import company, schedule
from tests.chaos.rig import DIVISOR, ChaosStack
from tests.chaos.run import Report, Run

pytestmark = [pytest.mark.slow, pytest.mark.asyncio]

SEED, TRANSFERS, AT_ONCE = 1, 20, 10


async def test_no_promise_is_broken_under_the_adversary(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        without = frozenset({"database connections cut"} if connection.vendor == "sqlite" else ())
        async with ChaosStack(SEED) as stack:
            callings = await sync_to_async(company.prepare)(stack.book, TRANSFERS, SEED)
            report, said = Report(SEED, TRANSFERS, AT_ONCE), []
            await Run(stack, report, said.append, DIVISOR).live(callings, schedule.adversary(SEED, without=without))
    assert report.good, "\n".join([*said, report.table()])
    assert sum(report.faults.values()) > 3
