"""Reading transfers back: one, many, its events; taking the caller back; waiting for the result."""

import threading
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import redis
from django.conf import settings as configured

from calls import services
from calls.api import waiting
from calls.models import Transfer
from calls.transfer import events
from calls.transfer.states import State

CALL = {"call_uuid": "call-1", "department": "vendas"}


def made(api, call_uuid: str, at: datetime | None = None, **columns) -> str:
    """A transfer of that call; with `at`, requested then."""
    transfer_id = api.post(CALL | {"call_uuid": call_uuid}).json()["id"]
    if at or columns:
        Transfer.objects.filter(pk=transfer_id).update(**columns, **({"requested_at": at} if at else {}))
    return transfer_id


def listed(api, **params) -> list[str]:
    return [item["caller_uuid"] for item in api.get("/transfers", **params).json()["items"]]


def test_the_names_other_programs_rely_on_are_there(api):
    body = api.get(f"/transfers/{made(api, 'call-1')}").json()
    assert body.keys() >= {
        "id", "state", "final", "success", "decision", "outcome", "decided_by", "department", "attempts",
        "caller_uuid", "agent_uuid", "conference", "ticket", "error", "timings",
    }  # fmt: skip
    assert body["timings"].keys() >= {
        "requested_at",
        "parked_at",
        "answered_at",
        "decided_at",
        "connected_at",
        "ended_at",
    }
    assert body["conference"].startswith("transfer_")


def test_a_caller_is_taken_back_before_anything_was_done(api):
    transfer_id = api.post(CALL | {"start_after_ms": 5000}).json()["id"]
    response = api.delete(f"/transfers/{transfer_id}")
    assert response.status_code == 202
    assert (response.json()["state"], response.json()["outcome"]) == ("ended", "cancelled")
    assert response.json()["decision"] is None


def test_taking_back_too_late_is_409_with_a_reason_in_english(api):
    transfer_id = made(api, "call-1")
    services.apply_event(transfer_id, events.CallerLeft())
    response = api.delete(f"/transfers/{transfer_id}")
    assert response.status_code == 409
    assert response.json()["error"] == {"code": "refused", "message": "The transfer is already over."}


def test_events_come_in_order_and_name_who_did_it(api):
    transfer_id = api.post(CALL | {"start_after_ms": 5000}).json()["id"]
    api.delete(f"/transfers/{transfer_id}")
    (last,) = api.get(f"/transfers/{transfer_id}/events").json()["items"]
    assert (last["event"], last["source"], last["by"]) == ("CancelRequested", "api", "secretary")
    assert (last["from_state"], last["to_state"], last["verdict"]) == ("requested", "ended", "moved")


def test_the_list_is_filtered(api):
    now = datetime.now(UTC)
    made(api, "old", now - timedelta(days=2), state=State.ENDED.value, outcome="busy")
    made(api, "new")
    assert listed(api) == ["new", "old"]
    assert listed(api, state="ended") == ["old"]
    assert listed(api, outcome="busy") == ["old"]
    assert listed(api, department="suporte") == []
    assert listed(api, call_uuid="new") == ["new"]
    assert listed(api, department="vendas", since=(now - timedelta(days=1)).isoformat()) == ["new"]
    assert listed(api, until=(now - timedelta(days=1)).isoformat()) == ["old"]


def test_pages_follow_one_another_without_gap_or_repetition(api):
    same_instant = datetime(2026, 5, 1, 12, tzinfo=UTC)
    calls = {f"call-{n}" for n in range(5)}
    for call in calls:
        made(api, call, same_instant)
    seen, cursor = [], ""
    while cursor is not None:
        page = api.get("/transfers", limit=2, **({"cursor": cursor} if cursor else {})).json()
        seen += [item["caller_uuid"] for item in page["items"]]
        cursor = page["next"]
    assert len(seen) == 5
    assert set(seen) == calls


