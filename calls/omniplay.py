"""OmniPlay, the ticket system: one call, `POST {OMNIPLAY_URL}/tickets`. Used by the worker only, for it may be slow."""

import re
from datetime import UTC

import httpx
from django.conf import settings

from calls.models import Ticket

TIMEOUT_SECONDS = 10
NUMBER = re.compile(r"[0-9A-Za-z._-]{1,64}\Z")  # it is spoken to the caller and set as a channel variable
TRY_AGAIN = {408, 425, 429}  # the only answers of the 4xx family that another try can change


class OmniPlayFailed(Exception):
    """The ticket was not taken. `final`: trying again is of no use; the text is the reason, for the administrator."""

    def __init__(self, reason: str, *, final: bool = False):
        super().__init__(reason)
        self.final = final


def body_of(ticket: Ticket) -> dict[str, str]:
    """What OmniPlay is sent. `context` is for people: department, context and summary, one a line."""
    transfer = ticket.transfer
    reason = f"{transfer.outcome}: {transfer.reason}" if transfer.reason else transfer.outcome
    lines = (transfer.department.name, transfer.context, transfer.summary)
    return {
        "caller_id": transfer.caller_number,
        "context": "\n".join(line for line in lines if line),
        "reason": reason,
        "uuid": transfer.caller_uuid,
        "timestamp": ticket.created_at.astimezone(UTC).isoformat(timespec="seconds"),
        "protocol": ticket.protocol,
    }


def send(ticket: Ticket) -> str:
    """Open the ticket there and return the number it got. Raises OmniPlayFailed.

    A repeated protocol must give the same number again: an answer that was lost is asked for once more.
    """
    headers = {"Idempotency-Key": ticket.protocol}
    if settings.OMNIPLAY_TOKEN:
        headers["Authorization"] = f"Bearer {settings.OMNIPLAY_TOKEN}"
    url = f"{settings.OMNIPLAY_URL}/tickets"
    try:
        with httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False) as client:
            response = client.post(url, json=body_of(ticket), headers=headers)
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise OmniPlayFailed("OMNIPLAY_URL is not an http address", final=True) from error
    except httpx.HTTPError as error:
        raise OmniPlayFailed(type(error).__name__) from error
    status = response.status_code
    if not response.is_success:
        raise OmniPlayFailed(f"HTTP {status}", final=400 <= status < 500 and status not in TRY_AGAIN)
    return _number_in(response)


def _number_in(response: httpx.Response) -> str:
    try:
        number = response.json()["id"]
    except (ValueError, KeyError, TypeError) as error:
        raise OmniPlayFailed(f"HTTP {response.status_code} without an id") from error
    if isinstance(number, bool) or not isinstance(number, str | int) or not NUMBER.match(str(number)):
        raise OmniPlayFailed("the id is not 1 to 64 letters, digits or . _ -")
    return str(number)
