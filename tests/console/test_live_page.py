"""The board in a real browser: it is pushed what changes, touches only that, and says when it cannot."""

import re
import signal
from datetime import timedelta

import pytest
from django.utils import timezone

from calls import bus
from calls.console.presenter import unix_ms
from calls.models import Switch, Transfer, Utterance
from calls.transfer.states import Outcome, State
from tests.console.browser import SOON_MS, outside, row, shown_after_ms
from tests.factories import make_company, make_transfer, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
expect = pytest.importorskip("playwright.sync_api").expect


@pytest.fixture
def page(open_page):
    make_company()
    Switch.objects.update(connected=True, lease_until=timezone.now() + timedelta(hours=1))  # nothing alarms
    make_user("alice", "calls.view_transfer")
    return open_page("alice")


def move(transfer, state, **fields):
    """Found by the sockets' own look."""
    transfer.version += 1
    Transfer.objects.filter(pk=transfer.pk).update(state=state.value, version=transfer.version, **fields)


def test_a_new_transfer_appears_and_moves_on_without_a_reload(page):
    page.evaluate("window.stays = true")
    transfer = make_transfer(State.DIALLING)
    expect(row(page, transfer)).to_contain_text("tocando 1 de")
    move(transfer, State.ANNOUNCING)
    expect(row(page, transfer)).to_contain_text("anunciando")
    move(transfer, State.ENDED, outcome=Outcome.ACCEPTED.value)
    expect(page.locator("#ended tr")).to_contain_text("aceita")
    expect(page.locator("#live tr")).to_have_count(0)
    assert page.evaluate("window.stays")


def test_a_push_needs_no_look(page):
    """The sockets' own look compares versions and would never find this. How fast it is: make measure-console."""
    transfer = make_transfer(State.DIALLING)
    expect(row(page, transfer)).to_contain_text("tocando")
    Utterance.objects.create(transfer=transfer, who="agent", text="Alô?", at=timezone.now())
    message = {"type": "transfer.changed", "id": transfer.id.hex, "version": transfer.version, "state": "dialling"}
    assert outside(bus.send, bus.BOARD, message)
    expect(row(page, transfer)).to_contain_text("Alô?")


def test_who_speaks_is_seen_and_what_was_said_last(page):
    transfer = make_transfer(State.ANNOUNCING, memory={"caller": "inside", "agent_member": 2})
    agent = row(page, transfer).locator("[data-leg=agent]")
    expect(agent).to_be_visible(timeout=SOON_MS)
    talking = {"type": "leg.state", "id": transfer.id.hex, "leg": "agent", "what": "talking", "on": True}
    outside(bus.send, bus.BOARD, talking)
    expect(agent).to_have_class("leg talking")
    outside(bus.send, bus.BOARD, talking | {"what": "held"})
    expect(agent).to_contain_text("em espera")
    Utterance.objects.create(transfer=transfer, who="agent", text="Quem é?", at=timezone.now())
    outside(bus.send, bus.BOARD, {"type": "transfer.said", "id": transfer.id.hex})
    expect(row(page, transfer)).to_contain_text("Quem é?")
    expect(agent).to_have_class("leg talking")  # a redrawn row keeps what only the bus knows


def test_only_what_changed_is_touched_and_the_keyboard_stays_where_it_was(page):
    quiet, moving = make_transfer(State.CONNECTED), make_transfer(State.DIALLING)
    page.reload()
    row(page, quiet).evaluate("row => { row.mark = 'the same element' }")
    row(page, moving).evaluate("row => { row.mark = 'the same element' }")
    row(page, moving).locator("a").focus()
    move(moving, State.ANNOUNCING)
    expect(row(page, moving)).to_contain_text("anunciando")
    for each in (quiet, moving):
        assert row(page, each).evaluate("row => row.mark") == "the same element"
    assert row(page, moving).evaluate("row => row.contains(document.activeElement)")


def test_an_older_version_never_replaces_a_newer_one(page):
    transfer = make_transfer(State.CONNECTED, version=8)
    page.reload()
    found = page.evaluate(
        """async ([key, html]) => {
            const { put } = await import(document.querySelector("script[type=module]").src.replace("board", "rows"));
            put(document.getElementById("live"), html, () => {});
            return document.querySelector(`[data-key=${key}]`).dataset.version;
        }""",
        [f"t-{transfer.id.hex}", f"<tr data-key='t-{transfer.id.hex}' data-version='7'><td>old</td></tr>"],
    )
    assert found == "8"
    expect(row(page, transfer)).to_contain_text("conectado")


