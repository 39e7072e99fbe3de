"""What comes in and what goes out. Everything that comes in is bounded here, before anything else sees it."""

import json
import re
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from ninja import Schema
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, ValidationInfo

from calls import validators, webhooks
from calls.transfer.states import AttemptOutcome, Decision, Outcome, Source, State

METADATA_BYTES = 4096
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")  # all but tab and newline
_NUMBER = re.compile(r"[0-9+*#]{1,32}\Z")


def _text(value: str) -> str:
    """Free text without control characters (PostgreSQL stores no NUL), ends trimmed."""
    return _CONTROL.sub("", value.replace("\r\n", "\n")).strip()


def _line(value: str) -> str:
    return " ".join(_text(value).split())


def _number(value: str) -> str:
    """ "+55 (11) 98765-4321" and "sip:1199@pbx" become their digits; "anonymous" and the like become ""."""
    user = value.strip().removeprefix("sip:").removeprefix("tel:").partition("@")[0]
    if re.search(r"[^\W\d_]", user):
        return ""
    number = re.sub(r"[^0-9+*#]", "", user)
    if number and not _NUMBER.match(number):
        raise ValueError("Use at most 32 of the signs 0-9 + * #")
    return number


def _matching(pattern: re.Pattern[str], explanation: str) -> AfterValidator:
    def check(value: str) -> str:
        if value and not pattern.match(value):
            raise ValueError(explanation)
        return value

    return AfterValidator(check)


def _callback(value: str) -> str:
    if value:
        webhooks.check_url(value)
    return value


def _metadata(value: dict[str, Any]) -> dict[str, Any]:
    try:
        size = len(json.dumps(value, ensure_ascii=False, allow_nan=False).encode())
    except (ValueError, RecursionError) as error:  # NaN, half a surrogate pair
        raise ValueError("Not valid JSON") from error
    if size > METADATA_BYTES:
        raise ValueError(f"At most {METADATA_BYTES} bytes of JSON")
    if "\\u0000" in json.dumps(value):
        raise ValueError("No NUL characters")
    return value


def _whom_to_ring(department: str, others: ValidationInfo) -> str:
    if not department and others.data.get("destination") == "":
        raise ValueError("Name a department or a destination.")
    return department


def _none_is_empty(value: Any) -> Any:
    return "" if value is None else value


Empty = BeforeValidator(_none_is_empty)  # null is as good as absent
CallUuid = Annotated[
    str,
    Field(min_length=1, description="The caller's channel (or SIP Call-ID): 1 to 128 letters, digits or @ . _ -"),
    _matching(validators.CALL_UUID, "Use 1 to 128 letters, digits or the signs @ . _ -"),
]


class Strict(Schema):
    model_config = ConfigDict(extra="forbid")


class CallerIn(Strict):
    number: Annotated[str, Field(max_length=128), Empty, AfterValidator(_number)] = ""
    name: Annotated[str, Field(max_length=80), Empty, AfterValidator(_line)] = ""


class TransferIn(Strict):
    """A caller asks for a person. Name the department, or an extension (`destination`), or both: then the extension is
    rung, with the department's limits and texts."""

    call_uuid: CallUuid
    destination: Annotated[
        str, Empty, _matching(validators.EXTENSION, "Use 1 to 32 letters, digits or the signs _ . + * # -")
    ] = ""
    department: Annotated[
        str, Field(max_length=50, validate_default=True), Empty, AfterValidator(_line), AfterValidator(_whom_to_ring)
    ] = ""
    context: Annotated[str, Field(max_length=4000), Empty, AfterValidator(_text)] = ""
    summary: Annotated[str, Field(max_length=2000), Empty, AfterValidator(_text)] = ""
    caller: CallerIn = CallerIn()
    callback_url: Annotated[str, Field(max_length=500), Empty, AfterValidator(_callback)] = ""
    metadata: Annotated[dict[str, Any], AfterValidator(_metadata)] = {}
    switch: Annotated[str, Field(max_length=50), Empty, AfterValidator(_line)] = ""
    start_after_ms: Annotated[int, Field(ge=0, le=10_000, description="Let the secretary finish her sentence.")] = 0


class AttemptOut(Schema):
    number: int
    extensions: list[str] = Field(description="that were rung")
    outcome: AttemptOutcome | None
    cause: str | None = Field(description="FreeSWITCH's hangup cause")
    reason: str | None = Field(description="the agent's words")
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None


class TicketOut(Schema):
    protocol: str
    omniplay_id: str | None


class TimingsOut(Schema):
    """Times of the stages that were reached, and seconds between them; of several agents the last one's."""

    requested_at: datetime
    parked_at: datetime | None
    answered_at: datetime | None
    announced_at: datetime | None = Field(description="the agent heard the first words")
    decided_at: datetime | None
    connected_at: datetime | None
    ended_at: datetime | None
    seconds_to_human: float | None = Field(description="from the request to the talk")
    seconds_to_first_words: float | None = Field(description="from the agent's answer to the first words")
    seconds_to_put_through: float | None = Field(description="from the decision to the talk")
    seconds_total: float | None = Field(description="from the request to the end")


class TransferOut(Schema):
    id: UUID
    state: State
    version: int = Field(description="grows with every change; the higher one is the newer one")
    final: bool = Field(description="the result stands: `outcome` is set")
    success: bool = Field(description="an agent accepted")
    decision: Decision | None = Field(description="null where nobody decided; a timeout is not a rejection")
    outcome: Outcome | None
    decided_by: Source | None
    reason: str | None = Field(description="the agent's words when he declined")
    department: str
    destination: str | None
    attempts: list[AttemptOut]
    caller_uuid: str
    agent_uuid: str | None
    conference: str
    switch: str
    ticket: TicketOut | None
    error: str | None
    metadata: dict[str, Any]
    timings: TimingsOut


class TransfersOut(Schema):
    items: list[TransferOut]
    next: str | None = Field(description="send it as `cursor` for the following page")


class EventOut(Schema):
    at: datetime
    event: str
    source: str | None
    from_state: str
    to_state: str
    verdict: str
    by: str | None
    detail: dict[str, Any]


class EventsOut(Schema):
    items: list[EventOut]


class DepartmentOut(Schema):
    name: str
    slug: str = Field(description="what POST /transfers takes as `department`")
    words: list[str] = Field(description="what callers say when they mean it")
    open: bool
    agents: int = Field(description="agents who take calls")
    agents_free: int = Field(description="of these, in no transfer now")


class DepartmentsOut(Schema):
    items: list[DepartmentOut]


class ErrorBody(Schema):
    code: str
    message: str
    fields: dict[str, str] | None = None
    transfer: UUID | None = None


class ErrorOut(Schema):
    error: ErrorBody
