"""A supervisor at work in a real browser: by mouse, by keyboard alone, on a small screen, and against the clock."""

from datetime import timedelta

import pytest
from django.utils import timezone

from calls.models import SupervisorAction, Switch, Transfer, Utterance
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
    expect(row(page, transfer)).to_contain_text("anunciando")
    return page


def button(page, transfer, name):
    return row(page, transfer).locator(f"button[data-action={name}]")


# An armed button disarms itself after 4 s, which a busy machine may need for the way to it.
# Both look the button up themselves: a push may put another in its place between a look-up by the test and the press.
SECOND_PRESS = """where => {
  const button = () => document.querySelector(where);
  if (!button().matches('.armed')) button().click();
  button().click();
}"""
ARMED = """where => {
  const button = document.querySelector(where);
  button.click();
  return button.matches('.armed') && button.textContent;
}"""


def at_once(page, transfer, name, script):
    return page.evaluate(script, f"tr[data-key=t-{transfer.id.hex}] button[data-action={name}]")


def press(page, transfer, name):
    """Twice, as it is meant to be."""
    row(page, transfer).locator("summary").click()
    button(page, transfer, name).click()
    at_once(page, transfer, name, SECOND_PRESS)


def state_of(transfer):
    return Transfer.objects.get(pk=transfer.pk).state


def test_the_first_press_arms_and_the_second_puts_them_through(page, transfer):
    row(page, transfer).locator("summary").click()
    assert at_once(page, transfer, "accept", ARMED) == "Confirme: Aceitar"
    assert state_of(transfer) == State.ANNOUNCING
    at_once(page, transfer, "accept", SECOND_PRESS)
    expect(page.locator("#toast")).to_have_text("Feito: Aceitar")
    expect(row(page, transfer)).to_contain_text("conectando")
    assert SupervisorAction.objects.get().username == "dora"


def test_an_armed_button_disarms_itself_and_by_escape(page, transfer):
    row(page, transfer).locator("summary").click()
    accept = button(page, transfer, "accept")
    assert at_once(page, transfer, "accept", ARMED)
    page.keyboard.press("Escape")
    expect(accept).not_to_have_class("armed")
    row(page, transfer).locator("summary").click()
    assert at_once(page, transfer, "accept", ARMED)
    expect(accept).not_to_have_class("armed")
    assert state_of(transfer) == State.ANNOUNCING


def test_a_rejection_with_its_reason_rings_the_next_agent(page, transfer):
    row(page, transfer).locator("summary").click()
    row(page, transfer).locator(".one:has([data-action=reject]) input.why").fill("Ana está em reunião")
    button(page, transfer, "reject").click()
    at_once(page, transfer, "reject", SECOND_PRESS)
    expect(row(page, transfer)).to_contain_text("tocando 2 de 3")
    assert SupervisorAction.objects.get().reason == "Ana está em reunião"


def test_the_next_agent_and_the_way_back_by_hand(page, transfer):
    press(page, transfer, "skip")
    expect(row(page, transfer)).to_contain_text("tocando 2 de 3")
    press(page, transfer, "take_back")
    expect(row(page, transfer)).to_contain_text("voltando ao menu")


def test_whoever_comes_second_is_told_and_sees_the_others_result(page, transfer, open_page):
    row(page, transfer).locator("summary").click()
    stale = button(page, transfer, "accept").get_attribute("formaction")
    seen = stage_of(Transfer.objects.get(pk=transfer.pk))
    outside(act, make_user("bob"), transfer.pk, Action.ACCEPT, seen_stage=seen)
    expect(row(page, transfer)).to_contain_text("conectando")
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
    page.keyboard.press("Enter")
    expect(row(page, transfer)).to_contain_text("conectando")
    assert page.evaluate("document.activeElement.matches('#live summary')")