def test_a_wait_that_becomes_long_moves_to_the_front_by_itself_and_is_in_the_title(page):
    at = timezone.now()
    first = make_transfer(State.CONNECTED, requested_at=at - timedelta(minutes=5))
    waiting = make_transfer(State.DIALLING, requested_at=at)
    expect(row(page, waiting)).to_be_visible()  # pushed: a first snapshot would write over what is set below
    order = "rows => rows.map(row => row.dataset.key)"
    assert page.eval_on_selector_all("#live tr", order) == [f"t-{each.id.hex}" for each in (first, waiting)]
    assert int(row(page, waiting).get_attribute("data-long")) == unix_ms(at + timedelta(seconds=60))
    row(page, waiting).evaluate("row => { row.dataset.long = Date.now() + 500; }")  # the minute goes by
    expect(page).to_have_title(re.compile(r"^\(1\)"))
    assert page.eval_on_selector_all("#live tr", order) == [f"t-{each.id.hex}" for each in (waiting, first)]
    assert page.locator("link[rel=icon]").get_attribute("href").startswith("data:")


def test_a_switch_that_is_down_is_said_on_top_and_in_the_title(page):
    expect(page.locator("#alarms")).to_be_empty()
    Switch.objects.update(connected=False)
    expect(page.locator("#alarms")).to_contain_text("não está conectada")
    expect(page).to_have_title(re.compile(r"^\(1\)"))
    Switch.objects.update(connected=True)
    expect(page.locator("#alarms")).to_be_empty(timeout=SOON_MS)


def test_the_sound_can_be_turned_off_and_stays_off(page):
    button = page.locator("#sound")
    expect(button).to_have_text("Som: ligado")
    button.click()
    page.reload()
    expect(button).to_have_text("Som: desligado")


def test_a_live_transfers_clock_goes_on_between_pushes(page):
    transfer = make_transfer(State.DIALLING)
    page.reload()
    clock = row(page, transfer).locator("[data-since]")
    shown = clock.inner_text()
    expect(clock).not_to_have_text(shown)


def test_a_lost_server_is_said_within_three_seconds_and_the_board_is_whole_again_after(page, server):
    gone, stays = make_transfer(State.DIALLING), make_transfer(State.DIALLING)
    expect(row(page, gone)).to_be_visible(timeout=SOON_MS)
    lost = page.locator("#lost")
    expect(lost).to_be_hidden()
    try:
        assert shown_after_ms(page, "lost", lambda: server.stop(signal.SIGKILL)) < 3000
        move(gone, State.ENDED, outcome=Outcome.BUSY.value)
        move(stays, State.ANNOUNCING)
        new = make_transfer(State.CONNECTED)
    finally:
        server.start()
    expect(lost).to_be_hidden()
    expect(row(page, stays)).to_contain_text("anunciando")
    expect(row(page, new)).to_be_visible()
    expect(page.locator("#live tr")).to_have_count(2)
    expect(page.locator("#ended tr")).to_have_count(1)


def test_a_network_that_is_gone_is_said_too(page):
    assert shown_after_ms(page, "lost", lambda: page.context.set_offline(True)) < 3000
    page.context.set_offline(False)
    expect(page.locator("#lost")).to_be_hidden(timeout=SOON_MS)


def test_who_is_logged_out_meanwhile_comes_to_the_login_page(page):
    page.evaluate("fetch('/logout/', {method: 'POST', body: new FormData(document.getElementById('act'))})")
    page.wait_for_url("**/login/**")


def test_the_page_of_one_transfer_and_the_wall_are_live(page, server):
    transfer = make_transfer(State.DIALLING)
    page.goto(f"{server.url}/transfers/{transfer.pk}/")
    move(transfer, State.ANNOUNCING)
    Utterance.objects.create(transfer=transfer, who="announcer", text="Maria está na linha.", at=timezone.now())
    outside(bus.send, bus.transfer_group(transfer.pk), {"type": "transfer.said", "id": transfer.id.hex})
    expect(page.locator(".talk")).to_contain_text("Maria está na linha.")
    expect(page.locator(".badge")).to_contain_text("anunciando")
    page.goto(f"{server.url}/wall/")
    expect(page.locator(".big dd").first).to_have_text("1")
    assert page.locator(".big dd").first.evaluate("e => parseFloat(getComputedStyle(e).fontSize) / innerHeight") >= 0.06
    move(transfer, State.CONNECTED)
    expect(page.locator(".big dd").first).to_have_text("0")
