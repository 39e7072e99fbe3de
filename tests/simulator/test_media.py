"""Broadcasts, playbacks, the telephone's own hold, the tick's clock and the ledger."""

import asyncio
import time

import numpy as np
import pytest

from calls.simulator.fir import Upsampler
from calls.simulator.ledger import REMEMBERED, Ledger
from calls.simulator.media import CATCH_UP, Media
from calls.simulator.sound import FRAME, TICK
from calls.simulator.tones import RATE
from calls.simulator.wav import write_wav
from tests.simulator.listening import run, tone_leg, tones, until

PROMPT = "tone_stream://%(1500,0,1700)"


@pytest.fixture
def media():
    return Media()


@pytest.fixture
def room(media):
    room = media.open_room("r", None)
    room.enter(1, tone_leg(media, "a", 300), muted=True)
    room.enter(2, tone_leg(media, "b", 900), muted=False)
    run(media, 0.2)
    return room


def test_a_broadcast_replaces_the_conference_for_its_leg_and_ends_by_itself(media, room):
    news = []
    media.broadcast("a", PROMPT, lambda: news.append(("start", media.now)), lambda how: news.append((how, media.now)))
    assert media.broadcasting("a")
    ordered = media.now
    run(media, 0.5)
    assert tones(media, "a", 0.2, 900, 1700) == {1700}
    run(media, 1.5)
    assert [what for what, _ in news] == ["start", "done"]
    (_, started), (_, stopped) = news
    assert 0.13 <= started - ordered <= 0.21
    assert stopped - started == pytest.approx(1.5, abs=TICK)
    assert not media.broadcasting("a")
    assert tones(media, "a", 0.2, 900, 1700) == {900}
    assert media.ledger.seconds_heard("b", "broadcast:") == 0


def test_a_broadcast_is_heard_on_hold(media, room):
    room.set(1, hold="tone_stream://%(200,300,800);loops=-1")
    media.broadcast("a", PROMPT)
    run(media, 0.8)
    assert tones(media, "a", 0.5, 800, 1700) == {1700}


def test_a_second_broadcast_waits_for_the_first(media, room):
    news = []
    for name, hertz in (("one", 1700), ("two", 1900)):
        media.broadcast(
            "a",
            f"tone_stream://%(400,0,{hertz})",
            lambda name=name: news.append(f"{name} starts"),
            lambda how, name=name: news.append(f"{name} {how}"),
        )
    run(media, 1.5)
    assert news == ["one starts", "one done", "two starts", "two done"]


def test_a_break_cuts_a_broadcast_at_once(media, room):
    news = []
    media.broadcast("a", PROMPT, lambda: news.append("start"), news.append)
    run(media, 0.5)
    media.break_("a")
    assert news == ["start", "break"]
    run(media, 0.1)
    assert tones(media, "a", 0.1, 900, 1700) == {900}


def test_a_broadcast_broken_before_it_began_tells_nothing(media, room):
    news = []
    media.broadcast("a", PROMPT, lambda: news.append("start"), news.append)
    media.break_("a")
    run(media, 0.5)
    assert news == []


def test_a_broadcast_to_a_leg_that_goes_is_done(media, room):
    news = []
    media.broadcast("a", PROMPT, lambda: news.append("start"), news.append)
    run(media, 0.5)
    media.remove_leg("a")
    assert news == ["start", "done"]
    run(media, 0.1)


def test_a_playback_loops_until_it_is_stopped(media):
    tone_leg(media, "a", None)
    media.loop_playback("a", "tone_stream://%(100,100,600);loops=-1")
    run(media, 3.0)
    assert media.ledger.seconds_heard("a", "playback:") == pytest.approx(3.0, abs=0.15)
    media.stop_playback("a")
    run(media, 0.2)
    assert tones(media, "a", 0.2, 600) == set()


