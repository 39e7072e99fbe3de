"""What every test may use. Parts and settings: tests/settings.py; end-to-end stories: tests/stack.py."""

import contextlib
from pathlib import Path

import pytest
from channels.layers import channel_layers
from django.conf import settings
from django.db import DatabaseError
from django.test.utils import setup_databases, teardown_databases

from tests.crash import points
from tests.database import address_of_test_database

RECORDINGS = Path(__file__).parent / "recordings"
LONGEST_FIRST = ("crash/test_crash", "stories/test_stories", "stories/test_alone", "security/test_injection")
"""Files that take a minute and more: begun first, so that no worker is left with one of them at the end."""
AN_HOUR = 3600
"""Seconds. The limit of pyproject.toml is for what `make test` runs."""


def pytest_report_header() -> str:
    return f"processes die at: {points.AS_SET} (tests/crash)"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.removeprefix("tests/").startswith(LONGEST_FIRST))
    for item in items:
        if any(item.get_closest_marker(name) for name in ("slow", "fuzz")) or points.EVERY == 1:
            item.add_marker(pytest.mark.timeout(AN_HOUR), append=False)


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder with the Event Socket traffic of a real FreeSWITCH, one scenario a file."""
    return RECORDINGS


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment, django_db_modify_db_settings, django_db_blocker):
    """The test database, also where no test carries the mark: the stories' stack commits to it unmarked."""
    with django_db_blocker.unblock():
        made = setup_databases(verbosity=0, interactive=False, aliases={"default"})
    yield
    # A thread may hold its connection still, and PostgreSQL drops no database in use: the next run clears it away.
    with django_db_blocker.unblock(), contextlib.suppress(DatabaseError):
        teardown_databases(made, verbosity=0)


@pytest.fixture
def redis_url() -> str:
    """This worker's own Redis database."""
    return settings.REDIS_URL


@pytest.fixture
def database_url(transactional_db) -> str:
    """The test database's address for another process; what the test writes is committed and really visible there."""
    return address_of_test_database()


@pytest.fixture(autouse=True)
def _a_channel_layer_of_its_own():
    """A layer's connections belong to the event loop that made them, and every test has a loop of its own."""
    channel_layers.backends.clear()
    yield
    channel_layers.backends.clear()
