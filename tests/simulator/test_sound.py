"""Rates, tones and files of the simulated switch."""

import wave

import numpy as np
import pytest

from calls.simulator.fir import Upsampler, to_8k
from calls.simulator.sound import Playhead, Sound, load
from calls.simulator.tones import RATE, sine
from calls.simulator.wav import UnreadableSound, read_sound, write_wav
from tests.simulator.listening import pitch, strength


def tone_at(hertz, seconds, rate):
    return (10000 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)).astype(np.int16)


def test_a_wav_at_24_khz_played_to_a_channel_is_right_in_pitch_and_length(tmp_path):
    write_wav(tmp_path / "clip.wav", tone_at(500, 1.5, 24000), 24000)
    heard = read_sound(tmp_path / "clip.wav")
    assert len(heard) == pytest.approx(1.5 * RATE, abs=2)
    assert pitch(heard) == pytest.approx(500, abs=2)
    assert strength(heard, 500) == pytest.approx(10000, rel=0.02)


def test_raw_at_24_khz_plays_one_and_a_half_times_too_fast(tmp_path):
    (tmp_path / "clip.r24").write_bytes(tone_at(500, 1.5, 24000).tobytes())
    heard = read_sound(tmp_path / "clip.r24")
    assert len(heard) == pytest.approx(1.0 * RATE, abs=10)
    assert pitch(heard) == pytest.approx(750, abs=3)


def test_raw_at_8_khz_is_right(tmp_path):
    (tmp_path / "clip.r8").write_bytes(tone_at(500, 1.5, 8000).tobytes())
    heard = read_sound(tmp_path / "clip.r8")
    assert (len(heard), pitch(heard)) == (12000, pytest.approx(500, abs=2))


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 48000])
def test_wav_files_of_usual_rates_keep_their_pitch(tmp_path, rate):
    write_wav(tmp_path / "clip.wav", tone_at(1000, 1.0, rate), rate)
    heard = read_sound(tmp_path / "clip.wav")
    assert len(heard) == pytest.approx(RATE, abs=2)
    assert pitch(heard) == pytest.approx(1000, abs=2)
    assert strength(heard[100:-100], 1000) == pytest.approx(10000, rel=0.05)


def test_what_the_telephone_band_cannot_carry_is_filtered_not_folded():
    assert np.abs(to_8k(tone_at(6000, 0.5, 24000), 24000)[100:-100]).max() < 300


def test_a_file_that_is_no_sound_is_said_to_be_none(tmp_path):
    (tmp_path / "x.wav").write_bytes(b"RIFF nonsense")
    with pytest.raises(UnreadableSound):
        read_sound(tmp_path / "x.wav")
    with wave.open(str(tmp_path / "8bit.wav"), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(1)
        out.setframerate(8000)
        out.writeframes(bytes(100))
    with pytest.raises(UnreadableSound):
        read_sound(tmp_path / "8bit.wav")


@pytest.mark.parametrize("factor", [1, 2, 3])
def test_a_stream_keeps_its_pitch_and_level_frame_by_frame(factor):
    upsample = Upsampler(factor)
    samples = sine(1000, 1000, level=8000)
    out = b"".join(upsample(samples[at : at + 160]) for at in range(0, len(samples), 160))
    heard = np.frombuffer(out, "<i2")
    rate = RATE * factor
    assert len(heard) == rate
    steady = heard[rate // 10 :]
    assert strength(steady, 1000, rate) == pytest.approx(8000, rel=0.01)
    rest = steady - np.round(_fitted(steady, 1000, rate))
    assert np.abs(rest).max() < 40  # 46 dB below: no clicks where frames meet


def _fitted(samples, hertz, rate):
    at = 2 * np.pi * hertz * np.arange(len(samples)) / rate
    basis = np.stack([np.sin(at), np.cos(at)], axis=1)
    return basis @ np.linalg.lstsq(basis, samples.astype(float), rcond=None)[0]


def test_silence_after_sound_rings_out_and_then_is_silence():
    upsample = Upsampler(3)
    upsample(sine(20, 1000))
    assert any(upsample(None))
    assert upsample(None) == bytes(960)


def test_a_tone_of_two_frequencies_has_both_and_its_pause():
    sound = load("tone_stream://%(1000,4000,350,440);loops=-1")
    assert (sound.seconds, sound.rounds) == (5.0, -1)
    samples = sound.frames.ravel()
    assert strength(samples[:RATE], 350) == pytest.approx(10187, rel=0.01)
    assert strength(samples[:RATE], 440) == pytest.approx(10187, rel=0.01)
    assert not samples[RATE:].any()


def test_a_tone_says_how_often_it_sounds():
    playhead = Playhead(load("tone_stream://%(20,20,440);loops=3"))
    steps = 0
    while playhead.step() is not None:
        steps += 1
    assert steps == 6


def test_silence_of_a_length_and_for_ever():
    assert load("silence_stream://500").seconds == 0.5
    assert load("silence_stream://-1").rounds == -1


def test_what_is_neither_tone_nor_file_is_refused():
    with pytest.raises(ValueError, match="no tone"):
        load("tone_stream://rubbish")
    with pytest.raises(FileNotFoundError):
        load("/nonexistent.wav")


def test_an_empty_sound_ends_at_once():
    assert Playhead(Sound(np.zeros(0, np.int16))).step() is None


@pytest.mark.parametrize(("rate", "hertz"), [(8000, 1000), (16_000, 1000), (24_000, 1006.7), (48_000, 1025.8)])
def test_a_conference_reads_a_file_in_pieces_and_loses_what_is_no_whole_sample(tmp_path, rate, hertz):
    """The frequencies are those recorded from a real one."""
    path = tmp_path / "tone.wav"
    write_wav(path, 8000 * np.sin(2 * np.pi * 1000 * np.arange(2 * rate) / rate), rate)
    heard = load(str(path), by_conference=True).frames.ravel()[800:8800]
    assert pitch(heard) == pytest.approx(hertz, abs=1)
    assert pitch(load(str(path)).frames.ravel()[800:8800]) == pytest.approx(1000, abs=1)
