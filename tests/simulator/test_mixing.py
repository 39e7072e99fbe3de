"""Who hears whom in a simulated conference: asserted on the sound that reached each leg."""

import numpy as np
import pytest

from calls.simulator.media import Media
from calls.simulator.sound import Playhead, Sound
from calls.simulator.tones import RATE
from calls.simulator.wav import write_wav
from tests.simulator.listening import ToneMouth, run, strength, tone_leg, tones

A, B, S = 279, 280, 281
HERTZ = {"a": 300, "b": 900, "s": 1300}
MOH = "tone_stream://%(200,1800,440);loops=-1"
HOLD_MUSIC = "tone_stream://%(200,300,800);loops=-1"


@pytest.fixture
def media():
    return Media()


@pytest.fixture
def room(media):
    """Caller a (300 Hz, muted) and agent b (900 Hz) in one conference, 0.2 s after b came."""
    room = media.open_room("transfer_1", MOH)
    room.enter(A, tone_leg(media, "a", HERTZ["a"]), muted=True)
    room.enter(B, tone_leg(media, "b", HERTZ["b"]), muted=False)
    run(media, 0.2)
    return room


def heard(media, uuid, seconds=0.2, *extra):
    """Run on for `seconds`; the tones that leg `uuid` heard in them."""
    run(media, seconds)
    return tones(media, uuid, seconds, *HERTZ.values(), 440, 800, *extra)


def test_a_muted_member_hears_and_is_not_heard(media, room):
    assert heard(media, "a") == {900}
    assert heard(media, "b") == set()


def test_an_unmuted_member_is_heard_and_nobody_hears_himself(media, room):
    room.set(A, muted=False)
    assert heard(media, "b") == {300}
    assert heard(media, "a") == {900}
    assert media.ledger.heard_each_other("a", "b")


def test_a_deaf_member_hears_nobody_but_his_own_clip(media, room):
    room.set(A, deaf=True)
    assert heard(media, "a") == set()
    room.play(A, "tone_stream://%(400,0,1700)")
    assert heard(media, "a", 0.2, 1700) == {1700}


def test_a_member_may_enter_deaf(media, room):
    room.enter(S, tone_leg(media, "s", None), muted=True, deaf=True)
    assert heard(media, "s") == set()


def test_a_member_on_hold_hears_the_music_alone_and_is_not_heard(media, room):
    room.set(A, muted=False)
    room.set(A, hold=HOLD_MUSIC)
    assert heard(media, "a", 0.5) == {800}
    assert heard(media, "b") == set()


def test_unhold_restores_the_mute_state(media, room):
    room.set(A, hold=HOLD_MUSIC)
    room.set(A, hold=False)
    assert heard(media, "a") == {900}
    assert heard(media, "b") == set()


def test_an_unmute_on_hold_is_heard_after_the_unhold(media, room):
    room.set(A, hold=HOLD_MUSIC)
    room.set(A, muted=False)
    assert heard(media, "b") == set()
    room.set(A, hold=False)
    assert heard(media, "b") == {300}


def test_hold_without_a_file_is_silence(media, room):
    room.set(A, hold="")
    assert heard(media, "a") == set()


def test_a_supervisor_whispers_to_the_agent_alone_and_barges_in_when_cleared(media, room):
    room.set(A, muted=False)
    room.enter(S, tone_leg(media, "s", HERTZ["s"]), muted=True)
    run(media, 0.1)
    assert heard(media, "b") == {300}
    room.relate(A, S, nohear=True)
    room.set(S, muted=False)
    assert heard(media, "b") == {300, 1300}
    assert heard(media, "a") == {900}
    assert heard(media, "s") == {300, 900}
    room.relate(A, S, clear=True)
    assert heard(media, "a") == {900, 1300}


def test_relate_nospeak_keeps_a_voice_from_one_member(media, room):
    room.relate(B, A, nospeak=True)
    assert heard(media, "a") == set()
    room.relate(B, A, nospeak=False)
    assert heard(media, "a") == {900}


def test_a_clip_is_heard_by_its_member_only(media, room):
    room.play(B, "tone_stream://%(400,0,1700)")
    run(media, 0.2)
    assert tones(media, "b", 0.2, 1700) == {1700}
    assert tones(media, "a", 0.2, 1700, 900) == {900}
    assert media.ledger.seconds_heard("b", "clip:") == pytest.approx(0.2, abs=0.05)
    assert media.ledger.seconds_heard("a", "clip:") == 0


