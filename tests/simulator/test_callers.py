"""The person on the caller's side: when he speaks, waits, holds and hangs up."""

import asyncio

import pytest

from calls.simulator.callers import CallerTelephone
from tests.simulator.agents import ANSWER
from tests.simulator.listening import live_through, tone_leg


async def caller(story, **variables):
    """A caller's person on leg "a", who hears what the conference gives."""
    story.call.leg = story.caller
    story.start(CallerTelephone(variables, speaker=story.speak))
    await asyncio.sleep(0)


async def test_a_waiting_caller_speaks_now_and_then_and_is_not_heard_while_muted(story):
    agent = tone_leg(story.media, "b", None)
    story.room.enter(2, agent, muted=False)
    await caller(story)
    await live_through(story.media, 12)
    assert 2 <= story.done().count("chat") <= 4
    assert story.media.ledger.heard("b") == []
    story.room.set(1, muted=False)
    await live_through(story.media, 5)
    assert story.media.ledger.seconds_heard("b", "a") > 0.5


async def test_a_caller_hangs_up_so_long_after_he_was_put_through(story):
    await caller(story, sim_talk_seconds="3")
    await live_through(story.media, 10)
    assert "hangs up" not in story.done()
    story.room.enter(2, tone_leg(story.media, "b", 900), muted=False)
    met = story.media.now
    await live_through(story.media, 5)
    assert story.at("hangs up") == pytest.approx(met + 3, abs=0.2)


async def test_a_patient_caller_stays(story):
    await caller(story)
    story.room.enter(2, tone_leg(story.media, "b", 900), muted=False)
    await live_through(story.media, 120)
    assert "hangs up" not in story.done()


async def test_a_caller_leaves_the_menu_after_he_has_come_back_to_it(story):
    menu = "tone_stream://%(1000,1000,350,440);loops=-1"
    story.room.leave(1)
    story.media.loop_playback("a", menu)
    await caller(story, sim_menu_seconds="2")
    await live_through(story.media, 10)
    assert "hangs up" not in story.done()
    story.media.stop_playback("a")
    story.room.enter(1, story.caller, muted=True)
    story.room.play(1, ANSWER)
    await live_through(story.media, 5)
    story.room.leave(1)
    story.media.loop_playback("a", menu)
    back = story.media.now
    await live_through(story.media, 4)
    assert story.at("hangs up") == pytest.approx(back + 2, abs=0.2)


@pytest.mark.parametrize(("kind", "after"), [("hangs_up_after:4", 4), ("impatient:6", 6), ("impatient", 8)])
async def test_callers_who_do_not_stay(story, kind, after):
    await caller(story, sim_caller=kind)
    await live_through(story.media, 10)
    assert story.at("hangs up") == pytest.approx(after, abs=0.1)


async def test_an_impatient_caller_stays_once_somebody_has_spoken(story):
    await caller(story, sim_caller="impatient:6")
    story.room.enter(2, tone_leg(story.media, "b", 900), muted=False)
    await live_through(story.media, 20)
    assert "hangs up" not in story.done()


async def test_a_caller_may_put_us_on_hold_and_come_back(story):
    await caller(story, sim_caller="holds:2")
    await live_through(story.media, 3)
    assert story.caller.on_hold
    await live_through(story.media, 3)
    assert not story.caller.on_hold


async def test_a_caller_who_is_a_tone_and_one_who_is_silent(story):
    story.room.set(1, muted=False)
    story.room.enter(2, tone_leg(story.media, "b", None), muted=False)
    await caller(story, sim_caller="silent")
    await live_through(story.media, 10)
    assert story.media.ledger.heard("b") == []
    await caller(story, sim_caller="tone:300")
    await live_through(story.media, 1)
    assert story.media.ledger.seconds_heard("b", "a") > 0.9


def test_an_unknown_caller_is_refused():
    with pytest.raises(ValueError, match="cheerful"):
        CallerTelephone({"sim_caller": "cheerful"})
