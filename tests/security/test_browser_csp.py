"""In a real browser the policy stops nothing of ours: not the console, the admin, or the API's page."""

import pytest

from tests.console.browser import launched
from tests.factories import make_company, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
sync_api = pytest.importorskip("playwright.sync_api")
PAGES = ["/", "/admin/", "/admin/calls/department/", "/admin/calls/department/add/", "/api/v1/docs"]


def test_no_page_runs_into_its_own_policy(live_server, transactional_db, monkeypatch):
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # playwright's loop runs in this very thread
    make_company()
    make_user("alice", is_staff=True, is_superuser=True)
    refused: list[str] = []
    with sync_api.sync_playwright() as playwright:
        browser = launched(playwright)
        page = browser.new_context(locale="pt-BR").new_page()
        page.on("console", lambda m: refused.append(m.text) if "Content Security Policy" in m.text else None)
        page.on("pageerror", lambda error: refused.append(str(error)))
        page.goto(live_server.url + "/login/")
        page.fill("[name=username]", "alice")
        page.fill("[name=password]", "senha")
        page.press("[name=password]", "Enter")
        page.wait_for_selector("main")
        for path in PAGES:
            page.goto(live_server.url + path, wait_until="networkidle")
        browser.close()
    assert refused == []
