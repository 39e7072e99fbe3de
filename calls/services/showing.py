"""Something of a transfer changed that pages show: its version grows, and they are told."""

from typing import Any

from django.db import transaction
from django.db.models import F

from calls import bus, dispatch
from calls.models import Transfer


def changed(transfer: Transfer, plan: dispatch.Plan) -> None:
    """After a step, or after show()."""
    message = {
        "type": "transfer.changed",
        "id": transfer.id.hex,
        "version": transfer.version,
        "state": transfer.state,
    }
    plan.tell(bus.transfer_group(transfer.id), message)
    plan.tell(bus.BOARD, message)


def show(transfer_id: Any) -> None:
    """What hangs on a transfer (who supervises it) is another; call it inside the transaction that made it so."""
    Transfer.objects.filter(pk=transfer_id).update(version=F("version") + 1)
    plan = dispatch.Plan()
    changed(Transfer.objects.only("version", "state").get(pk=transfer_id), plan)
    transaction.on_commit(lambda: dispatch.deliver(plan))
