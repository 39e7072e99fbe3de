"""A small company, a client with a key, and the product's real web server where a test needs one."""

import threading
import time
from datetime import timedelta

import httpx
import pytest
import uvicorn
from django.core.asgi import get_asgi_application
from django.utils import timezone

from calls import services
from calls.models import Department, Extension, Membership, OpeningHours, Switch


@pytest.fixture
def company(db) -> Department:
    """A connected switch; vendas with two agents, one of them in the department suporte too, which is never open."""
    Switch.objects.create(
        slug="main", name="Main", connected=True, lease_holder="test", lease_until=timezone.now() + timedelta(hours=1)
    )
    ana, bruno = (Extension.objects.create(number=n, name=name) for n, name in (("2001", "Ana"), ("2002", "Bruno")))
    vendas = Department.objects.create(name="Vendas", slug="vendas", words="comprar, preço", is_default=True)
    suporte = Department.objects.create(name="Suporte", slug="suporte")
    Membership.objects.bulk_create(
        [
            Membership(department=vendas, extension=ana, position=1),
            Membership(department=vendas, extension=bruno, position=2),
            Membership(department=suporte, extension=bruno, position=1),
        ]
    )
    # a minute of yesterday: whenever this runs, not now
    yesterday = timezone.localtime() - timedelta(days=1)
    OpeningHours.objects.create(department=suporte, weekday=yesterday.weekday(), opens="12:00", closes="12:01")
    return vendas


@pytest.fixture
def key(company) -> str:
    return services.create_api_client("secretary")[1]


class Api:
    """The API as a client of it sees it, in this thread (the test's own database transaction)."""

    def __init__(self, client, key: str):
        self._client, self._headers = client, {"Authorization": f"Bearer {key}"}

    def get(self, path: str, **params):
        return self._client.get(f"/api/v1{path}", params, headers=self._headers)

    def post(self, body, path: str = "/transfers", **headers):
        return self._client.post(
            f"/api/v1{path}", body, content_type="application/json", headers=self._headers | headers
        )

    def delete(self, path: str):
        return self._client.delete(f"/api/v1{path}", headers=self._headers)


@pytest.fixture
def api(client, key) -> Api:
    return Api(client, key)


@pytest.fixture
def address(transactional_db, key):
    """The address of the product's web server, running in a thread; its database is the test's."""
    server = uvicorn.Server(uvicorn.Config(get_asgi_application(), port=0, lifespan="off", log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 10
    while not server.started:
        assert time.monotonic() < until, "the web server does not start"
        time.sleep(0.01)
    host, port = server.servers[0].sockets[0].getsockname()
    yield f"http://{host}:{port}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def http(address, key):
    """An HTTP client of that server, with a key."""
    with httpx.Client(
        base_url=f"{address}/api/v1", headers={"Authorization": f"Bearer {key}"}, timeout=30, trust_env=False
    ) as client:
        yield client
