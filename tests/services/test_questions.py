"""Which of several switches a request is for. The answers come from a thread that plays the switch processes."""

import threading
import time

import pytest
from django.db import connection

from calls import errors, services
from calls.models import SwitchQuestion
from calls.services import questions
from tests.services import world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def two():
    return world.connected_switch("one"), world.connected_switch("two")


@pytest.fixture
def processes():
    """processes(switch, …): those of these switches; each says that it holds calls that begin with its name."""
    stop = threading.Event()
    threads = []

    def play(switches):
        while not stop.is_set():
            for switch in switches:
                for question in questions.open_questions(switch.pk):
                    questions.answer_question(question.pk, question.call_uuid.startswith(switch.slug))
            time.sleep(0.005)
        connection.close()

    def start(*switches):
        threads.append(threading.Thread(target=play, args=(switches,)))
        threads[-1].start()

    yield start
    stop.set()
    for thread in threads:
        thread.join()


def request(call_uuid: str, **fields) -> services.NewTransfer:
    world.department("vendas", "2001")
    return services.NewTransfer(call_uuid=call_uuid, department="vendas", **fields)


def test_a_call_goes_to_the_switch_that_says_it_holds_it(two, processes):
    processes(*two)
    transfer, _ = services.create_transfer(request("two-123"))
    assert transfer.switch == two[1]
    assert not SwitchQuestion.objects.exists()


def test_a_yes_is_enough_though_another_switch_is_silent(two, processes, monkeypatch):
    monkeypatch.setattr(questions, "PATIENCE_SECONDS", 5)
    processes(two[1])
    began = time.monotonic()
    assert services.create_transfer(request("two-123"))[0].switch == two[1]
    assert time.monotonic() - began < 2


def test_a_call_that_might_be_on_a_silent_switch_is_not_moved(two, processes, monkeypatch):
    monkeypatch.setattr(questions, "PATIENCE_SECONDS", 0.2)
    processes(two[0])
    with pytest.raises(errors.NoSwitchConnected):
        services.create_transfer(request("two-123"))
    assert not SwitchQuestion.objects.exists()


def test_a_call_that_might_be_on_a_switch_that_is_not_connected_is_not_moved(two, processes):
    services.set_connected(two[1].pk, False)
    processes(two[0])
    with pytest.raises(errors.NoSwitchConnected):
        services.create_transfer(request("two-123"))


def test_a_named_switch_is_not_asked(two):
    transfer, _ = services.create_transfer(request("one-123", switch="two"))
    assert transfer.switch == two[1]


def test_a_repeated_request_is_found_again_without_asking(two, processes):
    client, _ = services.create_api_client("secretary")
    new = request("two-123", idempotency_key="once")
    processes(two[1])
    made, _ = services.create_transfer(new, client=client)
    assert services.create_transfer(new, client=client) == (made, False)
