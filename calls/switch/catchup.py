"""Asking the switch what it shows, and bringing our transfers in line with it, at the beginning of a connection."""

from collections.abc import Iterable
from dataclasses import replace

import structlog
from asgiref.sync import sync_to_async

from calls import services
from calls.models import Switch, SwitchCommand
from calls.switch import resync, wording
from calls.switch.connection import Connection
from calls.switch.index import Index
from calls.switch.operator import Operator
from calls.switch.resync import Known, Seen
from calls.switch.safe import WordingError
from calls.switch.sweep import leftovers
from calls.transfer.states import State

log = structlog.get_logger(__name__)


async def look(connection: Connection, open_ones: Iterable[Known], index: Index) -> Seen:
    """What the switch shows of these transfers, and of those the index remembers. Raises SwitchGone."""
    channels = await connection.api("show channels as json")
    conferences = await connection.api("conference json_list")
    known = list(open_ones)
    wanted = {one.attempt for one in known if one.attempt}
    marks: dict[str, str] = {}
    strays: set[str] = set()
    for row in resync.rows(channels) if index.transfers else ():
        mark = await _variable(connection, row["uuid"], "transferhub_attempt")
        if mark in wanted:
            marks[row["uuid"]] = mark
        elif index.by_mark(mark) is not None:
            strays.add(row["uuid"])
    way_home, talked = set(), set()
    for one in known:
        if one.state in (State.PARKING, State.CONNECTING):
            variables = {name: await _variable(connection, one.caller, name) for name in resync.CARRIED}
            home, through = resync.carried(one, variables)
            way_home |= {one.short_id} if home else set()
            talked |= {one.short_id} if through else set()
    shown = replace(
        resync.seen(channels, conferences, marks),
        way_home=frozenset(way_home), talked=frozenset(talked), strays=frozenset(strays),
    )  # fmt: skip
    return await _checked(connection, shown, known)


async def _checked(connection: Connection, seen: Seen, known: Iterable[Known]) -> Seen:
    """`show channels` is a table that lags a little behind: who is missing in it is asked for by name."""
    found = set(seen.channels)
    for uuid in {leg for one in known for leg in (one.caller, one.agent) if leg} - found:
        try:
            if await connection.api(wording.exists(uuid).text) == "true":
                found.add(uuid)
        except WordingError:
            continue
    return replace(seen, channels=frozenset(found))


async def _variable(connection: Connection, uuid: str, name: str) -> str:
    try:
        reply = await connection.api(wording.variable(uuid, name).text)
    except WordingError:
        return ""
    return "" if reply.startswith("-ERR") or reply == "_undef_" else reply


async def catch_up(switch: Switch, operator: Operator, open_ones: list[Known]) -> None:
    """Tell the machine what it missed, then settle the commands whose answer was lost."""
    seen = await look(operator.connection, open_ones, operator.index)
    missed = 0
    for known in open_ones:
        resync.place(operator.index, known, seen)
        for event in resync.reconcile(known, seen):
            missed += 1
            await operator.step(known.id, event)
    left = leftovers(operator.index, seen)
    for line in left:
        await operator.connection.api(line.text)
    unsettled = await sync_to_async(_claimed)(switch)
    for row in unsettled:
        if row.kind in ("Dial", "DialSupervisor"):
            await _settle_dial(row, seen)
        else:
            operator.order(row)
    await services.asupervisors_lost(switch.pk, seen.channels)
    log.info("resync", switch=switch.slug, open=len(open_ones), missed=missed, left=len(left), unsettled=len(unsettled))


async def _settle_dial(row: SwitchCommand, seen: Seen) -> None:
    """Never sent again: a second originate would ring a person twice. reconcile() has told the machine already."""
    found = row.arguments.get("attempt") in seen.marks.values()
    await services.afinish_command(row.pk, found, "found after a reconnect" if found else "LOST")


def _claimed(switch: Switch) -> list[SwitchCommand]:
    """Commands that were claimed and never finished. Why each other kind may be sent again:

    Park            only if the caller is still where he was (else the state has moved on and it is out of date)
    ArmNet          a second timer in the same group; both go with the group
    CancelDial, LetGo, SendHome, HoldCaller   the second finds nobody, or changes nothing
    StartStream     stopped and started; the token was used, so the announcer is prepared anew (AnnouncerLost)
    PutThrough      the same hook, the same unmute
    """
    return list(SwitchCommand.objects.filter(switch=switch, state=SwitchCommand.State.CLAIMED).order_by("id"))
