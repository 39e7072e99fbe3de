"""What a log collector reads with LOG_FORMAT=json."""

import io
import json
import logging
from datetime import timedelta

import pytest
import structlog
from django.utils import timezone

from calls import services
from calls.models import Department, Extension, Membership, Switch, Transfer
from calls.transfer import events
from transferhub import logs


@pytest.fixture
def lines():
    """Reads what was logged since the last look: a list of objects, one a line."""
    line = logs.config("INFO", as_json=True)["formatters"]["line"]
    handler = logging.StreamHandler(stream := io.StringIO())
    handler.setFormatter(line.pop("()")(**line))
    handler.addFilter(logs.HideTokens())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)

    def read() -> list[dict]:
        found = [json.loads(text) for text in stream.getvalue().splitlines()]
        stream.seek(0)
        stream.truncate()
        return found

    yield read
    root.removeHandler(handler)
    root.setLevel(level)


def test_every_event_of_a_transfer_is_one_line_with_transfer_and_leg(db, lines):
    until = timezone.now() + timedelta(hours=1)
    Switch.objects.create(slug="main", name="Main", connected=True, lease_holder="test", lease_until=until)
    department = Department.objects.create(name="Vendas", slug="vendas")
    Membership.objects.create(department=department, extension=Extension.objects.create(number="2001", name="Ana"))
    new = services.NewTransfer("call-1", "vendas", caller_number="5511987654321", summary="quer um orçamento")
    made, _ = services.create_transfer(new)
    services.apply_event(made.pk, events.CallerParked("1"))
    services.apply_event(made.pk, events.CallerLeft(cause="NORMAL_CLEARING"))
    transfer = Transfer.objects.get(pk=made.pk)
    told = [line for line in lines() if line["event"] == "transfer.event"]
    rows = transfer.events.order_by("id").values_list("event", "from_state", "to_state")
    assert [(line["event_name"], line["from_state"], line["to_state"]) for line in told] == list(rows)
    assert len(told) >= 3 and told[-1]["to_state"] == "ended"
    for line in told:
        assert (line["transfer"], line["leg"]) == (transfer.short_id, "call-1")
        assert {"level", "logger", "timestamp", "cause", "verdict"} <= set(line)
    assert not [secret for secret in ("5511987654321", "orçamento") if secret in str(told)]


def test_an_exception_is_in_the_same_line_as_its_event(lines):
    try:
        1 / 0  # noqa: B018
    except ZeroDivisionError:
        structlog.get_logger("calls.tests").exception("lane.failed", lane="1")
        logging.getLogger("a.library").exception("a library's line for /audio/%s", "the-token")
    ours, theirs = lines()
    assert ours["event"] == "lane.failed" and "ZeroDivisionError" in ours["exception"]
    assert theirs["logger"] == "a.library" and "ZeroDivisionError" in theirs["exception"]


def test_what_libraries_log_and_warn_of_leaves_by_the_same_door():
    config = logs.config("INFO", as_json=True)
    assert config["loggers"]["uvicorn"] == {"handlers": [], "propagate": True}
    assert set(config["handlers"]) == {"stderr"} == set(config["root"]["handlers"])
