"""An OmniPlay and a receiver of webhooks that listen on sockets; RQ on the tests' Redis."""

import asyncio
import threading
from datetime import timedelta

import django_rq
import pytest
from django.utils import timezone

from calls import services
from calls.models import Department, Extension, Membership, Switch, Ticket
from calls.simulator.omniplay import OmniPlay
from tests.jobs.tools import Receiver


@pytest.fixture
def omniplay(settings):
    """The simulated OmniPlay in a loop of its own; jobs block, so it cannot share the test's thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def run(coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(10)

    server = OmniPlay()
    run(server.start())
    settings.OMNIPLAY_URL, settings.OMNIPLAY_TOKEN = server.url, server.token
    yield server
    run(server.stop())
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
    loop.close()


@pytest.fixture
def receiver(settings):
    server = Receiver()
    settings.WEBHOOK_HOSTS = ["127.0.0.1"]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join(5)


@pytest.fixture
def queue():
    queue = django_rq.get_queue()
    queue.connection.flushdb()
    yield queue
    queue.connection.flushdb()


@pytest.fixture
def company(transactional_db):  # jobs are enqueued at the commit
    Switch.objects.create(
        slug="main", name="Main", connected=True, lease_holder="test", lease_until=timezone.now() + timedelta(hours=1)
    )
    department = Department.objects.create(name="Vendas", slug="vendas", is_default=True)
    Membership.objects.create(department=department, extension=Extension.objects.create(number="2001", name="Ana"))


@pytest.fixture
def ticket(company, omniplay, queue) -> Ticket:
    """Of a transfer in which nobody could be rung."""
    Extension.objects.update(enabled=False)
    new = services.NewTransfer(
        "call-2", "vendas", caller_number="+5511999", context="pedido 4711", summary="quer comprar"
    )
    transfer, _ = services.create_transfer(new)
    return Ticket.objects.get(transfer=transfer)


@pytest.fixture
def transfer(company, receiver, queue):
    """A transfer that was taken back before it began: one change of state to be told."""
    new = services.NewTransfer("call-1", "vendas", callback_url=receiver.url, start_after_ms=5000, metadata={"a": "ã"})
    made, _ = services.create_transfer(new)
    return made
