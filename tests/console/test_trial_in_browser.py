"""A supervisor logs in, tries a department, and sees the simulated call go through its stages: a real process, a
simulated switch with its people, and a verdict that comes by itself."""

import re
import time

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import User

from calls.models import SupervisorAction, Switch, Trial
from tests.console.browser import comes_true, outside
from tests.factories import make_company, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
expect = pytest.importorskip("playwright.sync_api").expect
CALL_MS, END_MS = 90_000, 90_000  # a process starts; people speak at their own pace


WATCH = """() => { // each stage that a trial's row shows, once
    window.stages = [];
    const look = () => {
        const badge = document.querySelector("tr:has(.tag) .badge")?.textContent.match(/[a-zé]+/)?.[0];
        if (badge && badge !== window.stages.at(-1)) window.stages.push(badge);
    };
    new MutationObserver(look).observe(document.body, {subtree: true, childList: true, characterData: true});
    look();
}"""


def over() -> bool:
    return not Trial.objects.filter(ended_at=None).exists()


def test_a_department_is_tried_and_heard_and_the_verdict_comes(open_page, server):
    make_company()
    Switch.objects.update(enabled=False)  # of the house, which has no part in it
    eva = make_user("eva", "calls.view_transfer", "calls.try_departments", "calls.listen")
    User.objects.filter(pk=eva.pk).update(password=PBKDF2PasswordHasher().encode("senha", "some salt"))
    page = open_page("")
    page.fill("[name=username]", "eva")
    page.fill("[name=password]", "senha")
    page.press("[name=password]", "Enter")
    expect(page.locator("#numbers")).to_be_visible()
    board = page.context.new_page()
    board.goto(server.url + "/")
    board.evaluate(WATCH)
    page.get_by_role("link", name="Ensaios").click()
    page.select_option("[name=department]", "vendas")
    page.select_option("[name=temperament]", "rejects")
    page.select_option("[name=then]", "accepts")
    page.get_by_role("button", name="Começar o ensaio").click()
    page.wait_for_url("**/transfers/**", timeout=CALL_MS)
    expect(page.locator(".trial")).to_contain_text("Em andamento", timeout=CALL_MS)
    expect(board.locator("#live tr")).to_contain_text("ensaio", timeout=CALL_MS)
    expect(board.locator("#numbers")).to_contain_text(re.compile(r"^0 esperando 0 conversando"))
    page.get_by_role("button", name="Ouvir o anúncio").click()
    comes_true(page, "[...document.querySelectorAll('#hear meter')].some((meter) => meter.value > 0.02)", END_MS)
    verdict = page.locator(".verdict")
    expect(verdict).to_contain_text("Aceita, como previsto; primeira palavra", timeout=END_MS)
    expect(page.locator(".badge")).to_contain_text("aceita")
    expect(page.locator("#hear")).to_be_hidden()
    expect(board.locator("#ended tr")).to_contain_text("aceita")
    comes_true(board, "window.stages.at(-1) === 'aceita'")  # what was live has faded
    stages = board.evaluate("window.stages")
    assert [each for each in stages if each in ("tocando", "anunciando", "conectado", "aceita")] == [
        "tocando", "anunciando", "tocando", "anunciando", "conectado", "aceita",
    ]  # fmt: skip
    assert SupervisorAction.objects.filter(action="try", done=True, username="eva").exists()
    until = time.monotonic() + 30
    while not outside(over):
        assert time.monotonic() < until, "the trial's place is not free"
        time.sleep(0.1)
