"""The pages of trials: who may, what is refused, and what a verdict says. Their process is tests/stories' matter."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from calls.console import trials as pages
from calls.console.verdict import trial_of, verdict
from calls.models import Department, DepartmentScope, Extension, SupervisorAction, Switch, Trial
from calls.services import record
from calls.transfer.states import Outcome, State
from tests.console.conftest import browser_of
from tests.factories import make_transfer, make_user

FORM = {"department": "vendas", "temperament": "rejects", "then": "", "voice": "simulated"}


@pytest.fixture
def launched(monkeypatch):
    """What would have been started."""
    started = []
    monkeypatch.setattr(pages, "launch", started.append)
    return started


@pytest.fixture
def eva(vendas):
    """May see, and try departments."""
    return browser_of("eva", "calls.view_transfer", "calls.try_departments")


def tried(transfer=None, **values):
    now = timezone.now()
    values = {"temperament": "accepts", "then": "accepts", "predicted": "accepted", "ended_at": now} | values
    slot = Switch.everything.get_or_create(slug="ensaio-1", is_trial=True)[0]
    return Trial.objects.create(
        department=Department.objects.get(slug="vendas"), switch=slot, username="eva", transfer=transfer,
        began_at=now, seen_at=now, caller_name="Maria", **values,
    )  # fmt: skip


def test_a_trial_is_begun_recorded_and_waited_for(eva, launched):
    begun = eva.post(reverse("console:trials"), FORM | {"summary": "quer ajuda"})
    trial = Trial.objects.get()
    assert launched == [trial] and begun.url == reverse("console:trial", args=[trial.pk])
    assert (trial.temperament, trial.then, trial.summary) == ("rejects", "rejects", "quer ajuda")
    page = eva.get(begun.url).content.decode()
    assert "Em preparação." in page and 'http-equiv="refresh"' in page
    action = SupervisorAction.objects.get()
    assert (action.action, action.username, action.department.slug) == ("try", "eva", "vendas")
    assert action.reason == "diz que não, com um motivo"
    transfer = make_transfer(State.DIALLING, is_trial=True)
    Trial.objects.update(transfer=transfer)
    assert eva.get(begun.url).url == reverse("console:transfer", args=[transfer.pk])
    transfer_page = eva.get(reverse("console:transfer", args=[transfer.pk])).content.decode()
    assert "Primeiro atendente: diz que não, com um motivo." in transfer_page and "Em andamento." in transfer_page


def test_who_may_not_is_turned_away(alice, launched, client):
    assert alice.get(reverse("console:trials")).status_code == 403
    assert alice.post(reverse("console:trials"), FORM).status_code == 403
    assert reverse("console:trials") not in alice.get(reverse("console:transfers")).content.decode()
    assert client.post(reverse("console:trials"), FORM).status_code == 302
    assert launched == [] and not Trial.objects.exists()


def test_only_ones_own_departments_can_be_tried(eva, launched):
    suporte = Department.objects.get(slug="suporte")
    DepartmentScope.objects.create(user_id=eva.session["_auth_user_id"], department=suporte)
    trial = tried()
    assert eva.post(reverse("console:trials"), FORM).status_code == 404
    assert eva.get(reverse("console:trial", args=[trial.pk])).status_code == 404
    page = eva.get(reverse("console:trials")).content.decode()
    assert "Suporte" in page and "Vendas" not in page
    assert eva.post(reverse("console:trials"), FORM | {"department": "suporte"}).status_code == 302


def test_a_refusal_is_409_in_words_and_keeps_what_was_chosen(eva, launched):
    Extension.objects.update(enabled=False)
    refused = eva.post(reverse("console:trials"), FORM | {"summary": "quer ajuda"})
    page = refused.content.decode()
    assert refused.status_code == 409 and "não tem atendente que receba chamadas" in page
    assert 'value="rejects" selected' in page and "quer ajuda" in page
    assert launched == []


def test_the_real_voice_is_offered_where_there_is_one(eva, settings):
    settings.OPENAI_API_KEY = ""
    assert 'name="voice"' not in eva.get(reverse("console:trials")).content.decode()
    settings.OPENAI_API_KEY = "sk-real"
    assert "consome tokens" in eva.get(reverse("console:trials")).content.decode()


def test_the_admin_leads_to_the_form(vendas):
    browser = browser_of("ines", "calls.view_transfer", "calls.try_departments", "calls.view_department")
    User.objects.update(is_staff=True)
    page = browser.get(reverse("admin:calls_department_change", args=[vendas.pk])).content.decode()
    assert "Ensaiar este departamento" in page
    sent = browser.get(reverse("admin:calls_department_try_out", args=[vendas.pk]))
    assert sent.url == reverse("console:trials") + "?department=vendas"
    form = browser.get(sent.url).content.decode()
    assert 'value="vendas" selected' in form


# ---------------------------------------------------------------- verdicts
def test_what_was_predicted_happened_and_how_long_it_took(vendas):
    transfer = make_transfer(outcome=Outcome.ACCEPTED, is_trial=True)
    trial = tried(transfer)
    assert verdict(trial, transfer) == (
        "Aceita, como previsto; primeira palavra 1,0 s após atender; conectados 1,0 s após a decisão; "
        "conversando 14,0 s após o pedido; 35,0 s ao todo."
    )
    assert trial_of(transfer).tone == "good"


def test_it_ended_otherwise_than_predicted(vendas):
    transfer = make_transfer(outcome=Outcome.BUSY, is_trial=True)
    assert verdict(tried(transfer), transfer).startswith("Ocupado, mas a previsão era: aceita; ")
    assert trial_of(transfer).tone == "fail"


def test_a_supervisor_who_stepped_in_explains_it(vendas):
    transfer = make_transfer(outcome=Outcome.CANCELLED, is_trial=True)
    record(make_user("dora"), "take_back", transfer)
    assert verdict(tried(transfer), transfer).startswith("Retomada: um supervisor interveio; ")
    assert trial_of(transfer).tone == "good"


def test_nothing_is_predicted_of_different_people_rung_together(vendas):
    transfer = make_transfer(outcome=Outcome.REJECTED, is_trial=True)
    assert "sem previsão" in verdict(tried(transfer, predicted=""), transfer)


def test_a_trial_that_broke_off_says_so(vendas):
    assert verdict(tried(problem="died"), None) == "Interrompido: o processo dele morreu."
    lost = make_transfer(outcome=Outcome.CALLER_LEFT, is_trial=True)
    assert verdict(tried(lost, problem="broken_off"), lost).startswith("Interrompido")
    assert trial_of(lost).tone == "fail"


def test_a_simulated_caller_calls_no_supervisor(alice):
    long_ago = timezone.now() - timedelta(minutes=5)
    make_transfer(State.DIALLING, is_trial=True, requested_at=long_ago)
    page = alice.get(reverse("console:transfers")).content.decode()
    assert "ensaio" in page and 'data-long="0"' in page and "needs" not in page
    assert "Maria" not in alice.get(reverse("console:wall")).content.decode()


def test_the_admins_lists_leave_trials_out(vendas, admin_client):
    real, trial = make_transfer(outcome=Outcome.BUSY), make_transfer(outcome=Outcome.BUSY, is_trial=True)
    found = admin_client.get(reverse("admin:calls_transfer_changelist")).content.decode()
    assert str(real.pk) in found and str(trial.pk) not in found
    found = admin_client.get(reverse("admin:calls_ticket_changelist")).content.decode()
    assert real.ticket.protocol in found and trial.ticket.protocol not in found


def test_a_real_transfer_has_no_verdict(vendas):
    assert trial_of(make_transfer()) is None
