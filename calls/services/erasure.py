"""Erasing all that is known about one telephone number, for the person who asks for it (LGPD, article 18)."""

import json
import re
from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from calls.models import Ticket, Transfer, Utterance
from calls.models.privacy import Erasure
from calls.transfer.states import State

FEWEST_DIGITS = 4
_BETWEEN = re.compile(r"[\s().+\-/]")


class TransfersUnderWay(Exception):
    """The number is in `count` transfers that have not ended; nothing was erased."""

    def __init__(self, count: int):
        super().__init__(f"{count} transfers under way")
        self.count = count


@dataclass
class Erased:
    """`texts`: transcripts, and texts of other callers' transfers in which the number stood. `protocols` of tickets:
    what OmniPlay holds of them is OmniPlay's to erase."""

    transfers: int = 0
    texts: int = 0
    protocols: list[str] = field(default_factory=list)


def digits_of(number: str) -> str:
    """Raises ValueError for fewer than four digits: they would be found everywhere."""
    digits = re.sub(r"\D", "", number)
    if len(digits) < FEWEST_DIGITS:
        raise ValueError(f"at least {FEWEST_DIGITS} digits")
    return digits


def number_hash(number: str) -> str:
    return salted_hmac("transferhub.erasure", digits_of(number), algorithm="sha256").hexdigest()


@transaction.atomic
def erase_number(number: str, *, by: str) -> Erased:
    """Erase whatever names this number or was said in its transfers; how they ended stays, nameless, for the figures.

    Numbers are compared by their digits. May run again. Raises ValueError, TransfersUnderWay.
    """
    digits = digits_of(number)
    own = Transfer.objects.filter(caller_number__in=[digits, f"+{digits}"])
    if under_way := own.exclude(state=State.ENDED.value).count():
        raise TransfersUnderWay(under_way)
    erased = Erased()
    for transfer in own.select_for_update(of=("self",)):
        erased.transfers += 1
        erased.texts += _forget(transfer)
        erased.protocols += Ticket.objects.filter(transfer=transfer).values_list("protocol", flat=True)
    erased.texts += _forget_mentions(digits)
    Erasure.objects.create(
        at=timezone.now(),
        by=by[:150],
        number_hash=number_hash(digits),
        transfers=erased.transfers,
        texts=erased.texts,
    )
    return erased


def _forget(transfer: Transfer) -> int:
    """The number of utterances that went."""
    transfer.caller_number = transfer.caller_name = transfer.callback_url = ""
    transfer.request_hash = ""  # of a body with the number in it: short enough to be tried out
    _forget_texts(transfer)
    transfer.commands.all().delete()  # what was dialled, and with which caller's number
    return transfer.utterances.all().delete()[0]


def _forget_texts(transfer: Transfer) -> None:
    transfer.summary = transfer.context = transfer.reason = ""
    transfer.metadata = {}
    forget_in_memory(transfer)
    transfer.save()
    transfer.attempts.update(reason="")
    transfer.audio_sessions.update(brief={})
    transfer.webhooks.all().delete()
    Ticket.objects.filter(transfer=transfer).update(last_error="")


def forget_in_memory(transfer: Transfer) -> None:
    """What the machine's snapshot holds of the caller and of what was said."""
    transfer.memory["reason"] = ""
    if "policy" in transfer.memory:
        transfer.memory["policy"]["caller_number"] = ""


def _forget_mentions(digits: str) -> int:
    """Texts of other transfers in which the number stands, however it is punctuated."""
    found = 0
    for utterance in Utterance.objects.only("id", "text").iterator():
        if _mentions(utterance.text, digits):
            found += utterance.delete()[0]
    texts = Transfer.objects.filter(state=State.ENDED.value).exclude(summary="", context="", reason="", metadata={})
    for transfer in texts.iterator():
        whole = [transfer.summary, transfer.context, transfer.reason]
        if _mentions(" | ".join([*whole, json.dumps(transfer.metadata)]), digits):
            _forget_texts(transfer)
            found += 1
    return found


def _mentions(text: str, digits: str) -> bool:
    return digits in _BETWEEN.sub("", text)
