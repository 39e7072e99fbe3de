import os

import pytest
from django.test import Client

from tests.console.browser import SOON_MS, WebServer, launched, log_in
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


@pytest.fixture
def dora(vendas) -> Client:
    """May act on transfers."""
    return browser_of("dora", "calls.view_transfer", "calls.act_on_transfers", "calls.view_supervisoraction")


@pytest.fixture(scope="session")
def server(django_db_setup, django_db_blocker):
    """The web process, at server.url."""
    web = WebServer()
    with django_db_blocker.unblock():
        web.start()
    yield web
    web.stop()


@pytest.fixture(scope="module")
def chromium():
    sync_api = pytest.importorskip("playwright.sync_api")
    sync_api.expect.set_options(timeout=SOON_MS)
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # playwright's loop runs in this very thread
    with sync_api.sync_playwright() as playwright:
        browser = launched(playwright)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def open_page(chromium, server, transactional_db):
    """open_page(name, **options of the browser's context): a page of the board of that person, who must exist; "": of
    nobody, which leads to the login."""
    opened = []

    def open_one(name: str, **options):
        context = chromium.new_context(**{"locale": "pt-BR"} | options)
        page = context.new_page()
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        opened.append((context, problems))
        if name:
            log_in(context, server.url, name)
        page.goto(server.url + "/")
        return page

    yield open_one
    for context, _ in opened:
        context.close()
    assert [problem for _, problems in opened for problem in problems] == []
