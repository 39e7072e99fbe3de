import base64
import io
import json
import wave
from itertools import pairwise

import numpy as np
import pytest

from calls.voice.audio import downsampled, level
from calls.voice.clips import QUIET, STAGES_MS, ClipCutter, duration_ms, stream_audio
from calls.voice.synthesis import resample, synthesise
from tests.voice.heard import gaps, silences

SPEECH = synthesise(
    "Olá, João. Aqui é a secretária virtual. Maria Souza está na linha e quer falar com Vendas. "
    "Ela pede um orçamento de vinte licenças, com entrega ainda este mês. Você pode atender agora?"
)
DRONE = (8000 * np.sin(np.arange(24_000 * 10) / 20)).astype("<i2").tobytes()


def cut(pcm, step=4800):
    cutter = ClipCutter()
    clips = []
    for at in range(0, len(pcm), step):
        clips += cutter.push(pcm[at : at + step])
    return clips + cutter.flush()


@pytest.mark.parametrize("step", [480, 4800, 96_000, 10_000_000])
def test_nothing_is_lost_or_changed_however_the_audio_arrives(step):
    assert b"".join(cut(SPEECH, step)) == SPEECH


def test_the_first_clip_is_short_and_the_later_ones_are_long():
    lengths = [duration_ms(clip) for clip in cut(SPEECH)]
    assert 300 <= lengths[0] <= 1500
    assert 800 <= lengths[1] <= 3000
    assert all(length >= 2000 for length in lengths[2:-1])
    assert len(lengths) <= 6


def test_the_first_clip_is_ready_as_soon_as_its_audio_is_there():
    cutter = ClipCutter()
    came = next(at for at in range(0, len(SPEECH), 960) if cutter.push(SPEECH[at : at + 960]))
    assert duration_ms(SPEECH[: came + 960]) <= STAGES_MS[0][1] + 40


def test_every_cut_lies_where_it_is_quiet():
    for before, after in pairwise(cut(SPEECH)):
        assert level(before[-960:]) < QUIET and level(after[:960]) < QUIET


def test_the_moment_in_which_a_t_is_made_is_no_pause():
    word = DRONE[: 48 * 400] + bytes(48 * 40)
    assert [duration_ms(clip) for clip in cut(word + DRONE[: 48 * 500] + bytes(48 * 100) + word)] == [980, 500]


def test_speech_without_a_pause_is_not_cut_in_a_silence_that_the_switch_would_make_a_gap():
    words = (DRONE[: 48 * 260] + bytes(48 * 40)) * 30
    for before, after in pairwise(cut(words)):
        assert level(before[-240:]) > QUIET or level(after[:240]) > QUIET


def test_nor_beside_a_hiss_that_a_telephone_does_not_give():
    noise = np.random.default_rng(1).normal(0, 250, 48 * 20)
    hiss = np.diff(noise, 2)[: 24 * 20].astype("<i2").tobytes()  # most of it above 4 kHz
    words = (DRONE[: 48 * 250] + hiss + bytes(48 * 40)) * 30
    assert level(hiss) > 2 * QUIET
    heard = bytes(2 * 8 * 40).join(resample(clip, 24_000, 8000) for clip in cut(words))
    assert silences(np.frombuffer(heard, "<i2"), 8000) == []


def test_what_the_switch_puts_between_the_clips_of_a_long_sentence_is_nowhere_heard_as_a_gap():
    sentence = synthesise(
        "A cliente pede que alguém do departamento técnico explique como trocar o equipamento que quebrou ontem porque "
        "o contrato que ela tem conosco obriga a empresa a entregar outro aparelho dentro de apenas quatro dias úteis."
    )
    heard = bytes(48 * 40).join(cut(sentence))
    assert len(heard) > len(sentence)
    assert gaps(np.frombuffer(heard, "<i2"), np.frombuffer(sentence, "<i2"), 24_000) == []


def test_speech_without_a_pause_is_cut_at_the_longest_length():
    lengths = [duration_ms(clip) for clip in cut(DRONE)]
    assert len(lengths) == 4
    assert all(length <= longest for length, (_, longest) in zip(lengths, STAGES_MS, strict=True))


def test_the_next_answer_begins_with_a_short_clip_again():
    cutter = ClipCutter()
    cutter.push(SPEECH)
    cutter.flush()
    assert duration_ms(cutter.push(SPEECH)[0]) <= 1500


def test_with_hardly_anything_left_to_hear_the_next_pause_will_do_also_one_that_has_passed():
    word = DRONE[: 48 * 500] + bytes(48 * 100)
    cutter = ClipCutter()
    (first,) = cutter.push(word + word + DRONE[: 48 * 40])  # in which no clip of the second stage may end yet
    assert duration_ms(first) == 540
    assert [duration_ms(clip) for clip in cutter.push(b"", hungry=True)] == [600]


def test_the_rest_of_an_interrupted_answer_is_forgotten():
    cutter = ClipCutter()
    cutter.push(SPEECH[:9600])
    cutter.discard()
    assert cutter.flush() == []


def test_a_clip_is_a_wav_file_of_the_right_length():
    message = json.loads(stream_audio(SPEECH))
    assert message["type"] == "streamAudio"
    assert (message["data"]["audioDataType"], message["data"]["sampleRate"]) == ("wav", 16_000)
    with wave.open(io.BytesIO(base64.b64decode(message["data"]["audioData"]))) as clip:
        assert (clip.getframerate(), clip.getnchannels(), clip.getsampwidth()) == (16_000, 1, 2)
        assert clip.readframes(clip.getnframes()) == downsampled(SPEECH)
        assert clip.getnframes() / 16 == pytest.approx(duration_ms(SPEECH), abs=1)
