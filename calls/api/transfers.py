"""/transfers: asking for a person, waiting for the result, taking the caller back."""

import base64
import binascii
import re
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db import connection
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from ninja import Header, Query, Router, Status
from pydantic import AwareDatetime, BeforeValidator, Field

from calls import drain, errors, selectors, services
from calls.api import waiting
from calls.api.errors import ALWAYS, ApiError
from calls.api.schemas import ErrorOut, EventsOut, TransferIn, TransferOut, TransfersOut
from calls.models import ApiClient, Transfer
from calls.transfer import events
from calls.transfer.states import Outcome, Source, State, Verdict

LONGEST_WAIT_SECONDS = 25  # below the usual 30 s of proxies and HTTP clients
MAX_EVENTS = 1000
DATE = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]")

router = Router(tags=["transfers"])


def _written(value: Any) -> Any:
    if isinstance(value, str) and not DATE.match(value):
        raise ValueError("Write it as 2026-11-24T14:00:00-03:00.")
    return value


# Pydantic takes a bare number for seconds since 1970; we document instants.
Instant = Annotated[AwareDatetime, BeforeValidator(_written)]
IdempotencyKey = Annotated[str, Header(alias="Idempotency-Key", max_length=200, pattern=r"^[\x21-\x7e]*$")]


@router.post(
    "",
    response={200: TransferOut, 202: TransferOut, (400, *ALWAYS, 404, 409, 413, 422): ErrorOut},
    summary="Transfer a caller to a person",
)
async def create(request: HttpRequest, response: HttpResponse, body: TransferIn, idempotency_key: IdempotencyKey = ""):
    """202 and the transfer, which then goes its way by itself; 200 and the same transfer when the `Idempotency-Key` was
    sent before with the same body. Ask for the result with `GET /transfers/{id}?wait=25`."""
    status, document = await sync_to_async(_create)(request.auth, body, idempotency_key)
    response["Location"] = f"{request.path.rstrip('/')}/{document['id']}"
    return Status(status, document)


@router.get("", response={200: TransfersOut, (*ALWAYS, 422): ErrorOut}, summary="List transfers, the newest first")
async def index(
    request: HttpRequest,
    state: State | None = None,
    outcome: Outcome | None = None,
    department: str = "",
    call_uuid: str = "",
    since: Instant | None = None,
    until: Instant | None = None,
    cursor: str = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
):
    """`since` (inclusive) and `until` (exclusive) are instants with a zone, of the request. `next` of the answer, sent
    as `cursor`, gives the following page."""
    chosen = selectors.transfers().order_by("-requested_at", "-id")
    wanted: dict[str, Any] = {
        "state": state,
        "outcome": outcome,
        "department__slug": department,
        "caller_uuid": call_uuid,
        "requested_at__gte": since,
        "requested_at__lt": until,
    }
    chosen = chosen.filter(**{name: value for name, value in wanted.items() if value})
    if cursor:
        at, last = _read_cursor(cursor)
        chosen = chosen.filter(Q(requested_at__lt=at) | Q(requested_at=at, id__lt=last))
    found = [transfer async for transfer in chosen[: limit + 1]]
    page = found[:limit]
    return {
        "items": [selectors.transfer_document(transfer) for transfer in page],
        "next": _cursor(page[-1]) if len(found) > limit else None,
    }


@router.get(
    "/{uuid:transfer_id}",
    response={200: TransferOut, (*ALWAYS, 404, 422): ErrorOut},
    summary="A transfer; with `wait`, as soon as its result is known",
)
async def show(
    request: HttpRequest, transfer_id: UUID, wait: Annotated[float, Field(ge=0, le=LONGEST_WAIT_SECONDS)] = 0
):
    """Answers when `final` is true, or after `wait` seconds (at most 25) with whatever is known then: ask again."""
    look = sync_to_async(lambda: _look(transfer_id))
    return await waiting.until(look, lambda document: document["final"], transfer_id, wait)


@router.delete(
    "/{uuid:transfer_id}",
    response={202: TransferOut, (*ALWAYS, 404, 409): ErrorOut},
    summary="Take the caller back",
)
async def cancel(request: HttpRequest, transfer_id: UUID):
    """202: the caller is on the way to where the department sends callers who return. 409: it is too late, and why."""
    return Status(202, await sync_to_async(_cancel)(request.auth, transfer_id))


