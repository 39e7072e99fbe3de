"""What the agent hears, measured in his ear: pitch, order, gaps, and silence when he speaks. Through every socket on
the way, at each rate at which FreeSWITCH may stream."""

import asyncio
import itertools
import time

import numpy as np
import pytest
import redis.asyncio

from calls.simulator.fir import to_8k
from calls.simulator.realtime import RealtimeServer
from calls.simulator.realtime_audio import TurnDetection
from calls.simulator.realtime_manner import PORTUGUESE, Manner
from calls.simulator.realtime_response import Pace
from calls.simulator.sound import Sound
from calls.transfer.events import AnnouncementEnded, DecisionMade
from tests.voice.heard import Recorder, gaps, pitches, speech_ms
from tests.voice.world import AgentLine, Door, Web, until

RATE = 8000
RATES = (8000, 16_000, 24_000)
TONES = (300, 450, 650, 900, 1200, 1600)
LONG = (
    "Olá, {name}. Maria Souza está na linha e quer falar com Vendas sobre um orçamento de vinte licenças. Você pode "
    "atender agora?"
)
NAMES = ("João", "Ana Paula", "Guilherme", "Conceição", "Zé", "Bartolomeu", "Íris", "Washington", "Lia", "Frederico")
NOISE = 32768 * 10 ** (-45 / 20)  # RMS of -45 dBFS
SILENT_WITHIN_MS = 120


