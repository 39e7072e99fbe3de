"""Probes and metrics."""

import socket
from datetime import timedelta

import django_rq
import pytest
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from redis.exceptions import RedisError

from calls import health, services
from calls.models import AudioSession, Department, Extension, Membership, Switch, Transfer
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


@pytest.fixture
def redis_is_empty():
    django_rq.get_queue().empty()
    yield
    django_rq.get_queue().empty()


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
    assert found["transferhub_transfers_total{caller_left}"] == 1
    assert found["transferhub_transfers_total{accepted}"] == 1
    assert found["transferhub_transfers_total{busy}"] == 0
    assert found["transferhub_switch_up{main}"] == 1
    assert found["transferhub_outbox_waiting"] >= 1
    assert found["transferhub_outbox_age_seconds"] > 0
    assert found["transferhub_audio_sessions_live"] == 0


def test_metrics_hold_how_long_people_waited(client, switch):
    Department.objects.create(name="Vendas", slug="vendas")
    begin = timezone.now()
    for number, wait in enumerate((4, 20, 500)):
        made, _ = services.create_transfer(services.NewTransfer(f"call-{number}", "vendas", start_after_ms=9000))
        Transfer.objects.filter(pk=made.pk).update(
            requested_at=begin,
            answered_at=begin + timedelta(seconds=1),
            announced_at=begin + timedelta(seconds=1.2),
            connected_at=begin + timedelta(seconds=wait),
            is_trial=False,
        )
    trial, _ = services.create_transfer(services.NewTransfer("trial", "vendas", start_after_ms=9000))
    Transfer.objects.filter(pk=trial.pk).update(connected_at=begin, is_trial=True)
    found = metrics(client)
    assert [found[f"transferhub_seconds_to_human_bucket{{{bound}}}"] for bound in ("2", "5", "20", "120", "+Inf")] == [
        0, 1, 2, 2, 3,
    ]  # fmt: skip
    assert found["transferhub_seconds_to_human_sum"] == 524
    assert found["transferhub_seconds_to_first_words_bucket{0.25}"] == 3
    assert found["transferhub_seconds_to_put_through_count"] == 0


def test_metrics_add_up_what_the_realtime_api_was_asked_for(client, switch):
    Department.objects.create(name="Vendas", slug="vendas")
    made, _ = services.create_transfer(services.NewTransfer("call", "vendas", start_after_ms=9000))
    now = timezone.now()
    usages = (
        {
            "total_tokens": 42,
            "input_token_details": {"text_tokens": 7, "audio_tokens": 5},
            "output_token_details": {"audio_tokens": 30},
        },
        {"input_token_details": {"text_tokens": 1}, "realtime_lost": 1, "output_token_details": "nonsense"},
        {},
    )
    AudioSession.objects.create(transfer=made, leg="agent", usage={"total_tokens": 8}, closed_at=now, created_at=now)
    for usage in usages:
        AudioSession.objects.create(
            transfer=made, leg="agent", usage=usage, state="closed", created_at=now, live_at=now, closed_at=now
        )
    found = metrics(client)
    assert found["transferhub_announcers_total"] == 4
    assert found["transferhub_realtime_tokens_unheard_total"] == 8
    assert found["transferhub_realtime_errors_total"] == 1
    assert found["transferhub_realtime_tokens_total{text_in}"] == 8
    assert found["transferhub_realtime_tokens_total{audio_in}"] == 5
    assert found["transferhub_realtime_tokens_total{audio_out}"] == 30


def test_metrics_tell_what_the_tokens_cost_when_the_prices_are_known(client, switch, settings):
    Department.objects.create(name="Vendas", slug="vendas")
    made, _ = services.create_transfer(services.NewTransfer("call", "vendas", start_after_ms=9000))
    now = timezone.now()
    cached = {"text_tokens": 400, "audio_tokens": 100}
    came = {"text_tokens": 1000, "audio_tokens": 500, "cached_tokens_details": cached}
    usage = {"input_token_details": came, "output_token_details": {"text_tokens": 10, "audio_tokens": 2000}}
    AudioSession.objects.create(transfer=made, leg="agent", usage=usage, state="closed", created_at=now, closed_at=now)
    assert "transferhub_realtime_cost_usd_total" not in metrics(client)
    settings.REALTIME_PRICES = {"text_in": 4.0, "audio_in": 32.0, "cached_in": 0.4, "text_out": 16.0, "audio_out": 64.0}
    dollars = (600 * 4 + 400 * 32 + 500 * 0.4 + 10 * 16 + 2000 * 64) / 1e6
    assert metrics(client)["transferhub_realtime_cost_usd_total"] == pytest.approx(dollars)


@pytest.mark.django_db(transaction=True)  # jobs are enqueued at the commit
def test_metrics_know_the_queue_of_the_worker(client, switch, redis_is_empty):
    django_rq.get_queue().enqueue("calls.jobs.deliver_ticket", "no such ticket")
    found = metrics(client)
    assert (found["transferhub_redis_up"], found["transferhub_jobs{waiting}"]) == (1, 1)


def test_metrics_are_told_though_redis_is_down(client, switch, monkeypatch):
    def gone(*_, **__):
        raise RedisError("gone")

    monkeypatch.setattr("django_rq.get_queue", gone)
    found = metrics(client)
    assert found["transferhub_redis_up"] == 0 and found["transferhub_switch_up{main}"] == 1
    assert "transferhub_jobs{waiting}" not in found


def test_metrics_are_for_this_machine_or_for_a_key(client, db):
    outside = {"REMOTE_ADDR": "192.0.2.1"}
    assert client.get("/metrics", **outside).status_code == 401
    assert client.get("/metrics", HTTP_X_FORWARDED_FOR="192.0.2.1").status_code == 401
    _, key = services.create_api_client("prometheus")
    assert client.get("/metrics", **outside, HTTP_AUTHORIZATION=f"Bearer {key}").status_code == 200
