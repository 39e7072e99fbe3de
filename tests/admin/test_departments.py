"""What somebody who is no programmer does with a department."""

import pytest
from django.contrib.messages import get_messages
from django.forms.models import model_to_dict
from django.urls import reverse

from calls.admin.department_form import DepartmentForm
from calls.models import Department, Extension
from tests.admin.forms import add_row, filled


@pytest.fixture
def page(vendas):
    return reverse("admin:calls_department_change", args=[vendas.pk])


def save(root, page, **changes):
    """Open the page, change some fields, press "save". A value of None leaves the field out (an unticked box)."""
    data = filled(root.get(page))
    for name, value in changes.items():
        data.pop(name, None)
        if value is not None:
            data[name] = value
    return root.post(page, data)


def errors(response) -> dict[str, list[str]]:
    assert response.status_code == 200, "it was saved"
    return response.context["adminform"].form.errors


def said(response) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def agents(department) -> list[str]:
    return list(department.members.order_by("memberships__position").values_list("name", flat=True))


def test_a_page_that_is_saved_unchanged_changes_nothing(root, page, vendas):
    before = Department.objects.values().get(pk=vendas.pk)
    assert save(root, page).status_code == 302
    assert Department.objects.values().get(pk=vendas.pk) == before


def test_agents_are_rung_in_the_order_of_their_numbers(root, page, vendas):
    first, second = (f"memberships-{n}-position" for n in (0, 1))
    assert save(root, page, **{first: 9, second: 4}).status_code == 302
    assert agents(vendas) == ["Bruno", "Ana"]


def test_a_new_agent_without_a_number_comes_last(root, page, vendas):
    carla = Extension.objects.create(number="2003", name="Carla")
    data = filled(root.get(page))
    add_row(data, "memberships", extension=carla.pk, position="", department=vendas.pk)
    assert root.post(page, data).status_code == 302
    assert agents(vendas) == ["Ana", "Bruno", "Carla"]


def test_the_same_agent_twice_is_refused(root, page, vendas):
    data = filled(root.get(page))
    add_row(data, "memberships", extension=Extension.objects.get(name="Ana").pk, position=3, department=vendas.pk)
    assert root.post(page, data).status_code == 200
    assert agents(vendas) == ["Ana", "Bruno"]


def test_a_department_whose_agents_take_no_calls_is_saved_with_a_warning(root, page):
    Extension.objects.update(enabled=False)
    response = save(root, page)
    assert response.status_code == 302
    assert "não tem atendente que receba chamadas" in said(response)


def test_the_list_shows_who_is_rung_and_who_is_missing(root, vendas):
    address = reverse("admin:calls_department_changelist")
    assert "2001 · Ana → 2002 · Bruno" in root.get(address).content.decode()
    vendas.memberships.all().delete()
    assert "⚠ ninguém atende" in root.get(address).content.decode()


@pytest.mark.parametrize(
    "field, value, words",
    [
        ("ring_seconds", 4, "maior ou igual a 5"),
        ("ring_seconds", 121, "menor ou igual a 120"),
        ("decision_seconds", 61, "menor ou igual a 60"),
        ("total_seconds", 29, "maior ou igual a 30"),
        ("total_seconds", 601, "menor ou igual a 600"),
        ("ring_seconds", 120, "só espera 60 s"),
        ("return_to", "ivr return", "RAMAL XML CONTEXTO"),
        ("return_to", "", "obrigatório"),
        ("after_call_to", "a b c", "RAMAL XML CONTEXTO"),
        ("timezone", "Mars/Olympus", "America/Sao_Paulo"),
        ("instructions", "Oi {agente}", "{agente} não significa nada aqui"),
        ("instructions", "Oi {agent", "sozinha"),
        ("ticket_text", "Anote: {caller}", "{protocol}"),
        ("no_ticket_text", "Anote: {protocol}", "não tem campos"),
        ("ticket_on", ["accepted"], "accepted"),
        ("is_default", None, "precisa ser o padrão"),
    ],
)
def test_a_value_that_cannot_work_is_refused_in_words(vendas, field, value, words):
    vendas.total_seconds = 60
    vendas.save()
    data = {name: bound for name, bound in model_to_dict(vendas).items() if bound is not None}
    form = DepartmentForm(data | {field: value}, instance=vendas)
    assert words in " ".join(form.errors[field])


def test_a_refused_page_is_drawn_again_with_the_words_at_the_field(root, page):
    found = errors(save(root, page, ring_seconds=4))
    assert "maior ou igual a 5" in " ".join(found["ring_seconds"])


@pytest.mark.parametrize(
    "value", ["ivr_return", "ivr_return XML public", "park: inline", "m:^:set:foo=bar^park inline"]
)
def test_destinations_that_freeswitch_takes_are_taken(root, page, vendas, value):
    assert save(root, page, return_to=value).status_code == 302
    vendas.refresh_from_db()
    assert vendas.return_to == value


def test_the_limits_carry_their_unit_and_their_bounds(root, page):
    text = root.get(page).content.decode()
    assert "Tocar em cada atendente por (segundos)" in text
    assert "De 5 a 120" in text


def test_unticked_outcomes_open_no_ticket(root, page, vendas):
    assert save(root, page, ticket_on=["busy", "no_answer"]).status_code == 302
    vendas.refresh_from_db()
    assert vendas.ticket_on == ["busy", "no_answer"]


def test_the_mark_default_moves_and_the_page_says_from_whom(root, vendas):
    suporte = Department.objects.get(slug="suporte")
    response = save(root, reverse("admin:calls_department_change", args=[suporte.pk]), is_default="on")
    assert "antes era Vendas" in said(response)
    assert list(Department.objects.filter(is_default=True)) == [suporte]


def test_the_first_department_is_the_default_whether_ticked_or_not(root):
    Department.objects.all().delete()
    address = reverse("admin:calls_department_add")
    data = filled(root.get(address)) | {"name": "Vendas", "slug": "vendas"}
    data.pop("is_default", None)
    assert root.post(address, data).status_code == 302
    assert Department.objects.get().is_default


def test_opening_hours_and_holidays_are_rows_of_the_page(root, page, vendas):
    data = filled(root.get(page))
    add_row(data, "opening_hours", weekday=0, opens="08:00", closes="18:00", department=vendas.pk)
    add_row(data, "holidays", date="25/12/2026", name="Natal", every_year="on", department=vendas.pk)
    assert root.post(page, data).status_code == 302
    assert str(vendas.opening_hours.get()) == "segunda-feira 08:00-18:00"
    assert vendas.holidays.get().every_year


def test_the_default_department_cannot_be_deleted(root, vendas):
    address = reverse("admin:calls_department_delete", args=[vendas.pk])
    assert root.post(address, {"post": "yes"}).status_code == 403
    assert Department.objects.filter(pk=vendas.pk).exists()


def test_the_history_says_who_changed_what(root, page, vendas):
    save(root, page, ring_seconds=33, **{"memberships-0-position": 7})
    text = root.get(reverse("admin:calls_department_history", args=[vendas.pk])).content.decode()
    assert "Tocar em cada atendente por (segundos)" in text and "25 → 33" in " ".join(text.split())
    assert "root" in text
    assert "atendente: 2001 · Ana" in text


def test_somebody_without_the_right_sees_no_department(stranger, page):
    assert stranger.get(page).status_code == 403
