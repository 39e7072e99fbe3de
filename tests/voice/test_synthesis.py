import os
import signal
import subprocess
import sys
import threading
import time
import wave
from io import BytesIO

import numpy as np
import pytest

from calls.voice import synthesis
from calls.voice.synthesis import SynthesisError, asynthesise, resample, synthesise, wav


@pytest.fixture
def no_cache(monkeypatch):
    monkeypatch.setattr(synthesis, "_cache", synthesis._Cache(0))


def tone(frequency, rate, seconds=1.0):
    at = np.arange(int(rate * seconds)) / rate
    return (10000 * np.sin(2 * np.pi * frequency * at)).astype("<i2").tobytes()


def samples(pcm):
    return np.frombuffer(pcm, "<i2").astype(float)


@pytest.mark.parametrize("rate", [8000, 16000, 24000])
def test_a_sentence_has_the_same_length_at_every_rate_and_is_loud_enough_to_hear(rate):
    pcm = synthesise("Bom dia, tenho uma ligação de Maria.", rate=rate)
    assert 1.8 < len(pcm) / 2 / rate < 3.5
    assert samples(pcm).std() > 1000


def test_a_slower_pace_takes_longer():
    text = "Tenho uma ligação para o senhor."
    assert len(synthesise(text, words_per_minute=110)) > 1.2 * len(synthesise(text, words_per_minute=170))


async def test_a_coroutine_gets_the_same_sound():
    assert await asynthesise("Alô?", rate=8000) == synthesise("Alô?", rate=8000)


def test_nothing_to_say_is_no_sound():
    assert synthesise(" \0\n") == b""


@pytest.mark.parametrize("voice", ["../../etc/passwd", "pt-br; true", "", "pt-br+../x"])
def test_a_voice_that_is_no_name_is_refused(voice):
    with pytest.raises(SynthesisError, match="neither"):
        synthesise("Bom dia", voice=voice)


def test_an_unknown_voice_and_an_absent_piper_file_are_said_clearly():
    with pytest.raises(SynthesisError, match="'xx'"):
        synthesise("Bom dia", voice="xx")
    with pytest.raises(SynthesisError, match="[Pp]iper"):
        synthesise("Bom dia", voice="/nowhere/voice.onnx")
    assert synthesise("Bom dia", rate=8000)


def test_a_text_too_long_is_refused():
    with pytest.raises(SynthesisError, match="4001"):
        synthesise("a" * 4001)


def test_text_is_only_ever_text():
    with_markup = synthesise("<break time='20s'/> $(sleep 9) --help [[h@l]]")
    assert len(with_markup) / 2 / 24000 < 15


def test_a_worker_that_was_killed_is_started_again(no_cache):
    synthesise("Bom dia")
    first = synthesis._worker.pid
    os.kill(first, signal.SIGKILL)
    assert synthesise("Bom dia")
    assert synthesis._worker.pid != first


def test_many_threads_each_get_their_own_sentence(no_cache):
    texts = ["Um.", "Dois mil e vinte e três.", "Pode transferir a ligação, por favor, eu atendo agora mesmo."]
    alone = [len(synthesise(text, rate=8000)) for text in texts]
    found = []

    def say(number):
        found.append((number, len(synthesise(texts[number], rate=8000))))

    threads = [threading.Thread(target=say, args=(n % 3,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 12
    # espeak-ng varies its pitch a little from one run to the next, and the length with it
    assert all(abs(length - alone[number]) < 0.05 * alone[number] for number, length in found)


def test_a_forked_child_speaks_through_a_worker_of_its_own(no_cache):
    synthesise("Bom dia")
    ours = synthesis._worker.pid
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if synthesise("Boa tarde") and synthesis._worker.pid != ours else 2
            synthesis._worker.stop()
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert synthesise("Boa noite")
    assert synthesis._worker.pid == ours


def test_the_worker_ends_when_its_parent_is_killed():
    script = "from calls.voice import synthesis as s; s.synthesise('Oi'); print(s._worker.pid, flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        worker = int(parent.stdout.readline())
        os.kill(worker, 0)
        parent.kill()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            os.kill(worker, 0)
        except ProcessLookupError:
            return
        time.sleep(0.01)
    pytest.fail("the worker outlived its parent")


@pytest.mark.parametrize(("source", "target"), [(22050, 24000), (22050, 8000), (8000, 24000), (24000, 8000)])
@pytest.mark.parametrize("frequency", [300, 1000, 3400])
def test_resampling_keeps_the_telephone_band_clean(source, target, frequency):
    made, wanted = samples(resample(tone(frequency, source), source, target)), samples(tone(frequency, target))
    assert len(made) == target
    error = (made - wanted)[500:-500]
    assert error.std() < wanted.std() / 1000  # 60 dB


def test_resampling_leaves_no_alias_of_what_does_not_fit():
    assert samples(resample(tone(4500, 22050), 22050, 8000))[300:-300].std() < 5


def test_a_wav_says_what_it_holds():
    with wave.open(BytesIO(wav(tone(440, 8000), 8000))) as made:
        assert (made.getnchannels(), made.getsampwidth(), made.getframerate(), made.getnframes()) == (1, 2, 8000, 8000)
