"""A supervisor at work in a real browser: by mouse, by keyboard alone, on a small screen, and against the clock."""

import pytest

from calls.models import SupervisorAction, Transfer
from calls.services.people import Action, act, stage_of
from calls.transfer.states import State
from tests.console.browser import SOON_MS, outside, row
from tests.factories import make_company, make_transfer, make_user
from tests.services import world

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
expect = pytest.importorskip("playwright.sync_api").expect
ACTS = ("calls.view_transfer", "calls.act_on_transfers")


@pytest.fixture
def transfer(transactional_db):
    """An agent hears the announcement; another one is left."""
    world.connected_switch()
    world.department("vendas", "2001", "2002")
    return outside(world.announcing, "vendas", caller_name="Maria")


@pytest.fixture
def page(open_page, transfer):
    make_user("dora", *ACTS)
    page = open_page("dora")
    expect(row(page, transfer)).to_contain_text("anunciando", timeout=SOON_MS)
    return page


def button(page, transfer, name):
    return row(page, transfer).locator(f"button[data-action={name}]")


def press(page, transfer, name):
    """Twice, as it is meant to be."""
    row(page, transfer).locator("summary").click()
    button(page, transfer, name).click()
    expect(button(page, transfer, name)).to_contain_text("Confirme:")
    button(page, transfer, name).click()


def state_of(transfer):
    return Transfer.objects.get(pk=transfer.pk).state


def test_the_first_press_arms_and_the_second_puts_them_through(page, transfer):
    row(page, transfer).locator("summary").click()
    button(page, transfer, "accept").click()
    assert state_of(transfer) == State.ANNOUNCING
    button(page, transfer, "accept").click()
    expect(page.locator("#toast")).to_have_text("Feito: Aceitar", timeout=SOON_MS)
    expect(row(page, transfer)).to_contain_text("conectando", timeout=SOON_MS)
    assert SupervisorAction.objects.get().username == "dora"


def test_an_armed_button_disarms_itself_and_by_escape(page, transfer):
    row(page, transfer).locator("summary").click()
    accept = button(page, transfer, "accept")
    accept.click()
    expect(accept).to_have_class("armed")
    page.keyboard.press("Escape")
    expect(accept).not_to_have_class("armed")
    row(page, transfer).locator("summary").click()
    accept.click()
    expect(accept).not_to_have_class("armed", timeout=6000)
    assert state_of(transfer) == State.ANNOUNCING


def test_a_rejection_with_its_reason_rings_the_next_agent(page, transfer):
    row(page, transfer).locator("summary").click()
    row(page, transfer).locator(".one:has([data-action=reject]) input.why").fill("Ana está em reunião")
    button(page, transfer, "reject").click()
    button(page, transfer, "reject").click()
    expect(row(page, transfer)).to_contain_text("tocando 2 de 3", timeout=SOON_MS)
    assert SupervisorAction.objects.get().reason == "Ana está em reunião"


def test_the_next_agent_and_the_way_back_by_hand(page, transfer):
    press(page, transfer, "skip")
    expect(row(page, transfer)).to_contain_text("tocando 2 de 3", timeout=SOON_MS)
    press(page, transfer, "take_back")
    expect(row(page, transfer)).to_contain_text("voltando ao menu", timeout=SOON_MS)


def test_whoever_comes_second_is_told_and_sees_the_others_result(page, transfer, open_page):
    row(page, transfer).locator("summary").click()
    stale = button(page, transfer, "accept").get_attribute("formaction")
    seen = stage_of(Transfer.objects.get(pk=transfer.pk))
    outside(act, make_user("bob"), transfer.pk, Action.ACCEPT, seen_stage=seen)
    expect(row(page, transfer)).to_contain_text("conectando", timeout=SOON_MS)
    # The same press, had it left before the push arrived.
    status = page.evaluate(
        """async (address) => {
            const body = new FormData(document.getElementById("act"));
            body.set("confirmed", "1");
            return (await fetch(address, {method: "POST", body, headers: {Accept: "application/json"}})).status;
        }""",
        stale,
    )
    assert status == 409
    expect(button(page, transfer, "accept")).to_be_disabled()


def test_everything_works_by_keyboard_alone(page, transfer):
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('#live summary')"):
            break
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.dataset.action") == "accept"
    page.keyboard.press("Enter")
    expect(button(page, transfer, "accept")).to_have_class("armed")
    page.keyboard.press("Enter")
    expect(row(page, transfer)).to_contain_text("conectando", timeout=SOON_MS)
    assert page.evaluate("document.activeElement.matches('#live summary')")


def test_without_a_script_the_server_asks(open_page, transfer):
    make_user("dora", *ACTS)
    page = open_page("dora", java_script_enabled=False)
    row(page, transfer).locator("summary").click()
    button(page, transfer, "accept").click()
    expect(page.locator("main")).to_contain_text("Conectar os dois agora?")
    page.locator("main button").click()
    page.wait_for_url(f"**/transfers/{transfer.pk}/")
    assert state_of(transfer) == State.CONNECTING


def test_who_may_only_see_finds_no_button(open_page, transfer):
    make_user("alice", "calls.view_transfer")
    page = open_page("alice")
    expect(row(page, transfer)).to_be_visible(timeout=SOON_MS)
    expect(page.locator("[data-action]")).to_have_count(0)


def test_a_strangers_browser_sees_the_login_page_alone(chromium, server, transfer):
    page = chromium.new_context().new_page()
    for path in ("/", f"/transfers/{transfer.pk}/", "/wall/", "/audit/"):
        page.goto(server.url + path)
        assert "/login/" in page.url and "Maria" not in page.content()
    page.context.close()


@pytest.mark.parametrize("options", [{"viewport": {"width": 390, "height": 844}}, {"color_scheme": "dark"}])
def test_on_a_telephones_screen_and_in_the_dark(open_page, transfer, options):
    make_user("dora", *ACTS)
    page = open_page("dora", **options)
    press(page, transfer, "accept")
    expect(row(page, transfer)).to_contain_text("conectando", timeout=SOON_MS)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(18, 22, 27)") is ("color_scheme" in options)


def test_rows_do_not_shift_when_one_of_them_changes(open_page, transactional_db):
    make_company()
    make_user("dora", *ACTS)
    rows = [make_transfer(State.DIALLING) for _ in range(8)]
    page = open_page("dora")
    expect(page.locator("#live tr")).to_have_count(8)
    page.wait_for_timeout(1500)  # the page itself has settled
    page.evaluate("""() => { window.shifts = 0; new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) window.shifts += entry.value;
    }).observe({type: "layout-shift", buffered: false}); }""")
    Transfer.objects.filter(pk=rows[3].pk).update(state=State.ANNOUNCING.value, version=9)
    expect(row(page, rows[3])).to_contain_text("anunciando", timeout=SOON_MS)
    assert page.evaluate("window.shifts") < 0.001


def test_both_languages(page, transfer, server):
    page.locator("button[value=en]").click()
    expect(row(page, transfer)).to_contain_text("announcing", timeout=SOON_MS)
    outside(act, make_user("bob"), transfer.pk, Action.ACCEPT, seen_stage=stage_of(transfer))
    expect(row(page, transfer)).to_contain_text("connecting", timeout=SOON_MS)  # pushed in his language too
