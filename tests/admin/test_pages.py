"""Every page opens, in Portuguese, and shows no secret."""

import pytest
from django.contrib import admin
from django.urls import reverse

from calls.models import ApiClient, Department, Extension, Holiday, Switch
from tests.factories import make_transfer

SETTINGS = [Department, Extension, Holiday, Switch, ApiClient]


def every_list() -> list[str]:
    return sorted(f"{m._meta.app_label}_{m._meta.model_name}" for m in admin.site._registry)


@pytest.mark.parametrize("name", every_list())
def test_every_list_opens(root, name):
    make_transfer(outcome="busy")
    Holiday.objects.create(name="Natal", date="2026-12-25")
    assert root.get(reverse(f"admin:{name}_changelist")).status_code == 200


@pytest.mark.parametrize("model", SETTINGS, ids=lambda model: model.__name__)
def test_every_setting_can_be_added_and_changed(root, model):
    name = f"admin:calls_{model._meta.model_name}"
    assert root.get(reverse(f"{name}_add")).status_code == 200
    if row := model.objects.first():
        assert root.get(reverse(f"{name}_change", args=[row.pk])).status_code == 200
        assert root.get(reverse(f"{name}_history", args=[row.pk])).status_code == 200


def test_the_first_page_names_what_needs_a_person(root, settings):
    settings.OPENAI_API_KEY = ""
    Department.objects.get(slug="suporte").memberships.all().delete()
    page = root.get(reverse("admin:index")).content.decode()
    assert "Precisa de atenção" in page and "Suporte não tem atendente" in page and "OPENAI_API_KEY" in page


def test_the_first_page_opens_for_somebody_who_may_do_nothing(stranger):
    page = stranger.get(reverse("admin:index"))
    assert page.status_code == 200 and "Vendas" not in page.content.decode()


def test_a_browser_that_prefers_english_gets_portuguese_until_somebody_chooses(root):
    address = reverse("admin:calls_department_changelist")
    assert "Departamentos" in root.get(address, headers={"Accept-Language": "en"}).content.decode()
    root.post(reverse("set_language"), {"language": "en", "next": "/"})
    assert "Departments" in root.get(address).content.decode()


def test_the_password_of_a_switch_is_never_shown(root, monkeypatch):
    monkeypatch.setenv("FREESWITCH_PASSWORD_RIO", "sesame-opens")
    switch = Switch.objects.get()
    switch.password_variable = "FREESWITCH_PASSWORD_RIO"
    switch.save()
    page = root.get(reverse("admin:calls_switch_change", args=[switch.pk])).content.decode()
    assert "definida em FREESWITCH_PASSWORD_RIO" in page and "sesame-opens" not in page
    monkeypatch.delenv("FREESWITCH_PASSWORD_RIO")
    page = root.get(reverse("admin:calls_switch_change", args=[switch.pk])).content.decode()
    assert "FREESWITCH_PASSWORD_RIO não está definida" in page


def test_no_page_reaches_out_to_another_site(root):
    for name in ("admin:index", "admin:calls_department_changelist", "console:transfers"):
        page = root.get(reverse(name)).content.decode()
        assert 'src="http' not in page and 'href="http' not in page and "@import" not in page
