"""One call in a conference with one simulated person, ticked by hand: what the tests of the telephones share."""

import asyncio

import pytest

from calls.simulator.media import Leg, Media
from calls.simulator.phrases import PHRASES
from calls.simulator.sound import Sound
from calls.simulator.telephones import PhoneBook, telephone_for
from calls.simulator.tones import sine
from tests.simulator.listening import live_through, tone_leg

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
