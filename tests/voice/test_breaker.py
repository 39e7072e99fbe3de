"""A dead Realtime API is not asked for every call, and is tried again by itself."""

import pytest

from calls import metrics
from calls.simulator.realtime_faults import Fault
from calls.voice import breaker as module
from calls.voice.breaker import TRIAL_SECONDS, Breaker
from tests.voice.world import AgentLine, until


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def breaker(clock):
    return Breaker(3, 30, clock)


def opened(breaker, clock):
    for _ in range(3):
        assert breaker.allows()
        breaker.failed()
    return breaker


def test_some_failures_in_a_row_end_the_asking(breaker, clock):
    assert not breaker.open
    assert not opened(breaker, clock).allows()
    assert breaker.open


def test_a_success_in_between_begins_the_count_anew(breaker):
    for _ in range(5):
        breaker.failed(), breaker.failed(), breaker.succeeded()
    assert breaker.allows() and not breaker.open


def test_after_the_rest_one_tries_it_and_the_others_wait_for_what_he_finds(breaker, clock):
    opened(breaker, clock)
    clock.now += 30
    assert [breaker.allows() for _ in range(3)] == [True, False, False]
    breaker.succeeded()
    assert [breaker.allows() for _ in range(3)] == [True, True, True]


def test_a_failed_trial_begins_another_rest(breaker, clock):
    opened(breaker, clock)
    clock.now += 30
    assert breaker.allows()
    breaker.failed()
    clock.now += 29
    assert not breaker.allows()
    clock.now += 1
    assert breaker.allows()


def test_a_trial_of_which_nothing_is_heard_is_followed_by_another(breaker, clock):
    opened(breaker, clock)
    clock.now += 30
    assert breaker.allows() and not breaker.allows()
    clock.now += TRIAL_SECONDS
    assert breaker.allows()


def test_only_the_failure_that_ends_the_asking_is_told(breaker):
    assert [breaker.failed() for _ in range(5)] == [False, False, True, False, False]


async def test_announcers_stop_asking_a_dead_api_speak_by_themselves_and_try_it_again(web, realtime, tmp_path, db):
    hub, clock = web.hub, Clock()
    hub.breaker = Breaker(2, 30, clock)
    realtime.faults = [Fault("refuse", status=503)]
    for number in (1, 2):
        await web.claimed(number)
        await until(lambda n=number: realtime.attempts >= n, what="the refusal")
    await until(lambda: hub.breaker.open, what="the end of the asking")
    assert module.resting() and b"transferhub_realtime_resting 1.0" in await _metrics()

    url = await web.claimed(3)
    async with AgentLine(web, tmp_path, 10) as line:
        line.connect(url)
        await line.hears(0.5)  # synthesised, and at once
        assert realtime.attempts == 2
        await line.stream.stop()

    realtime.faults = []
    clock.now += 30
    await web.claimed(4)
    await until(lambda: not hub.breaker.open, what="the trial's success")
    assert realtime.attempts == 3 and b"transferhub_realtime_resting 0.0" in await _metrics()


async def _metrics() -> bytes:
    from asgiref.sync import sync_to_async

    return await sync_to_async(metrics.render)()
