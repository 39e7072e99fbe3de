"""Who comes to /audio/<token> with what, and what of it is written down."""

import asyncio
import logging
import logging.config
import socket
from contextlib import nullcontext
from datetime import timedelta

import pytest
import uvicorn
from asgiref.sync import sync_to_async
from django.conf import settings
from django.utils import timezone
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from calls import services
from calls.models import AudioSession
from calls.services import audio
from calls.voice.hub import Hub
from tests.services import world as company
from transferhub.asgi import Application

ME = "host:1:abc"


@pytest.fixture
def claimed(db):
    """The audio session of an agent whose telephone rings, claimed by the process ME."""
    company.connected_switch()
    company.department("vendas", "2001")
    company.dialling("vendas")
    services.heartbeat(ME, "ws://127.0.0.1:1", 0)
    (mine,) = services.claim_audio(ME)
    return mine


def test_a_token_opens_one_socket_once(claimed):
    assert services.audio_connected(ME, claimed.token).session_id == claimed.session_id
    assert services.audio_connected(ME, claimed.token) is None


def test_a_token_is_of_no_use_elsewhere(claimed):
    assert services.audio_connected("another:2:def", claimed.token) is None


def test_a_token_does_not_outlive_the_ringing(claimed):
    def aged(seconds):
        AudioSession.objects.update(claimed_at=timezone.now() - timedelta(seconds=seconds))
        return services.audio_connected(ME, claimed.token)

    assert aged(audio.TOKEN_SECONDS + 1) is None
    assert aged(audio.TOKEN_SECONDS - 5) is not None
    assert audio.TOKEN_SECONDS > 120  # the longest ringing a department may set


def test_a_token_opens_the_leg_it_was_made_for_and_no_other(claimed):
    company.department("suporte", "2002")
    other = company.dialling("suporte")
    (second,) = services.claim_audio(ME)
    live = services.audio_connected(ME, second.token)
    assert (live.session_id, live.transfer_id) == (second.session_id, other.pk)
    assert AudioSession.objects.get(pk=claimed.session_id).state == AudioSession.State.CLAIMED


def test_a_token_is_of_no_use_when_its_session_was_closed(claimed):
    services.close_audio(claimed.session_id)
    assert services.audio_connected(ME, claimed.token) is None


def test_only_the_hash_of_a_token_is_kept_and_it_is_compared_in_constant_time(claimed, monkeypatch):
    row = AudioSession.objects.get()
    assert claimed.token not in str(row.__dict__) and len(claimed.token) >= 32
    asked = []
    monkeypatch.setattr(audio.hmac, "compare_digest", lambda *pair: asked.append(pair) or False)
    assert services.audio_connected(ME, claimed.token) is None
    assert asked == [(row.token_hash, row.token_hash)]


def test_what_may_be_logged_of_a_session_holds_no_token_and_no_speech(claimed):
    text = repr(claimed) + str(claimed)
    assert claimed.token not in text and "announcement_text" not in text


class _Kept(logging.Handler):
    def __init__(self):
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record):
        self.lines.append(record.getMessage())


async def test_the_web_server_never_writes_a_token_however_much_it_logs(db):
    """uvicorn at its most talkative: access log and every WebSocket's path."""
    logging.config.dictConfig(uvicorn.config.LOGGING_CONFIG)
    logging.config.dictConfig(settings.LOGGING)  # as Django does when the application is imported
    kept = _Kept()
    loggers = [logging.getLogger(name) for name in ("uvicorn.error", "uvicorn.access")]
    for logger in loggers:
        logger.addHandler(kept)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        app = Application(lambda: _NoHub())
        server = uvicorn.Server(uvicorn.Config(app, log_level="trace", log_config=None, lifespan="off"))
        server.capture_signals = nullcontext
        task = asyncio.create_task(server.serve(sockets=[listening]))
        port = listening.getsockname()[1]
        while not server.started:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        with pytest.raises(InvalidStatus):
            await connect(f"ws://127.0.0.1:{port}/audio/the-secret-token")
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /audio/the-secret-token?x=1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        await reader.read()
        writer.close()
        server.should_exit = True
        await task
    for logger in loggers:
        logger.removeHandler(kept)
        logger.setLevel(logging.NOTSET)
    told = [line for line in kept.lines if "/audio/" in line]
    assert any("WebSocket" in line for line in told) and any("GET" in line for line in told), kept.lines
    assert not any("secret" in line for line in kept.lines)


class _NoHub(Hub):
    def __init__(self):
        pass

    def start(self):
        pass

    async def admit(self, token):
        return None


def test_every_way_we_start_a_web_server_writes_no_access_log():
    root = settings.BASE_DIR
    for path in ("deploy/systemd/transferhub-web@.service", "deploy/Dockerfile", "calls/demo/parts.py"):
        assert "--no-access-log" in (root / path).read_text("utf-8"), path
    nginx = (root / "deploy/nginx/transferhub.conf").read_text("utf-8")
    assert "$transferhub_path" in nginx and "combined" not in nginx


@pytest.mark.parametrize("path", ["/audio/", "/audio/../admin/", "/audio/%00", "/audio/" + "a" * 5000])
async def test_odd_tokens_are_refused_like_any_other(path, transactional_db):
    class Door:
        async def audio_connected(self, process_id, token):
            return await sync_to_async(services.audio_connected)(process_id, token)

    hub = Hub(Door(), "ws://127.0.0.1:1")
    assert await hub.admit(path.removeprefix("/audio/")) is None
