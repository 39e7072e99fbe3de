"""A supervisor acts: asked first, done second; refused with words when the stage has moved on; recorded."""

import csv
import io
import re

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from calls.console.actions import buttons
from calls.models import DepartmentScope, SupervisorAction
from calls.rights import rights_of
from calls.services.people import Action, act, stage_of
from calls.transfer.states import State
from tests.factories import make_transfer, make_user
from tests.services import world

pytestmark = pytest.mark.django_db(transaction=True)


def text(response) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", response.content.decode()).split())


@pytest.fixture
def transfer(db):
    world.connected_switch()
    world.department("vendas", "2001", "2002")
    return world.announcing("vendas", caller_name="Maria")


def browser_of(name, *permissions):
    browser = Client()
    browser.force_login(make_user(name, *permissions))
    return browser


@pytest.fixture
def dora(db):
    permissions = ("calls.view_transfer", "calls.act_on_transfers", "calls.view_supervisoraction")
    return browser_of("dora", *permissions)


def address(transfer, action=Action.ACCEPT, stage=None):
    stage = stage_of(transfer) if stage is None else stage
    return f"{reverse(f'console:act-{action}', args=[transfer.pk])}?v={transfer.version}&stage={stage}"


def test_the_first_press_asks_and_the_second_does_it(dora, transfer):
    asked = dora.post(address(transfer))
    assert asked.status_code == 200 and "Conectar os dois agora?" in text(asked)
    transfer.refresh_from_db()
    assert transfer.state == State.ANNOUNCING
    done = dora.post(address(transfer), {"confirmed": "1"})
    assert done.status_code == 302
    transfer.refresh_from_db()
    assert (transfer.state, transfer.decided_by) == (State.CONNECTING, "console")


def test_without_a_script_the_question_keeps_what_was_seen(dora, transfer):
    page = dora.post(address(transfer, Action.REJECT)).content.decode()
    assert 'name="reason"' in page and 'name="confirmed" value="1"' in page
    assert '<form method="post">' in page  # to this very address, with its stage


def test_a_stage_that_moved_on_is_a_conflict_in_words(dora, transfer):
    seen = address(transfer)
    act(make_user("bob"), transfer.pk, Action.ACCEPT, seen_stage=stage_of(transfer))
    for form in ({}, {"confirmed": "1"}):
        refused = dora.post(seen, form)
        assert refused.status_code == 409
        assert "Quando você apertou: anunciando. Agora: conectando." in text(refused)
    script = dora.post(seen, {"confirmed": "1"}, headers={"Accept": "application/json"})
    assert script.status_code == 409 and script.json()["done"] is False and script.json()["words"]


def test_the_script_is_answered_in_words(dora, transfer):
    answer = dora.post(address(transfer), {"confirmed": "1"}, headers={"Accept": "application/json"})
    assert answer.json() == {"done": True, "words": "Feito: Aceitar", "now": "conectando"}


@pytest.mark.parametrize("action", list(Action))
def test_who_may_only_see_cannot_act_by_a_forged_post(transfer, action):
    alice = browser_of("alice", "calls.view_transfer")
    assert alice.post(address(transfer, action), {"confirmed": "1"}).status_code == 403
    assert Client().post(address(transfer, action), {"confirmed": "1"}).status_code == 302
    transfer.refresh_from_db()
    assert transfer.state == State.ANNOUNCING and not SupervisorAction.objects.exists()


def test_without_the_forms_token_nothing_is_done(transfer):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(make_user("eva", "calls.view_transfer", "calls.act_on_transfers"))
    assert browser.post(address(transfer), {"confirmed": "1"}).status_code == 403
    assert not SupervisorAction.objects.exists()


def test_a_transfer_of_a_department_of_others_does_not_exist(dora, transfer):
    team = Group.objects.create(name="Suporte")
    team.user_set.add(dora.session["_auth_user_id"])
    DepartmentScope.objects.create(group=team, department=world.department("suporte", "2003"))
    assert dora.post(address(transfer), {"confirmed": "1"}).status_code == 404
    assert dora.get(reverse("console:transfer", args=[transfer.pk])).status_code == 404
    assert "Maria" not in dora.get("/").content.decode()


def test_reading_the_address_of_an_action_does_nothing(dora, transfer):
    assert dora.get(address(transfer)).status_code == 405


def test_a_button_that_cannot_be_pressed_says_why(dora, transfer):
    read = text(dora.get(reverse("console:transfer", args=[transfer.pk])))
    assert "Encerrar a conversa Cliente e atendente ainda não estão conversando." in read
    alone = browser_of("alice", "calls.view_transfer").get("/").content.decode()
    assert "data-action" not in alone


@pytest.mark.parametrize("state", State)
def test_a_reason_that_forbids_several_buttons_is_said_once(state):
    shown = buttons(state)
    said = [each.why_not for each in shown if each.says_why]
    assert sorted(said) == sorted({each.why_not for each in shown} - {""})
    assert [each.action for each in shown] == list(Action)


def test_many_rows_carry_the_buttons_once(dora, transfer):
    one = dora.get("/").content.count(b"data-action=")
    for _ in range(5):
        make_transfer(State.ANNOUNCING)
    assert dora.get("/").content.count(b"data-action=") == one == len(Action) * (len(State) - 1)


def test_the_page_of_the_transfer_tells_who_did_what(dora, transfer):
    dora.post(address(transfer, Action.REJECT), {"confirmed": "1", "reason": "fora do horário"})
    page = text(dora.get(reverse("console:transfer", args=[transfer.pk])))
    assert "dora: Recusar “fora do horário”" in page


def test_the_audit_is_filtered_and_exported(dora, transfer):
    dora.post(address(transfer, Action.REJECT), {"confirmed": "1", "reason": "=HYPERLINK(1)"})
    dora.post(address(transfer, Action.END), {"confirmed": "1"})
    page = dora.get(reverse("console:audit"))
    assert "Recusar" in text(page) and "dora" in text(page) and "recusado" in text(page)
    only = dora.get(reverse("console:audit"), {"action": "end"})
    assert text(only).count("dora") < text(page).count("dora")
    assert "Nada nesses dias" in text(dora.get(reverse("console:audit"), {"who": "nobody"}))
    assert "Nada nesses dias" in text(
        dora.get(reverse("console:audit"), {"until": "2020-01-01", "since": "2020-01-01"})
    )
    exported = dora.get(reverse("console:audit-csv")).content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(exported)))
    assert [row["action"] for row in rows] == ["end", "reject"]
    assert rows[0]["done"] == "0" and rows[0]["why_not"]
    assert rows[1]["reason"] == "'=HYPERLINK(1)"  # no formula in anybody's spreadsheet


def test_the_audit_is_for_who_may_read_it(transfer):
    alice = browser_of("alice", "calls.view_transfer", "calls.act_on_transfers")
    for name in ("audit", "audit-csv"):
        assert alice.get(reverse(f"console:{name}")).status_code == 403
        assert Client().get(reverse(f"console:{name}")).status_code == 302


def test_departments_limit_only_whom_they_are_set_for(transfer):
    user = make_user("eva")
    assert rights_of(user).departments is None
    DepartmentScope.objects.create(user=user, department=transfer.department)
    assert rights_of(user).departments == {transfer.department_id}
