"""A small company on a connected switch, and transfers driven through the one door as far as a test needs."""

import uuid
from datetime import timedelta

from django.utils import timezone

from calls import services
from calls.models import Attempt, Department, Extension, Membership, Switch, Transfer
from calls.transfer import events as e


def connected_switch(slug: str = "main") -> Switch:
    return Switch.objects.create(
        slug=slug,
        name=slug,
        domain="lab",
        connected=True,
        lease_holder="test",
        lease_until=timezone.now() + timedelta(hours=1),
        fence=1,
    )


def department(slug: str, *numbers: str, **settings: object) -> Department:
    """A department whose agents are rung in the order given."""
    made = Department.objects.create(slug=slug, name=slug.title(), **settings)
    for position, number in enumerate(numbers):
        extension, _ = Extension.objects.get_or_create(number=number, defaults={"name": f"Agent {number}"})
        Membership.objects.create(department=made, extension=extension, position=position)
    return made


def ask(slug: str = "", **fields: object) -> Transfer:
    """A caller of his own asks for a department."""
    new = services.NewTransfer(call_uuid=str(uuid.uuid4()), department=slug, **fields)  # type: ignore[arg-type]
    return services.create_transfer(new)[0]


def tell(transfer: Transfer, *events: e.Event) -> Transfer:
    for event in events:
        services.apply_event(transfer.pk, event)
    transfer.refresh_from_db()
    return transfer


def attempt(transfer: Transfer) -> Attempt:
    """The latest."""
    return transfer.attempts.order_by("-number")[0]


def rung(transfer: Transfer) -> list[list[str]]:
    """Who was rung, attempt by attempt."""
    return [made.numbers for made in transfer.attempts.order_by("number")]


def dialling(slug: str, **fields: object) -> Transfer:
    return tell(ask(slug, **fields), e.CallerParked(1))


def announcing(slug: str, **fields: object) -> Transfer:
    transfer = dialling(slug, **fields)
    mark = attempt(transfer).mark
    return tell(transfer, e.AgentJoined(mark, f"b-{mark}", 2))


def commands(transfer: Transfer) -> list[str]:
    return list(transfer.commands.values_list("kind", flat=True))
