import numpy as np
import pytest

from calls.transfer.decision import PAUSE_MS, Voicemail, by_sound_alone, longest_speech_ms
from calls.voice.audio import FRAME_MS, RATE_OF_FRAME, SpeechDetector, Upsampler, downsampled, level
from calls.voice.synthesis import synthesise

random = np.random.default_rng(7)


def tone(hertz, rate, seconds=1.0, peak=10_000):
    at = np.arange(int(rate * seconds)) / rate
    return (peak * np.sin(2 * np.pi * hertz * at)).astype("<i2").tobytes()


def noise(milliseconds, rms, rate=8000):
    return (random.standard_normal(milliseconds * rate // 1000) * rms).astype("<i2").tobytes()


def frames(pcm, rate):
    size = rate // 50 * 2
    return [pcm[at : at + size] for at in range(0, len(pcm) - size + 1, size)]


def heard(*sounds, rate=8000):
    detector = SpeechDetector()
    for sound in sounds:
        for frame in frames(sound, rate):
            detector.hear(frame)
    return detector


@pytest.mark.parametrize("rate", [8000, 16_000])
def test_every_frame_comes_out_at_once_and_three_times_or_half_again_as_long(rate):
    resample = Upsampler(rate)
    assert {len(resample(frame)) for frame in frames(tone(440, rate), rate)} == {960}


@pytest.mark.parametrize(("rate", "hertz"), [(8000, 300), (8000, 1000), (8000, 3000), (16_000, 1000), (16_000, 6000)])
def test_a_tone_stays_the_same_tone_without_images_or_clicks(rate, hertz):
    resample = Upsampler(rate)
    made = b"".join(resample(frame) for frame in frames(tone(hertz, rate), rate))
    settled = np.frombuffer(made, "<i2")[2400:-2400].astype(float)
    spectrum = np.abs(np.fft.rfft(settled * np.kaiser(len(settled), 14))) ** 2
    peak = int(np.argmax(spectrum))
    assert peak * 24_000 / len(settled) == pytest.approx(hertz, abs=2)
    near = spectrum[max(0, peak - 20) : peak + 21].sum()
    assert 10 * np.log10(near / (spectrum.sum() - near)) > 65
    assert settled.std() * 2**0.5 == pytest.approx(10_000, rel=0.02)


@pytest.mark.parametrize("hertz", [300, 1000, 3000, 5000])
def test_a_clip_keeps_its_tones_at_the_lower_rate(hertz):
    made = np.frombuffer(downsampled(tone(hertz, 24_000)), "<i2")
    assert len(made) == 16_000
    settled = made[1600:-1600].astype(float)
    spectrum = np.abs(np.fft.rfft(settled * np.kaiser(len(settled), 14))) ** 2
    peak = int(np.argmax(spectrum))
    assert peak * 16_000 / len(settled) == pytest.approx(hertz, abs=2)
    near = spectrum[max(0, peak - 20) : peak + 21].sum()
    assert 10 * np.log10(near / (spectrum.sum() - near)) > 60
    assert settled.std() * 2**0.5 == pytest.approx(10_000, rel=0.02)


@pytest.mark.parametrize("hertz", [9500, 11_000])
def test_what_the_lower_rate_cannot_hold_is_left_out(hertz):
    assert level(downsampled(tone(hertz, 24_000))[3200:-3200]) < 7071 / 300


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 9601])
def test_a_clip_of_any_length_is_converted(count):
    assert len(downsampled(bytes(2 * count))) == 2 * 2 * -(-count // 3)


def test_a_rate_that_is_not_resampled_is_refused():
    with pytest.raises(ValueError, match="24000"):
        Upsampler(24_000)


def test_the_size_of_a_frame_tells_its_rate():
    assert {rate // 50 * 2: rate for rate in (8000, 16_000, 24_000)} == RATE_OF_FRAME


def test_the_level_of_silence_is_nothing_and_of_a_tone_its_rms():
    assert level(bytes(320)) == 0 and level(b"") == 0
    assert level(tone(500, 8000)) == pytest.approx(7071, rel=0.01)


def test_silence_and_line_noise_are_no_speech():
    assert heard(bytes(16_000), noise(3000, 40)).spans() == ()


@pytest.mark.parametrize("rate", [8000, 16_000, 24_000])
def test_a_word_is_one_stretch_with_its_length(rate):
    word = synthesise("Sim.", rate=rate)
    (span,) = heard(bytes(rate), word, bytes(rate), rate=rate).spans()
    assert 480 <= span.start_ms <= 640
    assert span.length_ms == pytest.approx(len(word) / 2 / rate * 1000, abs=160)


def test_a_click_is_no_speech():
    assert heard(bytes(8000), tone(1000, 8000, 0.04), bytes(8000)).spans() == ()


def test_a_stretch_that_goes_on_is_already_heard():
    detector = heard(bytes(1600), tone(300, 8000, 0.5))
    assert detector.speaking
    assert detector.spans() == (detector.open_span,)
    assert detector.open_span.length_ms == pytest.approx(500, abs=40)


def test_steady_noise_is_found_out_within_two_seconds_and_a_voice_above_it_is_heard():
    detector = heard(noise(4000, 400))
    assert longest_speech_ms(detector.spans()) < 2400
    assert not detector.speaking
    for frame in frames(synthesise("Pode transferir, por favor.", rate=8000), 8000):
        detector.hear(frame)
    assert detector.spans(since_ms=4000)


def test_a_recording_of_an_answering_machine_is_one_long_speech():
    machine = synthesise(
        "Você ligou para o correio de voz. No momento não posso atender. Deixe a sua mensagem depois do sinal.",
        rate=8000,
    )
    assert by_sound_alone(heard(bytes(4000), machine).uninterrupted_ms) == Voicemail("long_speech")


def test_the_speech_that_goes_on_is_the_longest_one_where_nobody_has_spoken_longer():
    detector = SpeechDetector()
    sentences = [tone(900, 8000, 0.5) + bytes(6400), tone(900, 8000, 0.4) + bytes(12_800), tone(900, 8000, 1.2)]
    lengths = []
    for frame in frames(b"".join(sentences), 8000):
        detector.hear(frame)
        if detector.speaking:
            lengths.append((detector.uninterrupted_ms, longest_speech_ms(detector.spans())))
        else:
            assert detector.uninterrupted_ms == 0
    assert all(now <= longest for now, longest in lengths)
    assert max(lengths)[0] == lengths[-1][1] > 1200
    assert lengths[-1][0] == pytest.approx(1200, abs=40)  # the pause before it was one


def test_who_has_spoken_since_a_moment_has_spans_since_then():
    detector = SpeechDetector()
    assert not detector.spoke_since(0)
    for frame in frames(bytes(3200) + tone(300, 8000, 0.4) + bytes(8000), 8000):
        detector.hear(frame)
        for since in range(0, 1200, 20):
            assert detector.spoke_since(since) == bool(detector.spans(since))


def test_the_pause_that_ends_a_stretch_is_shorter_than_the_one_that_ends_a_speech():
    assert SpeechDetector.GAP_FRAMES * FRAME_MS < PAUSE_MS
