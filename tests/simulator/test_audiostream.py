"""mod_audio_stream's client against a real WebSocket server: frames, files, bodies of events, close codes."""

import asyncio
import base64
import io
import json
import wave

import numpy as np
import pytest
from websockets.asyncio.server import serve

from calls.simulator import audiostream
from calls.simulator.audiostream import AudioStream, parse_rate
from calls.simulator.media import Media
from tests.simulator.listening import pitch, run, strength, tone_leg, until


class Far:
    """The far end of the stream: a WebSocket server that keeps what it gets."""

    def __init__(self):
        self.frames: list[bytes] = []
        self.texts: list[str] = []
        self.connections = []
        self.closed: list[int] = []
        self.first: list[type] = []

    async def __call__(self, connection):
        self.connections.append(connection)
        async for message in connection:
            if isinstance(message, str):
                self.texts.append(message)
            else:
                self.frames.append(message)
            self.first = self.first or [type(message)]
        self.closed.append(connection.close_code)

    @property
    def connection(self):
        return self.connections[-1]

    def samples(self):
        return np.frombuffer(b"".join(self.frames), "<i2")


@pytest.fixture
async def far():
    far = Far()
    async with serve(far, "127.0.0.1", 0, compression=None) as server:
        far.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/audio/token"
        yield far


@pytest.fixture
async def line(tmp_path):
    """A leg "b" that sounds 900 Hz, in a running switch ten times as fast as real time, and its streams."""
    media = Media(speed=10)
    leg = tone_leg(media, "b", 900)
    line = Line(media, leg, tmp_path)
    await media.start()
    yield line
    await asyncio.gather(*(stream.stop() for stream in line.streams))
    await media.stop()


class Line:
    def __init__(self, media, leg, tmp_path):
        self.media, self.leg, self.tmp_path = media, leg, tmp_path
        self.streams: list[AudioStream] = []
        self.events: list[tuple[str, dict | str]] = []

    def stream(self, url, rate=24000, metadata=None, headers=None):
        stream = AudioStream(
            self.leg, url, rate, metadata, headers or {}, self.tmp_path, self._event, speed=self.media.speed
        )
        self.streams.append(stream)
        stream.start()
        return stream

    def _event(self, kind, body):
        self.events.append((kind, body))

    def kinds(self):
        return [kind for kind, _ in self.events]

    async def told(self, kind):
        await until(lambda: kind in self.kinds())
        return dict(self.events)[kind]


