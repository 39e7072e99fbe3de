import pytest
from django.contrib.auth import authenticate

from calls import services
from calls.demo import company
from calls.models import ApiClient, Department, Extension
from calls.simulator.phonebook import SPARES_EACH, spares


@pytest.fixture
def prepared(transactional_db):
    return company.prepare("a password", "")


def test_the_sample_company_its_administrator_and_its_api_client_are_there(prepared):
    assert set(Department.objects.values_list("slug", flat=True)) == {"vendas", "suporte", "financeiro"}
    assert Extension.objects.count() == 6
    assert authenticate(username="admin", password="a password").is_superuser
    assert services.authenticate(prepared).name == "demo"


def test_a_second_start_keeps_what_was_changed_and_makes_nothing_twice(prepared):
    Department.objects.filter(slug="vendas").update(ring_seconds=33)
    assert company.prepare("a password", prepared) == prepared
    assert Department.objects.get(slug="vendas").ring_seconds == 33
    assert ApiClient.objects.count() == 1


def test_a_key_that_does_not_fit_the_database_is_replaced(prepared):
    assert services.authenticate(company.prepare("a password", "thk_of-another-database"))


def test_spare_telephones_are_given_out_until_none_is_free(prepared, make_busy):
    for number in spares("accepts")[:-1]:
        make_busy(number)
    assert company.free_spare("accepts").number == spares("accepts")[-1]
    make_busy(spares("accepts")[-1])
    with pytest.raises(ValueError, match=f"All {SPARES_EACH}"):
        company.free_spare("accepts")


@pytest.fixture
def make_busy(prepared):
    """Opens a transfer to an extension."""
    from datetime import UTC, datetime

    from calls.models import Switch, Transfer

    switch = Switch.objects.create(slug="here", name="Here")
    department = Department.objects.get(slug="vendas")

    def open_transfer(number: str) -> None:
        Transfer.objects.create(
            department=department,
            destination=number,
            switch=switch,
            caller_uuid=f"a-{number}",
            conference=f"transfer_{number}",
            requested_at=datetime.now(UTC),
        )

    return open_transfer
