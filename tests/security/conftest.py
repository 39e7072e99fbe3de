"""The API's company and client, and the switch process's world, for tests that go from one to the other."""

import pytest

from calls import throttle
from tests.api.conftest import api, company, key  # noqa: F401
from tests.switch.conftest import world  # noqa: F401


@pytest.fixture(autouse=True)
def nobody_counted_yet(settings, request):
    """Every test has counters of its own."""
    settings.REDIS_PREFIX = f"test-{abs(hash(request.node.nodeid))}"
    throttle._blind_until = 0.0
    yield
    throttle._blind_until = 0.0