def stream_audio(samples, rate, kind="wav"):
    data = samples.tobytes()
    if kind == "wav":
        file = io.BytesIO()
        with wave.open(file, "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(rate)
            out.writeframes(data)
        data = file.getvalue()
    body = {"audioDataType": kind, "sampleRate": rate, "audioData": base64.b64encode(data).decode()}
    return json.dumps({"type": "streamAudio", "data": body})


def tone_24k(hertz=500, seconds=0.5):
    return (10000 * np.sin(2 * np.pi * hertz * np.arange(int(24000 * seconds)) / 24000)).astype(np.int16)


@pytest.mark.parametrize(("rate", "size"), [(8000, 320), (16000, 640), (24000, 960)])
async def test_every_20_ms_of_voice_is_one_binary_frame_at_the_asked_rate(far, line, rate, size):
    line.stream(far.url, rate)
    assert await line.told("connect") == '{"status":"connected"}'
    await until(lambda: len(far.frames) >= 60)
    assert {len(frame) for frame in far.frames} == {size}
    heard = far.samples()[rate // 10 :]
    assert pitch(heard, rate) == pytest.approx(900, abs=2)
    assert strength(heard, 900, rate) == pytest.approx(10187, rel=0.02)


async def test_the_handshake_carries_an_origin_and_the_extra_headers_and_no_compression(far, line):
    line.stream(far.url, headers={"Authorization": "Bearer abc"})
    await line.told("connect")
    headers = far.connection.request.headers
    assert headers["Origin"] == far.url.replace("ws://", "http://").removesuffix("/audio/token")
    assert headers["Authorization"] == "Bearer abc"
    assert "User-Agent" not in headers
    assert "Sec-WebSocket-Extensions" not in headers


async def test_metadata_comes_first_as_text(far, line):
    line.stream(far.url, metadata='{"transfer": "1"}')
    await until(lambda: far.frames)
    assert far.texts == ['{"transfer": "1"}']
    assert far.first == [str]


async def test_without_metadata_there_is_no_text(far, line):
    line.stream(far.url)
    await until(lambda: len(far.frames) > 5)
    assert far.texts == []


async def test_a_refused_connection_is_error_6_as_recorded(line):
    line.stream("ws://127.0.0.1:9/audio/x")
    body = await line.told("error")
    assert body == '{"status":"error","message":{"code":6,"error":"Connection refused (system error 111)"}}'


async def test_a_handshake_answered_with_403_is_error_6(line):
    async with serve(
        lambda connection: None, "127.0.0.1", 0, process_request=lambda c, r: c.respond(403, "no\n")
    ) as server:
        line.stream(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/audio/x")
        body = json.loads(await line.told("error"))
    assert body["message"] == {"code": 6, "error": "WebSocket upgrade failed"}


async def test_a_handshake_nobody_answers_is_error_10(line, monkeypatch):
    assert audiostream.HANDSHAKE_SECONDS == 1.0
    monkeypatch.setattr(audiostream, "HANDSHAKE_SECONDS", 0.1)
    held = asyncio.Event()

    async def stay_mute(reader, writer):
        await held.wait()
        writer.close()

    async with await asyncio.start_server(stay_mute, "127.0.0.1", 0) as server:
        line.stream(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/audio/x")
        body = json.loads(await line.told("error"))
        held.set()
    assert body["message"]["code"] == 10


async def test_a_close_by_the_far_end_is_told_with_code_and_reason_and_never_reconnected(far, line):
    stream = line.stream(far.url)
    await line.told("connect")
    await far.connection.close(1011, "upstream lost")
    body = await line.told("disconnect")
    assert body == '{"status":"disconnected","message":{"code":1011,"reason":"upstream lost"}}'
    ticks = line.media.ticks
    await until(lambda: line.media.ticks > ticks + 50)
    assert not stream.connected
    assert len(far.connections) == 1
    assert line.kinds() == ["connect", "disconnect"]


async def test_an_aborted_connection_is_error_1(far, line):
    line.stream(far.url)
    await line.told("connect")
    far.connection.transport.abort()
    assert json.loads(await line.told("error"))["message"]["code"] == 1
    assert "disconnect" not in line.kinds()


async def test_stop_closes_with_1000_and_tells_nothing(far, line):
    stream = line.stream(far.url)
    await until(lambda: far.frames)
    await stream.stop()
    await until(lambda: far.closed)
    assert far.closed == [1000]
    assert line.kinds() == ["connect"]
    assert line.leg.taps == []


async def test_stop_while_connecting_leaves_no_socket(far, line):
    stream = line.stream(far.url)
    await stream.stop()
    assert not stream.connected
    assert line.kinds() == []


async def test_after_a_stop_another_stream_works(far, line):
    await line.stream(far.url).stop()
    line.stream(far.url, 16000)
    await until(lambda: far.frames)
    assert {len(frame) for frame in far.frames} == {640}


async def test_a_wav_message_becomes_a_file_and_a_play_event_as_recorded(far, line):
    line.stream(far.url)
    await line.told("connect")
    for _ in range(2):
        await far.connection.send(stream_audio(tone_24k(), 24000))
    await until(lambda: line.kinds().count("play") == 2)
    bodies = [body for kind, body in line.events if kind == "play"]
    assert bodies == [
        f'{{"audioDataType":"wav","sampleRate":24000,"file":"{line.tmp_path}/b_{number}.tmp.wav"}}' for number in (0, 1)
    ]
    assert (line.tmp_path / "b_1.tmp.wav").exists()


async def test_a_play_event_comes_some_20_ms_after_its_message(far, line):
    line.media.speed = 1.0
    line.stream(far.url)
    await line.told("connect")
    loop = asyncio.get_running_loop()
    began = loop.time()
    await far.connection.send(stream_audio(tone_24k(), 24000))
    await line.told("play")
    assert 0.015 <= loop.time() - began < 0.2


async def test_a_played_wav_has_nearly_the_right_pitch_and_raw_at_24_khz_is_one_and_a_half_times_too_high(far, line):
    line.leg.mouth = None
    room = line.media.open_room("r", None)
    room.enter(1, line.leg, muted=False)
    ended = []
    room.on_clip = lambda member_id, path, what: ended.append(path) if what == "done" else None
    line.stream(far.url)
    await line.told("connect")
    ledger = line.media.ledger
    heard = []
    for number, kind in enumerate(("wav", "raw"), start=1):
        before = len(ledger.audio("b"))
        await far.connection.send(stream_audio(tone_24k(500, 1.2), 24000, kind))
        await until(lambda number=number: line.kinds().count("play") == number)
        room.play(1, json.loads(line.events[-1][1])["file"])
        await until(lambda number=number: len(ended) == number)
        audio = ledger.audio("b")[before:]
        heard.append(audio[np.flatnonzero(audio)[0] : np.flatnonzero(audio)[-1]])
    assert [path.rpartition(".")[2] for path in ended] == ["wav", "r24"]
    assert pitch(heard[0]) == pytest.approx(503.3, abs=1)  # as from the real one's conference
    assert len(heard[0]) == pytest.approx(1.2 * 8000, abs=200)
    assert pitch(heard[1]) == pytest.approx(750, abs=3)
    assert len(heard[1]) == pytest.approx(0.8 * 8000, abs=200)


async def test_stop_deletes_the_files_and_a_clip_in_play_plays_on(far, line):
    room = line.media.open_room("r", None)
    room.enter(1, line.leg, muted=False)
    stream = line.stream(far.url)
    await line.told("connect")
    await far.connection.send(stream_audio(tone_24k(500, 2.0), 24000))
    file = json.loads(await line.told("play"))["file"]
    room.play(1, file)
    await stream.stop()
    assert list(line.tmp_path.iterdir()) == []
    await until(lambda: line.media.ledger.seconds_heard("b", "clip:") > 1.9)


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"hello","n":1}',
        "not json",
        '{"type":"streamAudio"}',
        '{"type":"streamAudio","data":{"audioDataType":"mp3","sampleRate":24000,"audioData":"AAAA"}}',
        '{"type":"streamAudio","data":{"audioDataType":"raw","sampleRate":22050,"audioData":"AAAA"}}',
    ],
)
async def test_every_other_text_is_handed_on_as_a_json_event(far, line, text):
    line.stream(far.url)
    await line.told("connect")
    await far.connection.send(text)
    assert await line.told("json") == text
    assert list(line.tmp_path.iterdir()) == []


async def test_a_muted_member_s_stream_still_carries_his_voice(far, line):
    room = line.media.open_room("r", None)
    room.enter(1, line.leg, muted=True)
    line.stream(far.url)
    await until(lambda: len(far.frames) > 30)
    assert strength(far.samples()[4800:], 900, 24000) > 9000


async def test_a_telephone_on_hold_sends_no_frames_while_the_socket_stays_open(far, line):
    stream = line.stream(far.url)
    await until(lambda: len(far.frames) > 5)
    line.leg.on_hold = True
    ticks = line.media.ticks
    await until(lambda: line.media.ticks > ticks + 5)
    before = len(far.frames)
    await until(lambda: line.media.ticks > ticks + 60)
    assert len(far.frames) == before
    assert stream.connected
    line.leg.on_hold = False
    await until(lambda: len(far.frames) > before + 5)


async def test_a_silent_leg_sends_frames_of_silence(far, line):
    line.leg.mouth = None
    line.stream(far.url)
    await until(lambda: len(far.frames) > 20)
    assert far.frames[-1] == bytes(960)


async def test_a_far_end_that_does_not_read_costs_the_oldest_frames_and_no_memory(far, line, monkeypatch):
    line.media.legs.clear()
    stream = line.stream(far.url)
    await line.told("connect")
    for _ in range(audiostream.BACKLOG * 3):
        stream.feed(None)
    assert len(stream._frames) == audiostream.BACKLOG


def test_rates_are_multiples_of_8000_or_their_names():
    assert [parse_rate(text) for text in ("8k", "16k", "24000", "48000")] == [8000, 16000, 24000, 48000]
    assert [parse_rate(text) for text in ("22050", "fast", "", "0", "-8000")] == [None] * 5


def test_ticks_without_a_connection_feed_nothing(tmp_path):
    media = Media()
    leg = tone_leg(media, "b", 900)
    stream = AudioStream(leg, "ws://127.0.0.1:9/", 24000, None, {}, tmp_path, lambda kind, body: None)
    leg.taps.append(stream)
    run(media, 1.0)
    assert not stream._frames
