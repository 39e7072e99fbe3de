"""The statements written once do what Django's own would do."""

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from calls.models import SwitchCommand, Transfer
from calls.services import statements
from tests.services import world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def transfer():
    world.connected_switch()
    world.department("vendas", "2001")
    return world.ask("vendas", context="«açaí» 100 %s; DROP")


def command(transfer: Transfer, kind: str) -> SwitchCommand:
    arguments = {"text": "it's 100 %; \\ «não»", "none": None, "list": [1, 2.5]}
    return SwitchCommand(
        transfer=transfer, switch_id=transfer.switch_id, kind=kind, arguments=arguments, created_at=timezone.now()
    )


def test_a_locked_row_is_the_row(transfer):
    with transaction.atomic():
        found = statements.locked(Transfer, transfer.pk, "1 AS one")
    whole = Transfer.objects.get(pk=transfer.pk)
    values = [[getattr(row, field.attname) for field in Transfer._meta.concrete_fields] for row in (found, whole)]
    assert values[0] == values[1] and found.one == 1


def test_a_row_that_is_not_there_is_said_so(transfer):
    Transfer.objects.filter(pk=transfer.pk).delete()
    with pytest.raises(Transfer.DoesNotExist):
        statements.locked(Transfer, transfer.pk)


def test_what_is_inserted_comes_back_as_it_was(transfer):
    made = command(transfer, "Odd")
    statements.insert(made)
    kept = SwitchCommand.objects.get(kind="Odd")
    assert (kept.arguments, kept.created_at, kept.state) == (made.arguments, made.created_at, "waiting")


def test_an_update_changes_the_named_fields_alone(transfer):
    transfer.memory, transfer.reason, transfer.summary = {"short_id": "é"}, "it's", "not this"
    statements.update(transfer, ["memory", "reason"])
    kept = Transfer.objects.get(pk=transfer.pk)
    assert (kept.memory, kept.reason, kept.summary) == ({"short_id": "é"}, "it's", "")


def test_together_the_last_state_of_a_row_is_written_and_the_new_rows_in_order(transfer):
    with CaptureQueriesContext(connection) as queries, statements.together():
        for reason in ("one", "two"):
            transfer.reason = reason
            statements.update(transfer, ["reason"])
            statements.insert(command(transfer, f"Kind{reason}"))
        assert len(queries) == 0
    assert Transfer.objects.get(pk=transfer.pk).reason == "two"
    assert world.commands(transfer)[-2:] == ["Kindone", "Kindtwo"]
    assert len(queries) == (1 if connection.vendor == "postgresql" else 3)


def test_nothing_is_written_when_something_fails_before_the_end(transfer):
    with pytest.raises(ZeroDivisionError), statements.together():
        statements.insert(command(transfer, "Never"))
        raise ZeroDivisionError
    assert "Never" not in world.commands(transfer)
    statements.insert(command(transfer, "After"))
    assert world.commands(transfer)[-1] == "After"


def test_an_update_of_a_row_that_is_gone_is_an_error(transfer):
    Transfer.objects.filter(pk=transfer.pk).delete()
    with pytest.raises(DatabaseError), transaction.atomic():
        statements.update(transfer, ["reason"])