@router.get(
    "/{uuid:transfer_id}/events",
    response={200: EventsOut, (*ALWAYS, 404): ErrorOut},
    summary="What happened, in order",
)
async def log(request: HttpRequest, transfer_id: UUID):
    """Every event of this transfer and what was made of it. Holds no speech and no telephone number."""
    return {"items": await sync_to_async(_events)(transfer_id)}


def _create(client: ApiClient, body: TransferIn, idempotency_key: str) -> tuple[int, dict[str, Any]]:
    if drain.begun():
        raise ApiError(503, "stopping", "This process is being stopped. Try again.", retry_after=1)
    fields = body.dict(exclude={"caller"})
    new = services.NewTransfer(
        **fields, caller_number=body.caller.number, caller_name=body.caller.name, idempotency_key=idempotency_key
    )
    try:
        transfer, created = services.create_transfer(new, client=client)
    except errors.UnknownDepartment as error:
        raise ApiError(404, error.code, "There is no such department. GET /departments lists them.") from error
    except errors.UnknownSwitch as error:
        raise ApiError(422, "invalid", "Some fields are not valid.", fields={"switch": "No such switch"}) from error
    except errors.Invalid as error:
        raise ApiError(422, "invalid", "Some fields are not valid.", fields=error.fields) from error
    except errors.IdempotencyMismatch as error:
        raise ApiError(422, error.code, "This Idempotency-Key was used before with a different body.") from error
    except errors.AlreadyInTransfer as error:
        text = "This call is already in a transfer."
        raise ApiError(409, error.code, text, transfer=str(error.transfer.id)) from error
    except errors.NoSwitchConnected as error:
        raise ApiError(503, error.code, "No telephone switch is connected. Try again.") from error
    except errors.AtTheLimit as error:
        raise ApiError(503, error.code, f"Too many {error} are under way. Try again.") from error
    return (202 if created else 200), _document(transfer.id)


def _cancel(client: ApiClient, transfer_id: UUID) -> dict[str, Any]:
    with translation.override("en"):
        try:
            known = selectors.transfers().get(pk=transfer_id)
            applied = services.apply_event(known.pk, events.CancelRequested(Source.API, client.name), by=client.name)
        except Transfer.DoesNotExist:
            raise _unknown() from None
    if applied.verdict is Verdict.ILLEGAL:
        raise ApiError(409, errors.Refused.code, applied.reason)
    return _document(transfer_id)


def _document(transfer_id: UUID) -> dict[str, Any]:
    try:
        return selectors.transfer_document(selectors.transfers().get(pk=transfer_id))
    except Transfer.DoesNotExist:
        raise _unknown() from None


def _look(transfer_id: UUID) -> dict[str, Any]:
    """The document, and the database connection given back: it would be idle until the next look, and so would
    those of all who wait."""
    document = _document(transfer_id)
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()
    return document


def _events(transfer_id: UUID) -> list[dict[str, Any]]:
    transfer = selectors.transfers().filter(pk=transfer_id).first()
    if transfer is None:
        raise _unknown()
    return [
        {
            "at": event.at,
            "event": event.event,
            "source": event.source or None,
            "from_state": event.from_state,
            "to_state": event.to_state,
            "verdict": event.verdict,
            "by": event.by or None,
            "detail": event.detail,
        }
        for event in transfer.events.order_by("id")[:MAX_EVENTS]
    ]


def _unknown() -> ApiError:
    return ApiError(404, "unknown_transfer", "There is no transfer of this id.")


def _cursor(transfer: Transfer) -> str:
    return base64.urlsafe_b64encode(f"{transfer.requested_at.isoformat()}|{transfer.id}".encode()).decode()


def _read_cursor(cursor: str) -> tuple[datetime, UUID]:
    try:
        at, _, last = base64.urlsafe_b64decode(cursor).decode().partition("|")
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise ValueError("naive")
        return moment, UUID(last)
    except (ValueError, binascii.Error) as error:
        fields = {"cursor": "Send `next` of the page before"}
        raise ApiError(422, "invalid", "Some fields are not valid.", fields=fields) from error
