"""What the board says is down, and that a hiccup is not told."""

from datetime import timedelta

import pytest
from django.utils import timezone

from calls.console import alarms
from calls.models import Switch
from calls.voice.breaker import Breaker


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    monkeypatch.setattr(alarms, "_since", {})
    monkeypatch.setattr(alarms, "_looked", {})
    monkeypatch.setattr(alarms, "DOWN_SECONDS", 0)


async def looked() -> set[str]:
    alarms._looked.clear()
    return {alarm.key for alarm in await alarms.look()}


@pytest.mark.django_db(transaction=True)
async def test_what_is_down_is_named_and_what_came_back_is_not(settings):
    await Switch.objects.acreate(slug="main", name="Main", connected=True)
    settings.OPENAI_API_KEY, settings.OPENAI_REALTIME_URL = "sk", "ws://127.0.0.1:1/v1/realtime"
    there, settings.REDIS_URL = settings.REDIS_URL, "redis://127.0.0.1:1/0"
    assert await looked() == {"switch:main", "realtime", "redis"}

    settings.OPENAI_API_KEY, settings.REDIS_URL = "", there
    await Switch.objects.aupdate(lease_until=timezone.now() + timedelta(minutes=1))
    assert await looked() == set()


@pytest.mark.django_db(transaction=True)
async def test_a_realtime_api_that_is_left_alone_is_told(settings):
    """It takes connections, and refuses what it is asked."""
    settings.OPENAI_API_KEY = ""
    breaker = Breaker(1, 30)
    breaker.failed()
    assert await looked() == {"resting"}
    breaker.succeeded()
    assert await looked() == set()


@pytest.mark.django_db(transaction=True)
async def test_a_hiccup_alarms_nobody(settings, monkeypatch):
    monkeypatch.setattr(alarms, "DOWN_SECONDS", 5)
    settings.OPENAI_API_KEY, settings.REDIS_URL = "", "redis://127.0.0.1:1/0"
    assert await looked() == set()
    monkeypatch.setattr(alarms, "DOWN_SECONDS", 0)
    assert await looked() == {"redis"}


@pytest.mark.django_db(transaction=True)
async def test_the_switch_of_a_trial_alarms_nobody(settings):
    settings.OPENAI_API_KEY = ""
    await Switch.everything.acreate(slug="ensaio-1", name="ensaio-1", is_trial=True)
    assert await looked() == set()
