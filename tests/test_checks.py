"""Each misconfiguration has its check, and a good configuration has none."""

import pytest
from django.core.checks import Tags, run_checks
from django.db import connection

from calls import checks
from calls.models import Department, Switch
from tests.factories import make_company


def ids(found) -> set[str]:
    return {each.id.removeprefix("transferhub.") for each in found}


@pytest.fixture
def good(settings):
    settings.OPENAI_API_KEY = "sk-test"
    settings.OMNIPLAY_URL = settings.OMNIPLAY_TOKEN = ""
    settings.AUDIO_BASE_URL = "wss://hub.example.com"
    settings.ALLOWED_HOSTS = ["hub.example.com"]
    settings.DEBUG = False
    return settings


@pytest.fixture
def company(db):
    return make_company()


def test_a_good_configuration_is_silent(good, company):
    assert checks.everything() == []


@pytest.mark.parametrize(
    "name, value, found",
    [
        ("SECRET_KEY", "insecure-text", "E001"),
        ("AUDIO_BASE_URL", "http://hub.example.com", "E002"),
        ("AUDIO_BASE_URL", "", "E002"),
        ("OMNIPLAY_URL", "https://omniplay.example.com", "E003"),
        ("OPENAI_REALTIME_URL", "https://api.openai.com", "E004"),
        ("OPENAI_API_KEY", "sk-…", "W007"),
        ("OPENAI_API_KEY", "", "W001"),
        ("WEBHOOK_HOSTS", ["https://crm.example.com/"], "W002"),
    ],
)
def test_a_bad_setting_is_found(good, company, name, value, found):
    setattr(good, name, value)
    assert ids(checks.everything()) == {found}


def test_the_built_in_key_may_serve_this_machine_alone(good, company):
    good.SECRET_KEY, good.ALLOWED_HOSTS = "insecure-text", ["localhost", "127.0.0.1"]
    assert checks.everything() == []


def test_a_switch_without_its_password_is_found(good, company, monkeypatch):
    Switch.objects.update(password_variable="FREESWITCH_PASSWORD_RIO")
    assert ids(checks.everything()) == {"W003"}
    monkeypatch.setenv("FREESWITCH_PASSWORD_RIO_FILE", "/run/secrets/rio")
    assert checks.everything() == []


def test_a_company_without_departments_is_found(good, db):
    assert ids(checks.everything()) == {"W004"}


def test_a_department_without_agents_is_found_unless_it_is_disabled(good, company):
    suporte = Department.objects.get(slug="suporte")
    suporte.memberships.all().delete()
    assert ids(checks.everything()) == {"W005"}
    Department.objects.filter(slug="suporte").update(enabled=False)
    assert checks.everything() == []


@pytest.mark.parametrize("marked", [True, False])
def test_two_defaults_or_none_are_found(good, company, marked):
    Department.objects.update(is_default=marked)
    assert ids(checks.everything()) == {"W006"}


def test_every_finding_says_what_to_do(good, db):
    good.AUDIO_BASE_URL = good.OPENAI_API_KEY = ""
    assert all(each.hint for each in checks.everything())


def test_manage_check_finds_them_and_leaves_the_database_alone_unless_asked(good, company, django_assert_num_queries):
    good.AUDIO_BASE_URL = ""
    Department.objects.all().delete()
    with django_assert_num_queries(0):
        found = run_checks()
    assert "transferhub.E002" in {each.id for each in found}
    found = run_checks(tags=[Tags.database], databases=["default"])
    assert "transferhub.W004" in {each.id for each in found}


def test_a_database_without_tables_is_no_finding(good, monkeypatch, db):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE calls_switch RENAME TO calls_switch_away")
    assert checks.check_company(databases=["default"]) == []