async def _tones(text, voice, rate, words_per_minute):
    """A voice that sings: 400 ms of each tone, with 100 ms of silence between."""
    at = np.arange(rate * 2 // 5) / rate
    sung = [part for hertz in TONES for part in (8000 * np.sin(2 * np.pi * hertz * at), np.zeros(rate // 10))]
    return np.concatenate(sung).astype("<i2").tobytes()


async def _ready():
    pass


def remembering(said):
    """Our usual voice, and everything it has said in `said`."""

    async def speak(text, voice, rate, words_per_minute):
        pcm = await PORTUGUESE.speak(text, voice, rate, words_per_minute)
        said[text] = to_8k(np.frombuffer(pcm, "<i2"), rate)
        return pcm

    return Manner(PORTUGUESE.understand, speak, PORTUGUESE.prepare)


@pytest.fixture
async def model(settings):
    """Begins a Realtime API: model(manner, speed)."""
    servers = []

    async def begin(manner=PORTUGUESE, speed=8.0):
        server = RealtimeServer(key="secret", pace=Pace(first_audio=0.1, speed=speed), manner=manner)
        servers.append(await server.start())
        settings.OPENAI_REALTIME_URL, settings.OPENAI_API_KEY = server.url, "secret"
        return server

    yield begin
    for server in servers:
        await server.stop()


@pytest.fixture
async def web(model):
    await model()
    async with Web(Door()) as web:
        yield web


async def offered(web, number, text, *, prepared):
    """An announcement of `text`; its leg, and the URL for FreeSWITCH."""
    url = await web.claimed(number, announcement_text=text)
    (leg,) = (leg for leg in web.hub.legs if leg.claimed.session_id == number)
    if prepared:
        await until(lambda: leg.dialogue._announcement.complete, what="the announcement")
    return leg, url


async def announced(web, line, number, *, prepared, rate=24_000, text=LONG):
    """The agent hears a whole announcement."""
    leg, url = await offered(web, number, text, prepared=prepared)
    recorder = Recorder(line.leg)
    line.connect(url, rate)
    await until(lambda: leg.dialogue._announcement.was_heard, 30, "the announcement's end")
    return recorder


@pytest.mark.parametrize("prepared", [True, False], ids=["prepared", "streamed"])
@pytest.mark.parametrize("rate", RATES)
async def test_every_tone_is_heard_in_its_order_and_at_its_pitch(web, model, tmp_path, rate, prepared):
    await model(Manner(PORTUGUESE.understand, _tones, _ready))
    async with AgentLine(web, tmp_path, 4) as line:
        recorder = await announced(web, line, 1, prepared=prepared, rate=rate)
    assert pitches(recorder.samples, RATE) == [pytest.approx(hertz, rel=0.01) for hertz in TONES]
    assert len(line.clips) == 1 if prepared else len(line.clips) > 1


@pytest.mark.parametrize(
    ("count", "at_once", "speed"), [(6, 6, 2), pytest.param(100, 12, 1, marks=pytest.mark.slow)], ids=["few", "hundred"]
)
async def test_at_most_one_gap_is_heard_in_a_hundred_announcements(web, model, tmp_path, count, at_once, speed):
    """Every other one is streamed while it is being made. The hundred in real time: at twice that, each moment in which
    the machine does something else is twice as long."""
    said = {}
    await model(remembering(said), speed=8)
    texts = [LONG.format(name=f"{name} {number}") for number, name in zip(range(count), itertools.cycle(NAMES))]
    places = asyncio.Semaphore(at_once)

    async def one(number):
        web.door.uuids[number] = uuid = f"leg-{number}"
        async with places, AgentLine(web, tmp_path, speed, uuid) as line:
            recorder = await announced(
                web, line, number, prepared=bool(number % 2), rate=RATES[number % 3], text=texts[number]
            )
        source = said[texts[number]]
        assert speech_ms(recorder.samples, RATE) == pytest.approx(speech_ms(source, RATE), rel=0.03)
        return gaps(recorder.samples, source, RATE)

    heard = await asyncio.gather(*(one(number) for number in range(count)))
    assert sum(map(len, heard)) <= 1, heard


async def test_a_model_slower_than_speech_costs_pauses_and_no_words(web, model, tmp_path):
    said = {}
    await model(remembering(said), speed=3.6)
    async with AgentLine(web, tmp_path, 4) as line:
        recorder = await announced(web, line, 1, prepared=False, text=LONG.format(name="João"))
    assert len(line.clips) > 2
    assert len(gaps(recorder.samples, said[LONG.format(name="João")], RATE)) <= 1


@pytest.fixture
async def late_ms(settings):
    """How slow this machine's bus and event loop have been at worst: what is measured cannot be quicker."""
    worst = [0.0]

    async def watch():
        async with redis.asyncio.from_url(settings.REDIS_URL) as bus:
            while True:
                began = time.monotonic()
                await bus.ping()
                await asyncio.sleep(0.005)
                worst[0] = max(worst[0], 1000 * (time.monotonic() - began))

    watching = asyncio.create_task(watch())
    yield lambda: worst[0]
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


@pytest.mark.parametrize("prepared", [True, False], ids=["prepared", "streamed"])
async def test_an_agent_who_speaks_hears_silence_and_the_model_learns_what_he_heard(
    web, model, tmp_path, prepared, late_ms
):
    server = await model()

    async def one(number, rate):
        web.door.uuids[number] = uuid = f"leg-{number}"
        leg, url = await offered(web, number, LONG.format(name=NAMES[number]), prepared=prepared)
        async with AgentLine(web, tmp_path, 1, uuid) as line:
            recorder = Recorder(line.leg)
            line.connect(url, rate)
            await line.hears(1.6)
            asking = asyncio.create_task(line.agent.say("quem_esta_falando"))
            await until(lambda: leg.dialogue._turn_began is not None, what="the model's notice")
            noticed, heard_before = len(recorder.clips), recorder.audible_ms()
            (session,) = (each for each in server.sessions if NAMES[number] in each.said[0])
            await until(lambda: session.sent["response.created"] == 2, what="the answer")
            heard_after = recorder.audible_ms(noticed)
            await asking
        assert heard_after <= SILENT_WITHIN_MS + 4 * late_ms()  # the way to the switch and back
        (cut,) = (each for each in session.received if each["type"] == "conversation.item.truncate")
        slack = SILENT_WITHIN_MS + 4 * late_ms()
        began, audible = 20 * recorder.clips.index(True), 20 * sum(recorder.clips[:noticed])
        # what sounded, and at most all the time since then: pauses are part of a clip, waiting for one is not
        assert audible - slack <= cut["audio_end_ms"] <= heard_before - began + slack

    async with asyncio.timeout(40), asyncio.TaskGroup() as together:
        for number, rate in enumerate(RATES):
            together.create_task(one(number, rate))
    assert not web.door.of(DecisionMade)


class Echo:
    """A telephone whose microphone hears its loudspeaker, 20 dB down and 120 ms late."""

    def __init__(self, recorder: Recorder):
        self._recorder = recorder

    def frame(self):
        heard = self._recorder.frames
        return (heard[-6] // 10).astype(np.int16) if len(heard) >= 6 else None


def _noise():
    return Sound((np.random.default_rng(1).standard_normal(RATE * 3) * NOISE).astype(np.int16), rounds=-1)


async def test_noise_our_own_voice_come_back_and_a_hello_change_nothing(web, model, tmp_path, monkeypatch):
    """Though the model takes each of them for speech."""
    said = {}
    monkeypatch.setattr(TurnDetection, "loudness", 100.0)  # -50 dBFS
    server = await model(remembering(said))

    async def one(number, name, what):
        web.door.uuids[number] = uuid = f"leg-{number}"
        text = f"Olá, {name}. Maria quer falar com você. Pode atender agora?"
        async with AgentLine(web, tmp_path, 1, uuid) as line:
            leg, url = await offered(web, number, text, prepared=True)
            recorder = Recorder(line.leg)
            if what == "noise":
                await line.agent.sound(_noise())
            if what == "echo":
                line.leg.mouth = Echo(recorder)
            line.connect(url)
            if what == "hello":
                await line.hears(0.1)
                await line.agent.say("alo")
            await until(lambda: leg.dialogue._announcement.was_heard, 15, f"the end ({what})")
            await line.agent.pause(1.5)
        assert not line.stops, what
        assert not gaps(recorder.samples, said[text], RATE)
        (session,) = (each for each in server.sessions if each.said and name in each.said[0])
        assert session.sent["input_audio_buffer.speech_started"] > 0, what
        assert session.sent["response.created"] == 1, what

    whats = ("noise", "echo", "hello")
    async with asyncio.timeout(40), asyncio.TaskGroup() as together:
        for number, what in enumerate(whats):
            together.create_task(one(number, NAMES[number], what))
    assert not web.door.of(DecisionMade)
    assert len(web.door.of(AnnouncementEnded)) == len(whats)
