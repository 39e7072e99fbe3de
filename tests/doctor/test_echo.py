"""The web process's end of the test leg."""

import json

from django.core.signing import TimestampSigner

from calls.doctor import echo
from calls.switch import safe


def test_frames_and_the_time_between_them_are_counted():
    now = iter([1.0, 1.02, 1.05])
    ear = echo.Ear(lambda: next(now))
    assert [ear.frame(bytes(960)) for _ in range(3)] == [True, False, False]
    assert ear.report() == {"check": "report", "frames": 3, "bytes": 960, "gap_p99_ms": 30.0, "gap_max_ms": 30.0}


def test_a_ping_comes_back_and_a_clip_is_a_clip():
    assert json.loads(echo.answer('{"check":"ping","n":7}', echo.Ear())) == {"check": "ping", "n": 7}
    assert json.loads(echo.answer('{"check":"clip"}', echo.Ear()))["type"] == "streamAudio"
    assert echo.answer("hello", echo.Ear()) == ""


def test_a_token_is_safe_in_a_command_and_good_for_a_minute(monkeypatch):
    token = echo.make_token()
    assert safe.url(f"ws://127.0.0.1:8000{echo.PATH}{token}")
    assert echo.is_good(token)
    assert not echo.is_good(token[:-1])
    assert not echo.is_good(TimestampSigner(salt="another purpose", sep="~").sign("x"))
    monkeypatch.setattr(echo, "TOKEN_SECONDS", -1)
    assert not echo.is_good(token)
