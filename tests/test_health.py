"""Probes and metrics."""

import socket
from datetime import timedelta

import pytest
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from calls import health, services
from calls.models import Department, Extension, Membership, Switch, Transfer
from calls.transfer import events


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch):
    monkeypatch.setattr(health, "_realtime_known", (0.0, "", {}))


@pytest.fixture
def realtime(settings):
    """A port that takes connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.OPENAI_REALTIME_URL = f"ws://127.0.0.1:{server.getsockname()[1]}/v1/realtime"
        yield server


@pytest.fixture
def switch(db) -> Switch:
    return Switch.objects.create(
        slug="main", name="Main", connected=True, lease_holder="test", lease_until=timezone.now() + timedelta(hours=1)
    )


def ready(client) -> tuple[int, list[str]]:
    response = client.get("/readyz")
    return response.status_code, response.json()["down"]


def test_healthz_asks_nobody(client):
    assert client.get("/healthz").status_code == 200


def test_ready_when_every_part_is_up(client, switch, realtime):
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {
        "status": "ok",
        "down": [],
        "parts": {"database": "ok", "redis": "ok", "switch:main": "ok", "realtime": "ok"},
    }


def test_a_switch_that_is_not_connected_is_named(client, switch, realtime):
    Switch.objects.create(slug="other", name="Other", lease_until=timezone.now() + timedelta(hours=1))
    Switch.objects.create(slug="spare", name="Spare", enabled=False)
    assert ready(client) == (503, ["switch:other"])


def test_a_switch_whose_process_died_is_named(client, switch, realtime):
    Switch.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert client.get("/readyz").json()["parts"]["switch:main"] == "no switch process"


def test_no_switch_at_all_is_not_ready(client, db, realtime):
    assert ready(client) == (503, ["switches"])


def test_a_dead_redis_is_named_without_its_password(client, switch, realtime, settings):
    settings.REDIS_URL = "redis://:secret@127.0.0.1:1/0"
    response = client.get("/readyz")
    assert (response.status_code, response.json()["down"]) == (503, ["redis"])
    assert "secret" not in response.content.decode()


def test_a_redis_that_never_answers_is_named_in_time(client, switch, realtime, settings, monkeypatch):
    monkeypatch.setattr(health, "PROBE_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.REDIS_URL = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        response = client.get("/readyz")
    assert response.json()["parts"]["redis"] == "no answer within 0.2 s"


def test_an_unreachable_realtime_api_is_named(client, switch, settings):
    settings.OPENAI_REALTIME_URL = "ws://127.0.0.1:1/v1/realtime"
    assert ready(client) == (503, ["realtime"])


def test_the_realtime_api_is_not_asked_by_every_probe(client, switch, realtime):
    for _ in range(3):
        assert ready(client) == (200, [])
    realtime.settimeout(1)
    realtime.accept()
    realtime.settimeout(0.05)
    with pytest.raises(TimeoutError):
        realtime.accept()


# ---------------------------------------------------------------- metrics
def metrics(client, **extra) -> dict[str, float]:
    """{'name{label}': value} of /metrics."""
    text = client.get("/metrics", **extra).content.decode()
    return {
        sample.name + "".join(f"{{{value}}}" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_metrics_tell_what_the_database_knows(client, switch):
    department = Department.objects.create(name="Vendas", slug="vendas")
    Membership.objects.create(department=department, extension=Extension.objects.create(number="2001", name="Ana"))
    over, _ = services.create_transfer(services.NewTransfer("call-1", "vendas", start_after_ms=9000))
    services.apply_event(over.pk, events.CallerLeft())
    services.create_transfer(services.NewTransfer("call-2", "vendas"))
    talk, _ = services.create_transfer(services.NewTransfer("call-3", "vendas", start_after_ms=9000))
    begin = timezone.now()
    Transfer.objects.filter(pk=talk.pk).update(
        state="connected", outcome="accepted", requested_at=begin, connected_at=begin + timedelta(seconds=20)
    )
    found = metrics(client)
    assert found["transferhub_transfers_open{parking}"] == 1
    assert found["transferhub_transfers_open{connected}"] == 1
    assert found["transferhub_transfers_today{caller_left}"] == 1
    assert found["transferhub_transfers_today{accepted}"] == 1
    assert found["transferhub_transfers_today{busy}"] == 0
    assert found["transferhub_switch_up{main}"] == 1
    assert found["transferhub_outbox_waiting"] >= 1
    assert found["transferhub_outbox_age_seconds"] > 0
    assert found["transferhub_audio_sessions_live"] == 0
    assert found["transferhub_seconds_to_human_today"] == 20


def test_metrics_are_for_this_machine_or_for_a_key(client, db):
    outside = {"REMOTE_ADDR": "192.0.2.1"}
    assert client.get("/metrics", **outside).status_code == 401
    assert client.get("/metrics", HTTP_X_FORWARDED_FOR="192.0.2.1").status_code == 401
    _, key = services.create_api_client("prometheus")
    assert client.get("/metrics", **outside, HTTP_AUTHORIZATION=f"Bearer {key}").status_code == 200
