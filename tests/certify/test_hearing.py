import numpy as np
import pytest

from calls.certify import tones
from calls.certify.certificate import Certificate, Lived, spread
from calls.certify.hearing import FRAME_BYTES, RATE, Ear
from calls.simulator.phrases import Meaning


def silence(seconds: float, rate: int = RATE) -> bytes:
    return bytes(int(seconds * rate) * 2)


def ear_of(pcm: bytes, begun: float = 100.0) -> Ear:
    """An ear that got this frame by frame, from that second of the clock on."""
    ear = Ear()
    for number, at in enumerate(range(0, len(pcm), FRAME_BYTES), 1):
        ear.feed(pcm[at : at + FRAME_BYTES], begun + number * 0.02)
    return ear


def test_an_ear_tells_tones_apart_and_when_they_were():
    ear = ear_of(silence(0.5) + tones.tone(tones.YES, 1.0, RATE) + silence(0.5))
    (span,) = ear.spans(tones.YES)
    assert (span.start, span.end) == (pytest.approx(100.5), pytest.approx(101.5))
    assert [ear.seconds(hertz) for hertz in tones.ALL if hertz != tones.YES] == [0, 0, 0, 0, 0]
    assert ear.seconds(tones.YES, since=101.0) == pytest.approx(0.5)
    assert ear.seconds(tones.YES, until=101.0) == pytest.approx(0.5)


def test_two_who_speak_at_once_are_both_heard():
    one, other = (np.frombuffer(tones.tone(hertz, 1.0, RATE), "<i2") for hertz in (tones.CALLER, tones.AGENT))
    ear = ear_of((one + other).astype("<i2").tobytes())
    assert ear.seconds(tones.CALLER) > 0.9 and ear.seconds(tones.AGENT) > 0.9


def test_music_of_another_pitch_is_none_of_the_tones():
    assert [ear_of(tones.tone(440, 1.0, RATE)).seconds(hertz) for hertz in tones.ALL] == [0] * len(tones.ALL)


def test_a_late_frame_does_not_move_the_rest():
    pcm = tones.tone(tones.YES, 1.0, RATE)
    ear = Ear()
    ear.feed(pcm[: FRAME_BYTES * 10], 100.2)
    ear.feed(pcm[FRAME_BYTES * 10 :], 105.0)  # the machine stood still
    assert ear.spans(tones.YES)[0].end == pytest.approx(101.0)


def test_pitch_and_gaps_of_what_was_said():
    half = tones.tone(tones.ANNOUNCER, 0.5, RATE)
    ear = ear_of(half + silence(0.06) + half)
    assert ear.pitch(tones.ANNOUNCER) == pytest.approx(500, abs=0.5)
    assert ear.gaps(tones.ANNOUNCER) == [60]
    faster = ear_of(tones.tone(503.1, 1.0, RATE))
    assert faster.pitch(tones.ANNOUNCER) == pytest.approx(503.1, abs=0.5)


@pytest.mark.parametrize("rate", [8000, 24000])
@pytest.mark.parametrize(
    ("said", "meaning"),
    [
        ([(tones.YES, 1.0)], Meaning.ACCEPT),
        ([(tones.NO, 1.0)], Meaning.REJECT),
        ([(tones.YES, 0.2)], Meaning.UNCLEAR),
        ([(tones.YES, 1.0), (tones.NO, 1.0)], Meaning.UNCLEAR),
        ([(tones.CALLER, 1.0)], Meaning.UNCLEAR),
        ([], Meaning.UNCLEAR),
    ],
)
def test_the_scripted_model_understands_yes_and_no_alone(rate, said, meaning):
    pcm = silence(0.1, rate) + b"".join(tones.tone(hertz, seconds, rate) for hertz, seconds in said)
    assert tones.understand(pcm, rate).meaning is meaning


def certificate(**changes) -> Certificate:
    values = {"stories": [Lived("accepted", [], 1.0)], "measures": {"pitch": [500.0]}} | changes
    return Certificate("pbx:8021", "FreeSWITCH 1.10", "2026-11-22", 4, **values)


@pytest.mark.parametrize(
    "fault",
    [
        {"stories": []},
        {"stories": [Lived("accepted", [], 1.0), Lived("busy", ["the caller did not come back"], 1.0)]},
        {"left_over": ["leg x"]},
        {"interrupted": "by hand"},
    ],
)
def test_a_certificate_with_any_fault_has_not_passed(fault):
    assert certificate().passed and certificate().text().startswith("PASSED")
    assert not certificate(**fault).passed and certificate(**fault).text().startswith("FAILED")


def test_a_certificate_names_the_problems_of_its_stories():
    text = certificate(stories=[Lived("busy", ["the caller did not come back"], 1.0)]).text()
    assert "    the caller did not come back" in text.splitlines()


def test_a_certificate_without_a_single_talk_can_still_be_written():
    nobody_talked = certificate(commands={"Park": [5.0], "decision to put through": []}, measures={})
    assert set(nobody_talked.as_json()["commands"]) == {"Park"}
    assert "decision to put through" not in nobody_talked.text()


def test_a_spread_has_the_median_and_the_worst_of_a_hundred():
    assert spread([5, 1, 2, 3, 4]) == {"count": 5, "p50": 3, "p99": 5, "least": 1, "most": 5}
