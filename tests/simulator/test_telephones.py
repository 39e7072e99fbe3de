"""Temperaments: what each simulated agent says, presses and does, deciding only from what he hears and a clock."""

import asyncio

import numpy as np
import pytest

from calls.simulator.callers import CallerTelephone
from calls.simulator.media import Leg, Media
from calls.simulator.phrases import PHRASES, Meaning
from calls.simulator.sound import Sound
from calls.simulator.telephones import DEMO, PhoneBook, telephone_for
from calls.simulator.temperaments import NAMES
from calls.simulator.tones import sine
from tests.simulator.listening import live_through, tone_leg, until

ANNOUNCEMENT = "tone_stream://%(3000,0,500)"
ANSWER = "tone_stream://%(1500,0,500)"
CALLER_WORDS = 2.0
MEANING_OF = {phrase.text: phrase.meaning for phrase in PHRASES.values()}


class Call:
    """One call, as the signalling half shows it to a telephone; keeps what the telephone does and when."""

    def __init__(self, media, uuid="b"):
        self.leg = Leg(uuid)
        self.variables = {}
        self.ended = asyncio.Event()
        self.ended_cause = ""
        self.did: list[tuple[float, str]] = []
        self.media = media

    def note(self, what):
        self.did.append((round(self.media.now, 2), what))

    async def ring(self):
        self.note("rings")

    async def answer(self):
        self.note("answers")

    def reject(self, cause):
        self.end(cause)

    def hangup(self, cause="NORMAL_CLEARING"):
        self.end("hangs up")

    def dtmf(self, digit):
        self.note(f"presses {digit}")

    def hold(self):
        self.note("holds")
        self.leg.on_hold = True

    def unhold(self):
        self.note("unholds")
        self.leg.on_hold = False

    def end(self, cause):
        self.note(cause)
        self.ended_cause = cause
        self.ended.set()


class Story:
    """A caller "a" (muted, silent) and one agent in a conference; `speak` is the agents' stand-in speech."""

    def __init__(self):
        self.media = Media()
        self.room = self.media.open_room("r", None)
        self.caller = tone_leg(self.media, "a", None)
        self.room.enter(1, self.caller, muted=True)
        self.call = Call(self.media)
        self.tasks = []
        self.voices = set()

    async def speak(self, text, voice):
        self.call.note(MEANING_OF[text].value)
        self.voices.add(voice)
        return Sound(sine(800, 900))

    async def invite(self, temperament, phone=0, number="2001", **options):
        book = PhoneBook.from_dict(
            {number: {"temperament": temperament, "ring_seconds": 0, **options}}, speaker=self.speak
        )
        telephone = telephone_for(number, book)[phone]
        self.start(telephone)
        for _ in range(5):
            await asyncio.sleep(0)
        if "answers" in self.done():
            self.media.add_leg(self.call.leg)
            self.room.enter(2, self.call.leg, muted=False)

    def start(self, telephone):
        self.tasks.append(asyncio.create_task(telephone.invited(self.call)))

    async def hears(self, path, then=1.2):
        """The announcer speaks to the agent, and `then` seconds pass."""
        self.room.play(2, path)
        await live_through(self.media, int(path.split("(")[1].split(",")[0]) / 1000 + then)

    async def put_through(self, words=CALLER_WORDS):
        """The caller is unmuted and speaks."""
        self.room.set(1, muted=False)
        self.caller.mouth = _Words(words)
        await live_through(self.media, words)

    def done(self):
        return [what for _, what in self.call.did]

    def at(self, what):
        return next(at for at, did in self.call.did if did == what)

    async def end(self):
        """The far end hangs up: the person is gone, whatever he was doing."""
        self.call.ended.set()
        await asyncio.wait_for(asyncio.gather(*self.tasks), 1)


class _Words:
    def __init__(self, seconds):
        self._left = int(seconds * 50)
        self._sound = Sound(sine(20, 300))

    def frame(self):
        self._left -= 1
        return self._sound.frames[0] if self._left >= 0 else None


@pytest.fixture
async def story():
    story = Story()
    yield story
    await story.end()
    assert story.call.leg.mouth is None


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


def test_every_meaning_an_agent_needs_has_a_phrase():
    assert {Meaning.GREETING, Meaning.ACCEPT, Meaning.REJECT, Meaning.WHO, Meaning.VOICEMAIL} <= set(
        MEANING_OF.values()
    )
