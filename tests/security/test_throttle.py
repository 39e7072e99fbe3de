"""Wrong keys, wrong passwords and too many requests are slowed down; a Redis that is gone slows down nobody."""

import time

import pytest

from calls import throttle
from tests.factories import make_user


def wrong(client, address="192.0.2.7"):
    return client.get("/api/v1/departments", headers={"Authorization": "Bearer thk_no"}, REMOTE_ADDR=address)


def test_wrong_keys_are_refused_for_the_rest_of_the_minute(client, company, settings):
    settings.API_FAILURES_PER_MINUTE = 3
    assert [wrong(client).status_code for _ in range(4)] == [401, 401, 401, 429]
    refused = wrong(client)
    assert refused.json()["error"]["code"] == "too_many_requests"
    assert 1 <= int(refused["Retry-After"]) <= 60


def test_the_right_key_cannot_be_guessed_behind_a_wall_of_wrong_ones(api, client, settings):
    settings.API_FAILURES_PER_MINUTE = 1
    wrong(client, "127.0.0.1")
    assert api.get("/departments").status_code == 429


def test_another_address_does_not_suffer(client, company, settings):
    settings.API_FAILURES_PER_MINUTE = 1
    wrong(client), wrong(client)
    assert wrong(client, "192.0.2.8").status_code == 401


def test_a_key_has_so_many_requests_a_minute(api, settings):
    settings.API_REQUESTS_PER_MINUTE = 2
    assert [api.get("/departments").status_code for _ in range(3)] == [200, 200, 429]


def test_the_next_minute_is_a_new_one(api, settings, monkeypatch):
    settings.API_REQUESTS_PER_MINUTE = 1
    now = time.time()
    monkeypatch.setattr(throttle.time, "time", lambda: now)
    assert [api.get("/departments").status_code for _ in range(2)] == [200, 429]
    monkeypatch.setattr(throttle.time, "time", lambda: now + 60)
    assert api.get("/departments").status_code == 200


def test_0_is_no_limit(api, settings):
    settings.API_REQUESTS_PER_MINUTE = 0
    assert {api.get("/departments").status_code for _ in range(5)} == {200}


def test_without_redis_everybody_passes_and_nobody_waits_for_it(api, client, settings, monkeypatch):
    settings.API_FAILURES_PER_MINUTE = settings.API_REQUESTS_PER_MINUTE = 1
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    asked = []
    monkeypatch.setattr(throttle.log, "warning", lambda *_, **__: asked.append(1))
    assert {wrong(client).status_code for _ in range(5)} == {401}
    assert {api.get("/departments").status_code for _ in range(5)} == {200}
    assert asked == [1]  # once, and then not for a while


@pytest.mark.parametrize("page", ["/login/", "/admin/login/"])
def test_passwords_cannot_be_tried_without_end(client, db, settings, page):
    settings.LOGIN_FAILURES_PER_MINUTE = 2
    make_user("alice", "calls.view_transfer", is_staff=True)
    for _ in range(2):
        assert client.post(page, {"username": "alice", "password": "no"}).status_code == 200
    assert client.post(page, {"username": "alice", "password": "senha"}).status_code == 200  # the form again
    assert client.post(page, {"username": "alice", "password": "senha"}, REMOTE_ADDR="192.0.2.8").status_code == 302


def test_redis_is_not_told_who(client, company, settings):
    wrong(client, "192.0.2.55")
    with throttle._client(settings.REDIS_URL) as redis:
        (name,) = redis.keys(f"{settings.REDIS_PREFIX}:throttle:*")
        assert b"192.0.2.55" not in name
        assert 0 < redis.ttl(name) <= 120
