"""What can go wrong between people or programs and us; each says what the other side may do about it.

TransferHubError
├── Invalid              input that explains itself, field by field
├── UnknownDepartment    no department of that name
├── UnknownSwitch        no switch of that name
├── AlreadyInTransfer    the call is in a transfer that has not ended
├── IdempotencyMismatch  the key was used for another request
├── NoSwitchConnected    nothing can be moved now; try again later
├── AtTheLimit           too much is under way; try again later
└── Refused              a person asked for something the transfer's stage does not allow
"""

from typing import Any


class TransferHubError(Exception):
    """Base; `code` is stable and for programs."""

    code = "error"


class Invalid(TransferHubError):
    code = "invalid"

    def __init__(self, fields: dict[str, str]):
        super().__init__("; ".join(f"{name}: {message}" for name, message in fields.items()))
        self.fields = fields


class UnknownDepartment(TransferHubError):
    code = "unknown_department"


class UnknownSwitch(TransferHubError):
    code = "unknown_switch"


class AlreadyInTransfer(TransferHubError):
    code = "already_in_transfer"

    def __init__(self, transfer: Any):
        super().__init__("this call is already in a transfer")
        self.transfer = transfer


class IdempotencyMismatch(TransferHubError):
    code = "idempotency_mismatch"


class NoSwitchConnected(TransferHubError):
    code = "no_switch_connected"


class AtTheLimit(TransferHubError):
    """The text names what there is too much of."""

    code = "at_the_limit"


class Refused(TransferHubError):
    code = "refused"