@pytest.mark.parametrize(
    ("field", "params"),
    [
        ("state", {"state": "sleeping"}),
        ("outcome", {"outcome": "nice"}),
        ("since", {"since": "2026-05-01T12:00:00"}),
        ("limit", {"limit": 201}),
        ("cursor", {"cursor": "x"}),
        ("cursor", {"cursor": "2026"}),
    ],
)
def test_a_wrong_filter_is_named(api, field, params):
    response = api.get("/transfers", **params)
    assert response.status_code == 422
    assert list(response.json()["error"]["fields"]) == [field]


@pytest.mark.parametrize("wait", ["26", "-1", "long", "nan"])
def test_nobody_waits_for_longer_than_25_seconds(api, wait):
    response = api.get(f"/transfers/{made(api, 'call-1')}", wait=wait)
    assert response.status_code == 422
    assert list(response.json()["error"]["fields"]) == ["wait"]


# ---------------------------------------------------------------- the long poll, on a real server
def later(http, transfer_id: str, wait: float) -> tuple[threading.Thread, list]:
    """A long poll in a thread; the list gets its answer and how many seconds it took."""
    result = []

    def ask() -> None:
        began = time.monotonic()
        response = http.get(f"/transfers/{transfer_id}", params={"wait": wait})
        result.extend([response.json(), time.monotonic() - began])

    thread = threading.Thread(target=ask)
    thread.start()
    return thread, result


def test_a_wait_ends_with_the_result(http, monkeypatch):
    monkeypatch.setattr(waiting, "LOOK_EVERY_SECONDS", 30)  # so that only the message can have woken it
    transfer_id = http.post("/transfers", json=CALL).json()["id"]
    thread, result = later(http, transfer_id, 20)
    while not _somebody_listens(transfer_id):
        time.sleep(0.01)
    services.apply_event(transfer_id, events.CallerLeft())
    thread.join(10)
    body, seconds = result
    assert (body["final"], body["outcome"]) == (True, "caller_left")
    assert seconds < 10


def test_a_wait_needs_no_redis(http, monkeypatch, settings):
    layer = settings.CHANNEL_LAYERS["default"]
    settings.CHANNEL_LAYERS = {"default": layer | {"CONFIG": layer["CONFIG"] | {"url": "redis://127.0.0.1:1/0"}}}
    transfer_id = http.post("/transfers", json=CALL).json()["id"]
    thread, result = later(http, transfer_id, 20)
    services.apply_event(transfer_id, events.CallerLeft())
    thread.join(10)
    body, seconds = result
    assert body["outcome"] == "caller_left"
    assert seconds < 5


def test_a_wait_that_runs_out_answers_with_what_is_known(http):
    transfer_id = http.post("/transfers", json=CALL).json()["id"]
    began = time.monotonic()
    body = http.get(f"/transfers/{transfer_id}", params={"wait": 0.3}).json()
    assert body["final"] is False
    assert 0.3 <= time.monotonic() - began < 3


def test_what_is_final_is_not_waited_for(http):
    transfer_id = http.post("/transfers", json=CALL | {"department": "suporte"}).json()["id"]
    began = time.monotonic()
    assert http.get(f"/transfers/{transfer_id}", params={"wait": 20}).json()["outcome"] == "unavailable"
    assert time.monotonic() - began < 5


def test_a_client_that_hangs_up_leaves_no_listener_behind(http):
    transfer_id = http.post("/transfers", json=CALL).json()["id"]
    with pytest.raises(httpx.ReadTimeout):
        http.get(f"/transfers/{transfer_id}", params={"wait": 25}, timeout=0.5)
    until = time.monotonic() + 5
    while _somebody_listens(transfer_id):
        assert time.monotonic() < until, "still in the group"
        time.sleep(0.02)


def _somebody_listens(transfer_id: str) -> bool:
    with redis.Redis.from_url(configured.REDIS_URL) as client:
        return bool(client.pubsub_channels(f"*group*{transfer_id.replace('-', '')}"))
