"""After a (re)connection: what became of our transfers while nobody listened. Reading and judging; sends nothing.

`load_index` rebuilds the index from the database, `Seen` is what the switch shows, and `reconcile` compares the two,
one transfer at a time: pure, so that every case is a test.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.utils import timezone

from calls.models import Switch, SwitchCommand, Transfer
from calls.switch.index import Index
from calls.switch.parsing import json_list, json_object
from calls.switch.safe import WordingError
from calls.switch.scripts import decode
from calls.transfer import events as e
from calls.transfer.states import State

CARRIED = ("transferhub_id", "transferhub_stop", "transferhub_outcome")  # by the caller's channel
NOT_SENT = "out of date"  # the result of a command that was not sent
STILL_OF_INTEREST = timedelta(minutes=5)  # an ended transfer whose agent's leg may still be up


@dataclass(frozen=True)
class Seen:
    """What the switch shows. `way_home` and `talked` are transfers (short ids), by what their caller's channel carries:
    his way home has run (transferhub_stop is set); he was put through (transferhub_outcome is "accepted"). `strays` are
    legs of attempts of ours that are over."""

    channels: frozenset[str]
    members: dict[str, dict[str, int]]  # conference -> uuid -> member id
    marks: dict[str, str] = field(default_factory=dict)  # uuid of an agent's leg -> transferhub_attempt
    way_home: frozenset[str] = frozenset()
    talked: frozenset[str] = frozenset()
    strays: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Known:
    """What the database says of one open transfer. `orders`: kind of command -> state of its latest row."""

    id: Any
    short_id: str
    state: State
    caller: str
    conference: str
    attempt: str = ""
    agent: str = ""
    orders: dict[str, str] = field(default_factory=dict)


def reconcile(known: Known, seen: Seen) -> list[e.Event]:
    """What the machine has missed, in order."""
    inside = seen.members.get(known.conference, {})
    if known.caller not in seen.channels:
        return [e.CallerLeft("LOST")]
    if known.state is State.REQUESTED:
        return []
    if known.caller not in inside:
        if known.state is State.PARKING:
            # Not yet ordered, or under way; his net and our deadline stand behind it.
            return [e.CallerWentHome()] if known.short_id in seen.way_home else []
        if known.state is State.CONNECTING and known.short_id in seen.talked:
            return [e.PutThroughDone(known.attempt), e.CallerWentHome()]
        return [e.CallerWentHome()]
    if known.state is State.PARKING:
        return [e.CallerParked(inside[known.caller])]
    if known.state is State.DIALLING and known.attempt:
        return _dialled(known, seen, inside)
    if known.state in (State.ANNOUNCING, State.CONNECTING, State.CONNECTED) and known.agent not in seen.channels:
        return [e.AgentLeft(known.attempt, known.agent, "LOST")]
    return []


def _dialled(known: Known, seen: Seen, inside: dict[str, int]) -> list[e.Event]:
    legs = [uuid for uuid, mark in seen.marks.items() if mark == known.attempt]
    for uuid in legs:
        if uuid in inside:
            return [e.AgentAnswered(known.attempt, uuid), e.AgentJoined(known.attempt, uuid, inside[uuid])]
    if legs or known.orders.get("Dial") == SwitchCommand.State.WAITING:
        return []  # it rings, or will
    return [e.DialFailed(known.attempt, "LOST")]


def place(index: Index, known: Known, seen: Seen) -> None:
    """Teach the index who is in the conference now, so that the events of their leaving are understood."""
    followed = index.transfers[known.id]
    inside = seen.members.get(known.conference, {})
    followed.member = inside.get(known.caller, 0)
    for uuid, mark in seen.marks.items():
        dialling = index.by_leg(uuid, mark)
        if dialling is not None and dialling.transfer is followed and uuid in inside:
            index.answered(dialling, uuid)
            dialling.member = inside[uuid]


def carried(known: Known, variables: Mapping[str, str]) -> tuple[bool, bool]:
    """Whether the caller's way home has run, and whether he was put through: in this transfer, not in a former one."""
    if variables.get("transferhub_id") != known.short_id:
        return False, False
    return bool(variables.get("transferhub_stop")), variables.get("transferhub_outcome") == "accepted"


def seen(channels: str, conferences: str, marks: dict[str, str]) -> Seen:
    """From the replies to `show channels as json` and `conference json_list`."""
    members = {
        str(room.get("conference_name")): {
            str(member.get("uuid")): int(member["id"])
            for member in _list(room.get("members"))
            if isinstance(member, dict) and isinstance(member.get("id"), int)
        }
        for room in json_list(conferences)
    }
    return Seen(frozenset(row["uuid"] for row in rows(channels)), members, marks)


def rows(channels: str) -> list[dict[str, str]]:
    """The channels of `show channels as json`."""
    listed = _list(json_object(channels).get("rows"))
    return [row for row in listed if isinstance(row, dict) and row.get("uuid") and isinstance(row["uuid"], str)]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def on_a_call(channels: str, number: str) -> set[str]:
    """The legs of this extension's telephone: those we (or others) called, and those it called with."""
    legs = set()
    for row in rows(channels):
        if row.get("state") in ("CS_HANGUP", "CS_REPORTING", "CS_DESTROY"):
            continue
        user = str(row.get("presence_id", "")).partition("@")[0]
        if number in (user, row.get("dest" if row.get("direction") == "outbound" else "cid_num")):
            legs.add(row["uuid"])
    return legs


# ---------------------------------------------------------------- the database's side
def load_index(switch: Switch) -> tuple[Index, list[Known]]:
    """The index of everything that may still have legs, and what is known of the open transfers."""
    index, known = Index(), []
    recent = Transfer.objects.filter(switch=switch, ended_at__gte=timezone.now() - STILL_OF_INTEREST)
    open_ones = Transfer.objects.filter(switch=switch).exclude(state=State.ENDED.value)
    both = (recent | open_ones).order_by("requested_at").prefetch_related("attempts", "commands")
    for transfer in both:
        one = replay(index, transfer)
        if one.state is not State.ENDED:
            known.append(one)
    return index, known


def replay(index: Index, transfer: Transfer) -> Known:
    """What is known of one transfer; the index learns the commands that were sent, in their order."""
    followed = index.follow(transfer.pk, transfer.short_id, transfer.caller_uuid, transfer.conference)
    followed.over_at = transfer.ended_at.timestamp() if transfer.ended_at else 0.0
    attempts = {attempt.mark: attempt for attempt in transfer.attempts.all()}
    orders: dict[str, str] = {}
    for row in transfer.commands.all():  # in the order of their writing
        orders[row.kind] = row.state
        if row.state == SwitchCommand.State.WAITING or row.result == NOT_SENT:
            continue
        try:
            command = decode(row.kind, row.arguments)
        except WordingError:
            continue
        index.learn(followed, command)
        mark = row.arguments.get("attempt", "")
        dialling = index.by_mark(mark) if row.kind == "Dial" else None
        if dialling is not None and mark in attempts and attempts[mark].agent_uuid:
            index.answered(dialling, attempts[mark].agent_uuid)
            dialling.member = attempts[mark].member_id or 0
            dialling.rang = True
    return Known(
        transfer.pk, transfer.short_id, State(transfer.state), transfer.caller_uuid, transfer.conference,
        transfer.memory.get("attempt", ""), transfer.memory.get("agent_uuid", ""), orders,
    )  # fmt: skip