def test_between_two_queued_clips_there_are_40_ms_of_silence_and_what_the_last_frame_lacks(media, room, tmp_path):
    room.set(B, muted=False)
    for number, milliseconds in enumerate((490, 505, 300)):
        at = np.arange(RATE * milliseconds // 1000) / RATE
        write_wav(tmp_path / f"{number}.wav", (9000 * np.cos(2 * np.pi * 700 * at)).astype(np.int16))
        room.play(B, str(tmp_path / f"{number}.wav"))
    run(media, 1.6)
    sounding = np.flatnonzero(np.abs(media.ledger.audio("b")) > 50)
    gaps = np.diff(sounding)
    silences = gaps[gaps > RATE // 100] / RATE
    assert silences == pytest.approx([0.050, 0.055], abs=0.002)  # as measured on a real FreeSWITCH


def test_clips_tell_their_start_when_queued_and_their_end_one_by_one(media, room, tmp_path):
    news = []
    room.on_clip = lambda member_id, path, what: news.append((member_id, path[-5:], what))
    for name in ("0.wav", "1.wav"):
        write_wav(tmp_path / name, np.full(RATE // 5, 5000, np.int16))
        room.play(B, str(tmp_path / name))
    run(media, 0.04)
    assert news == [(B, "0.wav", "start"), (B, "1.wav", "start")]
    run(media, 0.5)
    assert news[2:] == [(B, "0.wav", "done"), (B, "1.wav", "done")]


def test_stop_silences_at_once_and_counts_what_it_stopped(media, room):
    news = []
    room.on_clip = lambda member_id, path, what: news.append(what)
    room.play(B, "tone_stream://%(4000,0,1700)")
    room.play(B, "tone_stream://%(4000,0,1700)")
    run(media, 0.1)
    assert room.stop(B) == 2
    assert heard(media, "b", 0.1, 1700) == set()
    assert news == ["start", "start", "done", "done"]
    assert room.stop(B) == 0


def test_a_clip_plays_on_after_its_file_is_gone(media, room, tmp_path):
    file = tmp_path / "gone.wav"
    write_wav(file, np.full(RATE, 5000, np.int16))
    room.play(B, str(file))
    file.unlink()
    run(media, 1.0)
    assert media.ledger.seconds_heard("b", "clip:") == pytest.approx(1.0, abs=0.05)


def test_a_clip_that_does_not_exist_is_an_error(room):
    with pytest.raises(FileNotFoundError):
        room.play(B, "/nonexistent.wav")


def test_a_member_alone_hears_music_also_over_a_clip_and_no_longer_when_another_comes(media):
    room = media.open_room("r", MOH)
    room.enter(A, tone_leg(media, "a", None), muted=True)
    assert heard(media, "a", 0.2) == {440}
    run(media, 1.8)
    room.play(A, "tone_stream://%(400,0,1700)")
    assert heard(media, "a", 0.2, 1700) == {440, 1700}
    room.enter(B, tone_leg(media, "b", None), muted=False)
    run(media, 0.3)
    assert heard(media, "a", 2.0) == set()
    room.leave(B)
    assert heard(media, "a", 0.2) == {440}


def test_a_member_with_nomoh_or_a_room_without_music_is_silent(media):
    media.open_room("r", MOH).enter(A, tone_leg(media, "a", None), muted=True, nomoh=True)
    media.open_room("q", None).enter(B, tone_leg(media, "b", None), muted=True)
    assert heard(media, "a", 2.0) == set()
    assert heard(media, "b", 2.0) == set()


def test_voices_of_two_rooms_do_not_mix(media, room):
    other = media.open_room("other", MOH)
    other.enter(1, tone_leg(media, "x", 600), muted=False)
    other.enter(2, tone_leg(media, "y", 1500), muted=False)
    run(media, 0.1)
    assert heard(media, "a", 0.2, 600, 1500) == {900}
    assert heard(media, "y", 0.2, 600, 1500) == {600}


def test_loud_voices_together_saturate_instead_of_wrapping(media):
    room = media.open_room("r", None)
    room.enter(1, tone_leg(media, "listener", None), muted=True)
    for member_id in (2, 3, 4):
        leg = tone_leg(media, f"loud{member_id}", None)
        leg.mouth = ToneMouth(500)
        leg.mouth._playhead = Playhead(Sound(np.full(RATE, 30000, np.int16), rounds=-1))
        room.enter(member_id, leg, muted=False)
    run(media, 0.1)
    assert media.ledger.audio("listener")[-1] == 32767


def test_talking_starts_with_the_first_loud_frame_and_stops_after_0_8_s_of_quiet(media):
    room = media.open_room("r", None)
    leg = tone_leg(media, "b", None)
    leg.mouth = ToneMouth(900, frames=10)
    news = []
    room.on_talking = lambda member_id, talking: news.append((round(media.now, 2), member_id, talking))
    room.enter(B, leg, muted=False)
    run(media, 1.9)
    assert news == [(0.0, B, True), (0.98, B, False)]
    assert room.energy(B) == 0


def test_a_steady_tone_has_the_energy_a_real_conference_reports(media, room):
    assert room.energy(B) == 6481
    assert room.talking(B)


def test_a_muted_talker_is_not_reported_and_is_reported_once_unmuted(media, room):
    news = []
    room.on_talking = lambda member_id, talking: news.append((member_id, talking))
    run(media, 1.0)
    assert news == []
    room.set(A, muted=False)
    run(media, 0.1)
    assert news == [(A, True)]
    room.set(A, muted=True)
    run(media, 1.0)
    assert news == [(A, True)]
    assert not room.talking(A)


def test_a_faint_noise_is_no_speech_and_is_not_mixed_in(media, room):
    leg = media.legs["b"]
    leg.mouth._playhead = Playhead(Sound(np.tile(np.array([80, -80], np.int16), 4000), rounds=-1))
    run(media, 1.2)
    assert not room.talking(B)
    run(media, 0.2)
    assert strength(media.ledger.audio("a")[-RATE // 5 :], 4000) == 0
