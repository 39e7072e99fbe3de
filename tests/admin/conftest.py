import pytest

from tests.factories import make_company, make_user


@pytest.fixture
def vendas(db):
    return make_company()


@pytest.fixture
def root(client, vendas):
    """The browser of an administrator who may do everything."""
    client.force_login(make_user("root", is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def stranger(client, vendas):
    """The browser of somebody who may enter the admin and do nothing there."""
    client.force_login(make_user("charlie", is_staff=True))
    return client