def test_a_playback_of_one_round_tells_its_end(media, tmp_path):
    tone_leg(media, "a", None)
    write_wav(tmp_path / "menu.wav", np.full(RATE, 5000, np.int16))
    news = []
    media.loop_playback("a", str(tmp_path / "menu.wav"), loop=False, on_stop=news.append)
    run(media, 0.9)
    assert news == []
    run(media, 0.2)
    assert news == ["done"]


def test_a_telephone_on_its_own_hold_neither_says_nor_hears(media, room):
    media.legs["b"].on_hold = True
    room.set(1, muted=False)
    run(media, 0.3)
    assert tones(media, "a", 0.2, 900) == set()
    assert tones(media, "b", 0.2, 300) == set()
    media.legs["b"].on_hold = False
    run(media, 0.3)
    assert tones(media, "a", 0.2, 900) == {900}
    assert tones(media, "b", 0.2, 300) == {300}


async def test_the_tick_runs_at_its_speed():
    media = Media(speed=10)
    await media.start()
    began = time.monotonic()
    await until(lambda: media.now >= 2.0)
    took = time.monotonic() - began
    await media.stop()
    assert 0.19 <= took < 1.0


async def test_lost_time_is_given_up_rather_than_rushed():
    media = Media(speed=1)
    await media.start()
    await asyncio.sleep(0.05)
    before = media.ticks
    time.sleep(0.6)  # noqa: ASYNC251 - the loop itself is held up
    await until(lambda: media.ticks > before)
    for _ in range(50):
        await asyncio.sleep(0)
    burst = media.ticks - before
    await media.stop()
    assert burst <= CATCH_UP + 2
    assert media.given_up >= 20


async def test_a_failing_callback_does_not_silence_the_others():
    media = Media(speed=20)
    room = media.open_room("r", None)
    room.enter(1, tone_leg(media, "a", None), muted=True)

    def fail(member_id, path, what):
        raise RuntimeError("a fault of one party")

    room.on_clip = fail
    room.play(1, PROMPT)
    await media.start()
    await until(lambda: media.now >= 1.0)
    await media.stop()
    assert media.ledger.seconds_heard("a", "clip:") > 0.5


def test_a_tick_of_40_talking_legs_with_20_streams_leaves_most_of_its_20_ms(media):
    class Stream:
        def __init__(self):
            self._upsample = Upsampler(3)

        def feed(self, frame):
            self._upsample(frame)

    for number in range(20):
        room = media.open_room(str(number), None)
        for member_id, hertz in ((1, 300), (2, 900)):
            leg = tone_leg(media, f"{number}-{member_id}", hertz)
            room.enter(member_id, leg, muted=False)
        leg.taps.append(Stream())
    run(media, 0.2)
    began = time.process_time()
    run(media, 1.0)
    assert (time.process_time() - began) / 50 < 0.008  # 0.3 ms on the machine this was written on


def test_the_ledger_joins_words_and_keeps_talkers_apart():
    ledger = Ledger()
    frame = np.zeros(FRAME, np.int16)
    for tick in range(100):
        talkers = frozenset() if 20 <= tick < 30 else frozenset({"b"}) if tick < 60 else frozenset({"b", "moh"})
        ledger.note(tick * TICK, "a", frame, talkers)
    first, second = ledger.heard("a")
    assert (first.talkers, second.talkers) == ({"b"}, {"b", "moh"})
    assert (first.start, first.end) == (0, pytest.approx(1.2))
    assert ledger.seconds_heard("a", "b") == pytest.approx(2.0)
    assert not ledger.heard_each_other("a", "b")


def test_the_ledger_remembers_the_last_legs_that_are_gone_and_no_more():
    ledger = Ledger()
    for number in range(REMEMBERED + 3):
        ledger.note(0, f"leg{number}", np.zeros(FRAME, np.int16), frozenset({"b"}))
        ledger.gone(f"leg{number}")
    assert ledger.heard("leg2") == []
    assert ledger.heard("leg3") != []
