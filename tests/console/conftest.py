import pytest
from django.test import Client

from tests.factories import make_company, make_user


@pytest.fixture
def vendas(db):
    return make_company()


def browser_of(name: str, *permissions: str) -> Client:
    browser = Client()
    browser.force_login(make_user(name, *permissions))
    return browser


@pytest.fixture
def alice(vendas) -> Client:
    """Sees transfers, callers' numbers masked."""
    return browser_of("alice", "calls.view_transfer")


@pytest.fixture
def bob(vendas) -> Client:
    """Sees transfers and numbers."""
    return browser_of("bob", "calls.view_transfer", "calls.see_numbers")


@pytest.fixture
def charlie(vendas) -> Client:
    """May log in, and nothing else."""
    return browser_of("charlie")
