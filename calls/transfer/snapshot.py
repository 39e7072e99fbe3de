"""What the machine knows of one transfer: a frozen value, stored as JSON in Transfer.memory.

`Policy` is the department's configuration as it was when the transfer was requested: a change in the admin acts on
the next transfer, never on one under way. All durations are seconds, all times are aware UTC datetimes.
"""

from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any

from calls.transfer.states import Decision, Outcome, Source, State


class Caller:
    """Where A is, as far as we know."""

    OUTSIDE = "outside"  # not ours yet: with the secretary
    INSIDE = "inside"  # in the conference
    HOME = "home"  # on his way home, or there
    GONE = "gone"  # hung up


class Announcer:
    """How far the announcer of the current attempt is."""

    NONE = "none"
    PREPARING = "preparing"
    READY = "ready"  # a web process waits for the stream
    STREAMING = "streaming"  # the stream was ordered


@dataclass(frozen=True, slots=True)
class Policy:
    """The limits that one transfer lives by."""

    ring_seconds: float = 25
    decision_seconds: float = 15
    total_seconds: float = 180
    announce_seconds: float = 60  # from the agent's joining to the latest decision
    ticket_wait_seconds: float = 2  # how long OmniPlay may take to give the number that is spoken
    max_attempts: int = 3
    profile: str = "default"
    domain: str = ""
    return_to: str = "ivr_return XML public"
    after_call_to: str = ""  # "": as return_to
    caller_hears_music: bool = False
    hold_music: str = ""
    allow_bridged: bool = False
    call_waiting: bool = False
    caller_number: str = ""  # shown on the agent's telephone
    ticket_on: tuple[str, ...] = ()
    tells_without_ticket: bool = True
    asks_omniplay: bool = False


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One transfer between two events."""

    short_id: str
    conference: str
    caller_uuid: str
    requested_at: datetime
    policy: Policy = field(default_factory=Policy)
    state: State = State.REQUESTED
    deadline: datetime | None = None
    deadline_kind: str = ""

    caller: str = Caller.OUTSIDE
    wait_until: datetime | None = None  # no new attempt after this
    nets: tuple[str, ...] = ()  # dead man's timers that stand on the switch

    attempts_made: int = 0
    attempt: str = ""  # mark of the current attempt, "" between attempts
    numbers: tuple[str, ...] = ()
    agent_uuid: str = ""
    agent_member: int = 0
    agent_held: bool = False
    agent_left: bool = False  # hung up while being put through
    decide_until: datetime | None = None  # the limit of the whole announcement
    announcement_over: bool = False

    announcer: str = Announcer.NONE
    announcer_url: str = ""
    announcer_losses: int = 0

    outcome: Outcome | None = None
    decision: Decision | None = None
    decided_by: Source | None = None
    reason: str = ""
    error: str = ""

    protocol: str = ""
    ticket_number: str = ""  # what is spoken: OmniPlay's id or our protocol
    prompt_url: str = ""
    prompt_ms: int = 0
    told: bool = False
    connect_orders: int = 0
    home_orders: int = 0


_ENUMS: dict[str, type] = {"state": State, "outcome": Outcome, "decision": Decision, "decided_by": Source}
_TIMES = {"requested_at", "deadline", "wait_until", "decide_until"}
_TUPLES = {"nets", "numbers"}


def to_json(snapshot: Snapshot) -> dict[str, Any]:
    """A JSON-ready dict; from_json() gives the same snapshot back."""
    data = asdict(snapshot)
    for name in _TIMES:
        data[name] = data[name].isoformat() if data[name] else None
    return data


def from_json(data: dict[str, Any]) -> Snapshot:
    """The snapshot of to_json(). Unknown keys (of a newer version that was rolled back) are ignored."""
    known = {f.name for f in fields(Snapshot)}
    values = {name: value for name, value in data.items() if name in known}
    for name in _TIMES & values.keys():
        values[name] = datetime.fromisoformat(values[name]) if values[name] else None
    for name, enum in _ENUMS.items():
        if values.get(name) is not None:
            values[name] = enum(values[name])
    for name in _TUPLES & values.keys():
        values[name] = tuple(values[name])
    policy_fields = {f.name for f in fields(Policy)}
    policy = {name: value for name, value in values.get("policy", {}).items() if name in policy_fields}
    policy["ticket_on"] = tuple(policy.get("ticket_on", ()))
    values["policy"] = Policy(**policy)
    return Snapshot(**values)
