"""Temperaments: what each simulated agent says, presses and does, deciding only from what he hears and a clock."""

import asyncio

import numpy as np
import pytest

from calls.simulator.phrases import PHRASES, Meaning
from calls.simulator.sound import Sound
from calls.simulator.telephones import DEMO, PhoneBook, telephone_for
from calls.simulator.temperaments import NAMES
from calls.simulator.tones import sine
from tests.simulator.agents import ANNOUNCEMENT, ANSWER, CALLER_WORDS, MEANING_OF, Story
from tests.simulator.listening import live_through, until


async def test_accepts_says_hello_hears_the_announcement_out_and_consents(story):
    await story.invite("accepts")
    await live_through(story.media, 1.5)
    assert story.done() == ["answers", "greeting"]
    began = story.media.now
    await story.hears(ANNOUNCEMENT)
    assert story.done() == ["answers", "greeting", "accept"]
    assert story.at("accept") >= began + 3.0 + 0.6


async def test_accepts_waits_for_ever_for_an_announcement_that_does_not_come(story):
    await story.invite("accepts", hello=False)
    await live_through(story.media, 30)
    assert story.done() == ["answers"]


async def test_a_pause_between_two_sentences_is_not_the_end(story):
    await story.invite("accepts", hello=False)
    story.room.play(2, "tone_stream://%(1500,500,500);loops=2")
    await live_through(story.media, 2.5)
    assert "accept" not in story.done()
    await live_through(story.media, 2.5)
    assert "accept" in story.done()


async def test_after_the_consent_he_talks_with_the_caller_and_hangs_up(story):
    await story.invite("accepts", talk_seconds=5)
    await story.hears(ANNOUNCEMENT)
    await live_through(story.media, 3)
    assert "chat" not in story.done()
    assert "hangs up" not in story.done()
    await story.put_through()
    joined = story.media.now - CALLER_WORDS
    await live_through(story.media, 6)
    assert "chat" in story.done()
    assert 4.5 <= story.at("hangs up") - joined <= 6
    assert story.media.ledger.heard_each_other("a", "b")


async def test_without_a_talk_time_he_stays_until_he_is_hung_up(story):
    await story.invite("accepts", talk_seconds=None)
    await story.hears(ANNOUNCEMENT)
    await story.put_through()
    await live_through(story.media, 60)
    assert "hangs up" not in story.done()


async def test_a_consent_is_said_again_when_the_announcer_asks_again_but_not_for_ever(story):
    await story.invite("accepts", hello=False, patience_seconds=5)
    for _ in range(5):
        await story.hears(ANSWER, then=2.0)
    assert story.done().count("accept") == 3


async def test_he_hangs_up_when_he_consented_and_nobody_comes(story):
    await story.invite("accepts", hello=False, patience_seconds=5)
    await story.hears(ANNOUNCEMENT)
    await live_through(story.media, 8)
    assert story.done() == ["answers", "accept", "hangs up"]


async def test_interrupts_speaks_into_the_announcement(story):
    await story.invite("interrupts")
    began = story.media.now
    story.room.play(2, "tone_stream://%(8000,0,500)")
    await live_through(story.media, 3)
    assert story.done() == ["answers", "accept"]
    assert story.at("accept") == pytest.approx(began + 1.5, abs=0.2)


@pytest.mark.parametrize(
    ("reason", "said"), [("em reunião", "em_reuniao"), ("saindo_para_almoco", "saindo_para_almoco")]
)
async def test_rejects_speaks_his_reason(story, reason, said):
    spoken = []

    async def speak(text, voice):
        spoken.append(text)
        return Sound(sine(800, 900))

    story.speak = speak
    await story.invite("rejects", reason=reason, hello=False)
    await story.hears(ANNOUNCEMENT)
    await live_through(story.media, 5)
    assert spoken == [PHRASES[said].text]


async def test_hesitates_asks_first_and_consents_after_the_answer(story):
    await story.invite("hesitates")
    await story.hears(ANNOUNCEMENT)
    await live_through(story.media, 5)
    assert story.done() == ["answers", "greeting", "who"]
    await story.hears(ANSWER)
    assert story.done() == ["answers", "greeting", "who", "accept"]


async def test_asks_then_rejects(story):
    await story.invite("asks_then_rejects", hello=False)
    await story.hears(ANNOUNCEMENT, then=3)
    await story.hears(ANSWER)
    assert story.done() == ["answers", "who", "reject"]


async def test_silent_answers_and_says_nothing(story):
    await story.invite("silent")
    await story.hears(ANNOUNCEMENT, then=20)
    assert story.done() == ["answers"]


async def test_hello_only_says_hello_and_no_more(story):
    await story.invite("hello_only")
    await story.hears(ANNOUNCEMENT, then=20)
    assert story.done() == ["answers", "greeting"]


async def test_hangs_up_in_the_middle_of_the_announcement(story):
    await story.invite("hangs_up", hello=False)
    story.room.play(2, "tone_stream://%(8000,0,500)")
    await live_through(story.media, 4)
    assert story.done() == ["answers", "hangs up"]
    assert story.at("hangs up") == pytest.approx(2.0, abs=0.2)


