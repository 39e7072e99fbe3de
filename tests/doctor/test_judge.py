"""Answers and measurements -> findings, without a switch."""

import re
from pathlib import Path

import pytest

from calls.doctor import judge, replies, words
from calls.doctor.findings import Finding, Level, from_json, ok, to_json, unfit, warning, worst
from calls.doctor.stream import Measured
from calls.doctor.stream import judge as judge_stream
from calls.management.commands import check_switch

COMMAND = Path(check_switch.__file__)
URL = "ws://10.0.0.7:8000"
PROFILE = {"rate": "8000", "interval": "20", "moh-sound": "local_stream://moh"}
REPORT = {"check": "report", "frames": 70, "bytes": 960, "gap_p99_ms": 24.0, "gap_max_ms": 30.0}


def codes(findings) -> list[str]:
    return [finding.code for finding in findings]


def conference(**params: str) -> str:
    inside = "".join(f'<param name="{k.replace("_", "-")}" value="{v}"/>' for k, v in (PROFILE | params).items() if v)
    return f'<configuration><profiles><profile name="default">{inside}</profile></profiles></configuration>'


def measured(**fields) -> Measured:
    values = {"ordered": True, "connect_ms": 5.0, "first_frame_ms": 30.0, "echoes_ms": [4.0, 6.0, 5.0]}
    return Measured(URL, **(values | {"report": REPORT, "clip": {"file": "/tmp/a.wav"}} | fields))


def test_the_worst_finding_is_the_exit_status():
    assert int(worst([])) == 0
    assert int(worst([ok("clock"), warning("no_agents")])) == 1
    assert int(worst([unfit("no_domain"), warning("no_agents")])) == 2


def test_findings_survive_the_database():
    findings = [warning("no_music", profile="default"), ok("timers")]
    assert from_json(to_json(findings)) == findings


def test_every_finding_of_the_code_has_words_and_all_words_are_used():
    """`explain` fills in everything a finding carries; a code without words would be shown as such."""
    sources = "".join(
        path.read_text() for path in [*Path(judge.__file__).parent.glob("*.py"), COMMAND] if path.name != "words.py"
    )
    made = set(re.findall(r'(?:ok|warning|unfit|make|\(ok\))\(\s*"([a-z_]+)"', sources))
    quoted = set(re.findall(r'"([a-z_]+)"', sources))
    assert made - set(words.WORDS) == set()
    assert set(words.WORDS) - quoted == set()


def test_a_profile_without_sounds_is_fit():
    assert codes(judge.profile(conference(), "default")) == ["profile"]


@pytest.mark.parametrize(
    ("params", "code", "level"),
    [
        ({"enter_sound": "a.wav"}, "heard_enter", Level.WARNING),
        ({"alone_sound": "a.wav"}, "heard_alone", Level.WARNING),
        ({"unmuted_sound": "a.wav"}, "heard_unmuted", Level.WARNING),
        ({"moh-sound": ""}, "no_music", Level.WARNING),
        ({"interval": "60"}, "profile_interval", Level.WARNING),
        ({"energy_level": "3000"}, "profile_energy", Level.WARNING),
        ({"pin": "1234"}, "profile_pin", Level.UNFIT),
        ({"member_flags": "mute|nomoh"}, "profile_member_flags", Level.UNFIT),
        ({"max_members": "2"}, "profile_members", Level.WARNING),
        ({"max_members": "1"}, "profile_members", Level.UNFIT),
    ],
)
def test_what_a_profile_would_do_to_a_transfer_is_found(params, code, level):
    _, *found = judge.profile(conference(**params), "default")
    assert [(finding.code, finding.level) for finding in found] == [(code, level)]


def test_a_profile_that_does_not_exist_is_unfit():
    assert codes(judge.profile(conference(), "transfers")) == ["profile_missing"]
    assert codes(judge.profile("can't find anything", "default")) == ["conference_unreadable"]


def test_a_document_type_in_the_answer_is_not_read():
    assert replies.xml('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>') is None


def test_sessions_are_counted_against_their_limit():
    status = "{} session(s) - peak 4, last 5min 0 \n2000 session(s) max\n"
    assert judge.sessions(status.format(3)).level is Level.OK
    assert judge.sessions(status.format(1990)).level is Level.WARNING
    assert judge.sessions(status.format(1999)).level is Level.UNFIT
    assert judge.sessions("").code == "sessions_unknown"


def test_slow_answers_and_clocks_that_differ_are_warnings():
    assert (judge.round_trip([1.0] * 90 + [80.0] * 10).code, judge.round_trip([1.0]).code) == (
        "round_trip_slow",
        "round_trip",
    )
    assert (judge.clock(-3.0).code, judge.clock(0.4).code) == ("clock_differs", "clock")


def test_an_agents_dial_string_says_what_has_to_be_asked():
    asks = "{presence_id=1}${sofia_contact(*/${dialed_user}@${dialed_domain})}"
    two = "sofia/internal/sip:1@a,sofia/internal/sip:1@b"
    assert judge.agent("1", "Ana", True, asks, two).values["telephones"] == 2
    assert judge.agent("1", "Ana", True, asks, "error/user_not_registered").code == "agent_not_registered"
    assert judge.agent("1", "Ana", True, "sofia/internal/1@10.0.0.5", "").code == "agent_fixed"
    assert judge.agent("1", "Ana", True, "${verto_contact(1)}", "").code == "agent_cannot_tell"
    assert judge.agent("1", "Ana", False, "", "").code == "agent_unknown"


def test_inline_applications_have_to_be_known():
    known = frozenset({"set", "park"})
    assert judge.inline_destination("park: inline", ["Vendas"], known).level is Level.OK
    assert judge.inline_destination("answer,park inline", ["Vendas"], known).values["applications"] == "answer"


def test_a_good_stream_is_described_in_three_findings():
    found = judge_stream(measured(), 24000, 1.0)
    assert [(finding.code, finding.level) for finding in found] == [
        ("audio", Level.OK), ("frames", Level.OK), ("edition_open", Level.OK),
    ]  # fmt: skip
    assert found[0].values["p50"] == 4.0  # the Event Socket's own millisecond is not the audio's


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"ordered": False, "connect_ms": None}, "audio_refused_order"),
        ({"connect_ms": None, "error": {"code": 6, "error": "Connection refused"}}, "audio_unreachable"),
        ({"connect_ms": None, "error": {"code": 6, "error": "WebSocket upgrade failed"}}, "audio_somebody_else"),
        ({"connect_ms": None, "error": {"code": 10, "error": "timeout"}}, "audio_no_answer"),
        ({"connect_ms": None}, "audio_no_answer"),
        ({"first_frame_ms": None}, "audio_silent"),
        ({"report": None}, "audio_silent"),
        ({"echoes_ms": []}, "audio_no_echo"),
        ({"echoes_ms": [150.0] * 5}, "audio_late"),
        ({"report": REPORT | {"gap_p99_ms": 140.0}}, "frames_uneven"),
        ({"report": REPORT | {"bytes": 320}}, "audio_frame_size"),
        ({"clip": None}, "clip_lost"),
        ({"clip": {"audioDataType": "wav"}}, "edition_closed"),
    ],
)
def test_what_is_wrong_with_a_stream_is_found(fields, code):
    found = judge_stream(measured(**fields), 24000, 0.0)
    assert code in codes(found)
    assert worst(found) is not Level.OK


def test_an_unknown_finding_of_another_version_is_shown_as_such():
    assert "from_the_future" in words.explain(Finding(Level.OK, "from_the_future")).meaning