def test_without_a_script_the_server_asks(open_page, transfer):
    make_user("dora", *ACTS)
    page = open_page("dora", java_script_enabled=False)
    row(page, transfer).locator("summary").click()
    row(page, transfer).locator(".actions a").click()
    page.locator("#actions button[data-action=accept]").click()
    expect(page.locator("main")).to_contain_text("Conectar os dois agora?")
    page.locator("main button").click()
    page.wait_for_url(f"**/transfers/{transfer.pk}/")
    assert state_of(transfer) == State.CONNECTING


def test_who_may_only_see_finds_no_button(open_page, transfer):
    make_user("alice", "calls.view_transfer")
    page = open_page("alice")
    expect(row(page, transfer)).to_be_visible(timeout=SOON_MS)
    expect(page.locator("[data-action]")).to_have_count(0)


FORGED = """async ([id, stage]) => {
    const socket = new WebSocket(`ws://${location.host}/ws/board/`);
    await new Promise((open) => { socket.onopen = open; });
    for (const type of ["action", "act", "accept", "transfer.changed"]) {
        socket.send(JSON.stringify({type, id, action: "accept", name: "accept", stage, confirmed: "1"}));
    }
    const body = new FormData(document.getElementById("act"));
    body.set("confirmed", "1");
    const answer = await fetch(`/transfers/${id}/accept/?v=1&stage=${stage}`, {method: "POST", body});
    const fresh = JSON.parse(await new Promise((heard) => { socket.onmessage = (event) => heard(event.data); }));
    socket.close();
    return [answer.status, fresh.type];
}"""


def test_who_may_only_see_changes_nothing_by_a_forged_message(open_page, transfer):
    make_user("alice", "calls.view_transfer")
    page = open_page("alice")
    expect(row(page, transfer)).to_be_visible()
    status, heard = page.evaluate(FORGED, [str(transfer.pk), stage_of(Transfer.objects.get(pk=transfer.pk))])
    assert status == 403 and heard in ("snapshot", "beat", "rows")  # the socket goes on as if nothing had been said
    assert state_of(transfer) == State.ANNOUNCING
    assert not SupervisorAction.objects.exists()


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
    expect(row(page, transfer)).to_contain_text("conectando")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(18, 22, 27)") is ("color_scheme" in options)


@pytest.mark.parametrize("width", [1360, 390])
def test_rows_do_not_shift_when_one_of_them_changes(open_page, transactional_db, width):
    make_company()
    Switch.objects.update(connected=True, lease_until=timezone.now() + timedelta(hours=1))  # no alarm pushes them down
    make_user("dora", *ACTS)
    rows = [make_transfer(State.DIALLING) for _ in range(8)]
    page = open_page("dora", viewport={"width": width, "height": 860})
    expect(page.locator("#live tr")).to_have_count(8)
    page.wait_for_timeout(1500)  # the page itself has settled
    page.evaluate("""() => { window.shifts = 0; new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) window.shifts += entry.value;
    }).observe({type: "layout-shift", buffered: false}); }""")
    Transfer.objects.filter(pk=rows[3].pk).update(state=State.ANNOUNCING.value, version=9)
    expect(row(page, rows[3])).to_contain_text("anunciando")
    words = "Olá, Ana. Maria Souza está na linha. Você pode atender agora? " * 4
    Utterance.objects.create(transfer=rows[1], who="announcer", text=words, at=timezone.now())
    Transfer.objects.filter(pk=rows[1].pk).update(version=9)
    expect(row(page, rows[1])).to_contain_text("Olá, Ana")
    assert page.evaluate("window.shifts") < 0.001


def test_both_languages(page, transfer, server):
    page.locator("button[value=en]").click()
    expect(row(page, transfer)).to_contain_text("announcing")
    outside(act, make_user("bob"), transfer.pk, Action.ACCEPT, seen_stage=stage_of(transfer))
    expect(row(page, transfer)).to_contain_text("connecting")  # pushed in his language too
