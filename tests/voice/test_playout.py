import pytest

from calls.voice.playout import END_OVERDUE_MS, REPORT_OVERDUE_MS, Playout

PATH = "/var/lib/freeswitch/tmp/ee576a6d-79c9-4b29-82b5-62b2631b6336_{}.tmp.wav"


@pytest.fixture
def playout():
    return Playout()


def reported(playout, what, number, now):
    return playout.report(what, PATH.format(number), now)


def test_a_clip_is_audible_from_its_start(playout):
    clip = playout.sent("item", 1000, 0)
    assert playout.busy and playout.audible is None
    reported(playout, "ready", 0, 20)
    assert playout.audible is None
    reported(playout, "start", 0, 40)
    assert playout.audible is clip and clip.heard_ms(440) == 400


def test_a_clip_queued_behind_another_is_audible_when_that_one_ends(playout):
    """As recorded from a real switch: the second one's start is reported 4 ms after the first one's, not 530."""
    first, second = playout.sent("item", 500, 0), playout.sent("item", 500, 0)
    reported(playout, "start", 0, 286)
    reported(playout, "start", 1, 290)
    assert playout.audible is first and second.heard_ms(700) == 0
    reported(playout, "done", 0, 818)
    assert playout.audible is second and second.heard_ms(918) == 100


def test_what_was_heard_of_an_item_goes_over_its_clips(playout):
    playout.sent("item", 500, 0)
    playout.sent("item", 2000, 0)
    reported(playout, "start", 0, 100)
    reported(playout, "start", 1, 110)
    reported(playout, "done", 0, 600)
    assert playout.cut_short(900) == {"item": 800}


def test_an_item_heard_to_its_end_is_not_cut_short(playout):
    playout.sent("item", 500, 0)
    reported(playout, "start", 0, 100)
    reported(playout, "done", 0, 600)
    assert playout.cut_short(700) == {} and not playout.busy


def test_an_item_of_which_nothing_was_heard_cannot_be_cut(playout):
    playout.sent("item", 500, 0)
    assert playout.cut_short(300) == {}


def test_never_more_is_heard_than_was_sent(playout):
    playout.sent("item", 500, 0)
    reported(playout, "start", 0, 0)
    assert playout.cut_short(900) == {"item": 500}


def test_what_was_dropped_is_over_and_a_late_report_changes_nothing(playout):
    clip = playout.sent("item", 5000, 0)
    reported(playout, "start", 0, 100)
    playout.drop(1100)
    assert not playout.busy and clip.heard_ms(9000) == 1000
    assert reported(playout, "done", 0, 1150) is clip
    assert clip.dropped and clip.heard_ms(9000) == 1000


def test_without_any_report_a_clip_is_taken_to_have_been_played(playout):
    clip = playout.sent("item", 1000, 200)
    playout.advance(200 + REPORT_OVERDUE_MS - 20)
    assert playout.audible is None
    playout.advance(200 + REPORT_OVERDUE_MS)
    assert clip.audible_at == 200
    playout.advance(200 + 1000 + END_OVERDUE_MS)
    assert not playout.busy and clip.ended_at == 1200


def test_a_lost_end_does_not_keep_the_next_clip_waiting(playout):
    playout.sent("item", 1000, 0)
    second = playout.sent("item", 1000, 0)
    reported(playout, "start", 0, 0)
    reported(playout, "start", 1, 10)
    playout.advance(1500)
    assert playout.audible is second


def test_a_file_that_is_not_ours_is_nobodys(playout):
    playout.sent("item", 1000, 0)
    assert playout.report("start", "/usr/share/sounds/moh.wav", 0) is None
    assert reported(playout, "start", 7, 0) is None
