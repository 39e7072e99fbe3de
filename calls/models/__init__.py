"""The database. Who may write what: transfers and everything below them only through `calls.services`."""

from calls.models.company import Department, Extension, Holiday, Membership, OpeningHours, Switch
from calls.models.exam import SwitchExam
from calls.models.integration import ApiClient, WebhookDelivery
from calls.models.live import AudioSession, SwitchCommand, WebProcess
from calls.models.people import DepartmentScope, SupervisorAction
from calls.models.privacy import Erasure
from calls.models.questions import SwitchQuestion
from calls.models.supervision import Supervision, SupervisorTelephone
from calls.models.transfer import Attempt, Ticket, Transfer, TransferEvent, Utterance
from calls.models.trial import Trial

__all__ = [
    "ApiClient",
    "Attempt",
    "AudioSession",
    "Department",
    "DepartmentScope",
    "Erasure",
    "Extension",
    "Holiday",
    "Membership",
    "OpeningHours",
    "SupervisorAction",
    "Supervision",
    "SupervisorTelephone",
    "Switch",
    "SwitchCommand",
    "SwitchExam",
    "SwitchQuestion",
    "Ticket",
    "Transfer",
    "TransferEvent",
    "Trial",
    "Utterance",
    "WebProcess",
    "WebhookDelivery",
]