@pytest.mark.parametrize("digit", ["1", "2"])
async def test_presses_a_key_after_the_announcement(story, digit):
    await story.invite(f"presses_{digit}")
    await story.hears(ANNOUNCEMENT)
    assert story.done() == ["answers", f"presses {digit}"]


async def test_presses_0_hears_it_again_and_presses_1(story):
    await story.invite("presses_0")
    await story.hears(ANNOUNCEMENT, then=5)
    assert story.done() == ["answers", "presses 0"]
    await story.hears(ANNOUNCEMENT)
    assert story.done() == ["answers", "presses 0", "presses 1"]


async def test_voicemail_speaks_at_once_and_ends_with_a_beep(story):
    await story.invite("voicemail")
    await live_through(story.media, 5)
    assert story.done() == ["answers", "voicemail"]
    heard = np.array([np.abs(frame).max() for frame in story.media.ledger.audio("a").reshape(-1, 160)])
    # Speech (0.8 s here) from 0.5 s on, then the beep after 1.2 s of silence.
    assert not heard[:24].any()
    assert heard[30:60].all()
    assert not heard[70:120].any()
    assert heard[128:152].all()


async def test_holds_puts_us_on_hold_comes_back_and_consents(story):
    await story.invite("holds", hello=False, hold_seconds=4)
    await story.hears(ANNOUNCEMENT)
    assert story.done() == ["answers", "holds"]
    assert story.call.leg.on_hold
    await live_through(story.media, 6)
    assert story.done() == ["answers", "holds", "unholds", "accept"]
    assert story.at("unholds") - story.at("holds") == pytest.approx(4, abs=0.1)


@pytest.mark.parametrize(("temperament", "cause"), [("busy", "USER_BUSY"), ("declines", "CALL_REJECTED")])
async def test_a_refusal_has_its_cause_and_no_answer(story, temperament, cause):
    await story.invite(temperament)
    assert story.done() == [cause]


async def test_no_answer_rings_until_it_is_cancelled(story):
    await story.invite("no_answer")
    await live_through(story.media, 60)
    assert story.done() == ["rings"]


async def test_ringing_lasts_its_time_divided_by_the_speed(story):
    book = PhoneBook.from_dict({"1": {"temperament": "silent", "ring_seconds": 5}}, speed=100)
    began = asyncio.get_running_loop().time()
    story.start(telephone_for("1", book)[0])
    await until(lambda: "answers" in story.done())
    assert story.done() == ["rings", "answers"]
    assert 0.045 <= asyncio.get_running_loop().time() - began < 0.5


async def test_a_call_that_ends_while_it_rings_is_never_answered(story):
    book = PhoneBook.from_dict({"1": {"temperament": "accepts", "ring_seconds": 1000}})
    story.start(telephone_for("1", book)[0])
    await until(lambda: story.done() == ["rings"])
    await story.end()
    assert story.done() == ["rings"]


async def test_two_phones_are_two_registrations_of_which_one_answers(story):
    book = PhoneBook.from_dict({"1": {"temperament": "two_phones", "ring_seconds": 0}})
    assert len(telephone_for("1", book)) == 2
    await story.invite("two_phones", phone=0)
    assert story.done() == ["rings"]
    await story.invite("two_phones", phone=1, answered_by="silent")
    assert story.done() == ["rings", "answers"]


def test_nobody_is_registered_for_an_unknown_number_or_not_registered():
    book = PhoneBook.from_dict({"1009": "not_registered"})
    assert telephone_for("1009", book) is None
    assert telephone_for("9999", book) is None


@pytest.mark.parametrize(
    "line",
    ["cheerful", {"temperament": "accepts", "volume": 3}, {"temperament": "rejects", "reason": "sem vontade"}, {}],
)
def test_a_line_that_means_nothing_is_refused(line):
    with pytest.raises(ValueError, match="2001|sem vontade"):
        PhoneBook.from_dict({"2001": line})


def test_the_demo_has_every_temperament_an_agent_can_have():
    book = PhoneBook.from_dict(DEMO)
    assert {entry.temperament for entry in book.entries.values()} == set(NAMES) - {"tone"}


async def test_a_person_who_fails_hangs_up(story):
    async def broken(text, voice):
        raise RuntimeError("no voice")

    story.speak = broken
    await story.invite("hello_only")
    await live_through(story.media, 1)
    assert story.done() == ["answers", "hangs up"]
    with pytest.raises(RuntimeError):
        await story.tasks.pop()


async def test_a_number_has_one_voice_and_people_have_several():
    voices = {}
    for number in ("2001", "2002", "2003", "2004", "2005", "2006"):
        story = Story()
        await story.invite("hello_only", number=number)
        await live_through(story.media, 1)
        (voices[number],) = story.voices
        await story.end()
    assert len(set(voices.values())) > 1


def test_every_meaning_an_agent_needs_has_a_phrase():
    assert {Meaning.GREETING, Meaning.ACCEPT, Meaning.REJECT, Meaning.WHO, Meaning.VOICEMAIL} <= set(
        MEANING_OF.values()
    )
