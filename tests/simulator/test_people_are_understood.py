"""What the simulated agents say reaches the far end of an audio stream so that it can be understood by its sound."""

import numpy as np
import pytest

from calls.simulator.fir import Upsampler
from calls.simulator.phrases import PHRASES, VOICES, Meaning
from calls.simulator.recogniser import known_people
from calls.simulator.speech import spoken
from tests.simulator.listening import live_through
from tests.simulator.test_telephones import ANNOUNCEMENT, ANSWER, Story

RATE = 24000
PAUSE = RATE // 2


class Wire:
    """The stream's audio, cut into utterances where it is silent for half a second."""

    def __init__(self):
        self._upsample = Upsampler(RATE // 8000)
        self._pcm = []

    def feed(self, frame):
        self._pcm.append(self._upsample(frame))

    def utterances(self):
        samples = np.frombuffer(b"".join(self._pcm), "<i2")
        loud = np.flatnonzero(np.abs(samples) > 200)
        for part in np.split(loud, np.flatnonzero(np.diff(loud) > PAUSE) + 1):
            yield samples[max(0, part[0] - 2400) : part[-1] + 2400].tobytes()

    def understood(self):
        return [known_people().hear(utterance, RATE) for utterance in self.utterances()]


@pytest.fixture
async def story():
    for phrase in PHRASES.values():
        for voice in VOICES:
            await spoken(phrase.text, voice)  # now kept: synthesis takes wall time, and here no tick waits for it
    story = Story()
    story.speak = spoken
    story.wire = Wire()
    story.call.leg.taps.append(story.wire)
    yield story
    await story.end()


@pytest.mark.parametrize("number", ["2001", "2002", "2006"])
async def test_a_greeting_and_a_consent(story, number):
    await story.invite("accepts", number=number)
    await live_through(story.media, 1.5)
    await story.hears(ANNOUNCEMENT, then=4)
    assert [heard.meaning for heard in story.wire.understood()] == [Meaning.GREETING, Meaning.ACCEPT]


async def test_a_rejection_with_its_reason(story):
    await story.invite("rejects", reason="em outra ligação", hello=False)
    await story.hears(ANNOUNCEMENT, then=4)
    (heard,) = story.wire.understood()
    assert (heard.meaning, heard.reason) == (Meaning.REJECT, "em outra ligação")


async def test_a_question_and_then_a_consent(story):
    await story.invite("hesitates", hello=False)
    await story.hears(ANNOUNCEMENT, then=4)
    await story.hears(ANSWER, then=4)
    assert [heard.meaning for heard in story.wire.understood()] == [Meaning.WHO, Meaning.ACCEPT]


async def test_an_answering_machine(story):
    await story.invite("voicemail")
    await live_through(story.media, 14)
    greeting, beep = story.wire.understood()
    assert greeting.meaning == Meaning.VOICEMAIL
    assert beep.meaning == Meaning.UNCLEAR
