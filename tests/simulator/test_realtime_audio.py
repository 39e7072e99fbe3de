import numpy as np
import pytest

from calls.simulator.realtime_audio import Ear, Started, Stopped, TurnDetection, decode, encode

PCMU, PCMA, PCM = {"type": "audio/pcmu"}, {"type": "audio/pcma"}, {"type": "audio/pcm", "rate": 24000}


def l16(*values):
    return np.array(values, "<i2").tobytes()


def tone(seconds, rate=24000, level=4000):
    return (level * np.sin(2 * np.pi * 300 * np.arange(int(rate * seconds)) / rate)).astype("<i2").tobytes()


def silence(seconds, rate=24000):
    return bytes(int(rate * seconds) * 2)


def test_g711_codes_are_those_of_the_standard():
    assert decode(bytes([0x00, 0x80, 0xFF, 0x7F]), PCMU) == l16(-32124, 32124, 0, 0)
    assert decode(bytes([0xD5, 0x55, 0x2A, 0xAA]), PCMA) == l16(8, -8, -32256, 32256)


@pytest.mark.parametrize("law", [PCMU, PCMA])
def test_g711_keeps_every_sample_within_its_step(law):
    every = np.arange(-32768, 32768)
    back = np.frombuffer(decode(encode(every.astype("<i2").tobytes(), law), law), "<i2")
    assert np.all(np.abs(back - every) <= np.maximum(16, np.abs(every) // 16 + 655 * (np.abs(every) > 32000)))
    assert decode(encode(back.astype("<i2").tobytes(), law), law) == back.astype("<i2").tobytes()


def test_pcm_is_passed_as_it_is_less_a_torn_sample():
    assert encode(b"\1\2", PCM) == b"\1\2"
    assert decode(b"\1\2\3", PCM) == b"\1\2"


@pytest.mark.parametrize("rate", [8000, 24000])
@pytest.mark.parametrize("frame", [20, 100, 5000], ids=lambda ms: f"{ms} ms")
def test_speech_is_found_in_audio_time_however_the_audio_is_cut(rate, frame):
    ear = Ear(rate, TurnDetection())
    line = silence(1.0, rate) + tone(0.8, rate) + silence(1.0, rate)
    size = rate * frame // 1000 * 2
    found = [event for at in range(0, len(line), size) for event in ear.append(line[at : at + size])]
    assert [type(event) for event in found] == [Started, Stopped]
    assert found[0].at_ms == pytest.approx(1000 - 300, abs=20)
    assert found[1].at_ms == pytest.approx(1800 + 500, abs=20)
    assert len(found[1].pcm) / 2 / rate == pytest.approx(0.3 + 0.8 + 0.5, abs=0.04)


def test_speech_at_the_very_beginning_has_no_padding_before_it():
    ear = Ear(24000, TurnDetection())
    assert ear.append(tone(0.4)) == [Started(0)]


def test_settings_of_turn_detection_are_obeyed():
    ear = Ear(24000, TurnDetection(threshold=0.5, prefix_ms=100, silence_ms=200))
    started, stopped = ear.append(silence(1.0) + tone(0.5) + silence(0.4))
    assert started.at_ms == pytest.approx(900, abs=20)
    assert stopped.at_ms == pytest.approx(1700, abs=20)


def test_a_higher_threshold_wants_a_louder_voice():
    quiet = silence(0.5) + tone(0.5, level=700) + silence(1.0)
    assert Ear(24000, TurnDetection(threshold=0.5)).append(quiet)
    assert not Ear(24000, TurnDetection(threshold=0.9)).append(quiet)


def test_a_click_and_line_noise_are_no_speech():
    noise = np.random.default_rng(3).normal(0, 30, 24000).astype("<i2").tobytes()
    assert Ear(24000, TurnDetection()).append(noise + tone(0.02, level=20000) + noise) == []


def test_a_short_pause_does_not_end_an_utterance():
    found = Ear(24000, TurnDetection()).append(tone(0.4) + silence(0.3) + tone(0.4) + silence(1.0))
    assert [type(event) for event in found] == [Started, Stopped]


def test_without_turn_detection_all_is_kept_until_it_is_taken():
    ear = Ear(24000, None)
    assert ear.append(silence(1.0) + tone(1.0)) == []
    assert ear.buffered_ms == 2000
    assert len(ear.take()) == 96000
    assert (ear.buffered_ms, ear.now_ms) == (0, 2000)


def test_a_long_silence_is_not_kept():
    ear = Ear(24000, TurnDetection())
    ear.append(silence(60))
    assert ear.buffered_ms < 1000
    assert ear.now_ms == 60_000
