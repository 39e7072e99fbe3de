"""The list in a real browser: it refreshes itself, touches only what changed, and says when it cannot."""

import os

import pytest

from calls.models import Transfer
from calls.transfer.states import Outcome, State
from tests.factories import make_company, make_transfer, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
sync_api = pytest.importorskip("playwright.sync_api")
SOON_MS = 9000


@pytest.fixture(scope="module")
def chromium():
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # playwright's loop runs in this very thread
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=["--no-sandbox"]
        )
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def page(chromium, live_server, transactional_db):
    make_company()
    make_user("alice", "calls.view_transfer")
    context = chromium.new_context(locale="pt-BR")
    page = context.new_page()
    page.problems = []
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.goto(live_server.url + "/")
    page.fill("[name=username]", "alice")
    page.fill("[name=password]", "senha")
    page.press("[name=password]", "Enter")
    page.wait_for_selector("tbody[data-live-url]")
    yield page
    context.close()
    assert page.problems == []


def row(page, transfer):
    return page.locator(f"[data-key=t-{transfer.id.hex}]")


def move(transfer, state, **fields):
    Transfer.objects.filter(pk=transfer.pk).update(state=state.value, version=transfer.version + 1, **fields)


def test_a_new_transfer_appears_and_moves_on_without_a_reload(page):
    page.evaluate("window.stays = true")
    transfer = make_transfer(State.DIALLING)
    sync_api.expect(row(page, transfer)).to_contain_text("tocando 1 de", timeout=SOON_MS)
    move(transfer, State.ANNOUNCING)
    sync_api.expect(row(page, transfer)).to_contain_text("anunciando", timeout=SOON_MS)
    move(transfer, State.ENDED, outcome=Outcome.ACCEPTED.value)
    sync_api.expect(row(page, transfer)).to_contain_text("aceita", timeout=SOON_MS)
    assert page.evaluate("window.stays")


def test_only_what_changed_is_touched_and_the_keyboard_stays_where_it_was(page):
    quiet, moving = make_transfer(State.CONNECTED), make_transfer(State.DIALLING)
    page.reload()
    row(page, quiet).evaluate("row => { row.mark = 'the same element' }")
    row(page, moving).locator("a").focus()
    move(moving, State.ANNOUNCING)
    sync_api.expect(row(page, moving)).to_contain_text("anunciando", timeout=SOON_MS)
    assert row(page, quiet).evaluate("row => row.mark") == "the same element"
    assert row(page, moving).evaluate("row => row.contains(document.activeElement)")


def test_an_older_version_never_replaces_a_newer_one(page):
    transfer = make_transfer(State.CONNECTED, version=8)
    page.reload()
    found = page.evaluate(
        """async ([key, html]) => {
            const { update } = await import(document.querySelector("script[type=module]").src);
            update(html);
            return document.querySelector(`[data-key=${key}]`).dataset.version;
        }""",
        [
            f"t-{transfer.id.hex}",
            f"<tr data-key='t-{transfer.id.hex}' data-version='7'><td>old</td></tr><tr data-key='x'></tr>",
        ],
    )
    assert found == "8"
    sync_api.expect(row(page, transfer)).to_contain_text("conectado")


def test_rows_follow_the_order_of_the_server(page):
    first, second = make_transfer(State.DIALLING), make_transfer(State.DIALLING)
    page.reload()
    move(second, State.ENDED, outcome=Outcome.BUSY.value)
    sync_api.expect(row(page, second)).to_contain_text("ocupado", timeout=SOON_MS)
    keys = page.eval_on_selector_all("tbody tr", "rows => rows.map(row => row.dataset.key)")
    assert keys == [f"t-{first.id.hex}", f"t-{second.id.hex}", "numbers"]


def test_a_live_transfers_clock_goes_on_between_refreshes(page):
    transfer = make_transfer(State.DIALLING)
    page.reload()
    clock = row(page, transfer).locator("[data-since]")
    shown = clock.inner_text()
    page.route("**/rows/**", lambda route: route.abort())
    sync_api.expect(clock).not_to_have_text(shown, timeout=3000)


def test_a_lost_connection_is_said_and_found_again(page):
    lost = page.locator("#lost")
    sync_api.expect(lost).to_be_hidden()
    page.context.set_offline(True)
    sync_api.expect(lost).to_be_visible(timeout=SOON_MS)
    page.context.set_offline(False)
    sync_api.expect(lost).to_be_hidden(timeout=SOON_MS)


def test_who_is_logged_out_meanwhile_comes_to_the_login_page(page):
    page.context.clear_cookies()
    page.wait_for_url("**/login/**", timeout=SOON_MS)
