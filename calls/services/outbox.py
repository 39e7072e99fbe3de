"""The outbox of a switch and the lease that says which process may empty it."""

import json
from datetime import datetime, timedelta

from django.db.models import F, Q
from django.utils import timezone

from calls.models import Switch, SwitchCommand, Transfer
from calls.threads import ON_SQLITE, in_a_thread, pool

LEASE_SECONDS = 15


_CLAIM = """
UPDATE calls_switchcommand SET state = %s, fence = %s, claimed_at = %s
WHERE id IN (SELECT id FROM calls_switchcommand WHERE switch_id = %s AND state = %s ORDER BY id LIMIT %s) AND state = %s
AND EXISTS (SELECT 1 FROM calls_switch WHERE id = %s AND fence = %s)
RETURNING id, transfer_id, kind, arguments, claimed_at,
    (SELECT state FROM calls_transfer WHERE id = transfer_id) AS transfer_state,
    (SELECT memory FROM calls_transfer WHERE id = transfer_id) AS transfer_memory,
    (SELECT caller_uuid FROM calls_transfer WHERE id = transfer_id) AS transfer_caller,
    (SELECT conference FROM calls_transfer WHERE id = transfer_id) AS transfer_conference
"""
"""In one statement and by hand: somebody waits for it, and of a claim's time most went into making its SQL."""


def claim_commands(switch_id: int, fence: int, limit: int = 20) -> list[SwitchCommand]:
    """The oldest waiting commands, each given out once, with what is needed of their transfers to carry them out.

    Empty for a process with an old fence.
    """
    waiting, claimed = SwitchCommand.State.WAITING.value, SwitchCommand.State.CLAIMED.value
    if ON_SQLITE and not SwitchCommand.objects.filter(switch_id=switch_id, state=waiting).exists():
        return []  # there an UPDATE that finds nothing holds up every other writer
    values = [claimed, fence, timezone.now(), switch_id, waiting, limit, waiting, switch_id, fence]
    rows = sorted(SwitchCommand.objects.raw(_CLAIM, values), key=lambda row: row.pk)
    for row in rows:
        row.transfer = Transfer(
            id=row.transfer_id,
            state=row.transfer_state,
            memory=json.loads(row.transfer_memory),
            caller_uuid=row.transfer_caller,
            conference=row.transfer_conference,
        )
    return rows


def finish_command(command_id: int, ok: bool, result: str) -> None:
    """What FreeSWITCH said (first line)."""
    state = SwitchCommand.State.DONE if ok else SwitchCommand.State.FAILED
    SwitchCommand.objects.filter(pk=command_id).update(state=state, result=result[:200], done_at=timezone.now())


def give_back_command(command_id: int) -> None:
    """The process that claimed it knows that nothing of it was sent: it waits again."""
    claimed = SwitchCommand.objects.filter(pk=command_id, state=SwitchCommand.State.CLAIMED)
    claimed.update(state=SwitchCommand.State.WAITING, claimed_at=None)


def renew_lease(switch: Switch, holder: str, stale: datetime | None = None) -> int | None:
    """The fence under which `holder` may act for 15 s from now, or None while another process holds the lease.

    `stale`: an end of the lease that has stood unchanged for longer than a lease is long. Whoever set it is gone, also
    where the clock says otherwise, because it was put back meanwhile.
    """
    now = timezone.now()
    until = now + timedelta(seconds=LEASE_SECONDS)
    mine = Switch.everything.filter(pk=switch.pk, lease_holder=holder, lease_until__gt=now)
    if mine.update(lease_until=until):
        return Switch.everything.values_list("fence", flat=True).get(pk=switch.pk)
    over = Q(lease_until=None) | Q(lease_until__lte=now)
    free = Switch.everything.filter(over | Q(lease_until=stale) if stale else over, pk=switch.pk)
    if free.update(lease_holder=holder, lease_until=until, fence=F("fence") + 1):
        return Switch.everything.values_list("fence", flat=True).get(pk=switch.pk)
    return None


def end_of_lease(switch: Switch) -> datetime | None:
    return Switch.everything.values_list("lease_until", flat=True).get(pk=switch.pk)


def release_lease(switch: Switch, holder: str) -> None:
    Switch.everything.filter(pk=switch.pk, lease_holder=holder).update(
        lease_holder="", lease_until=None, connected=False
    )


def set_connected(switch_id: int, connected: bool, core_uuid: str = "") -> None:
    values = {"connected": connected}
    if connected:
        values |= {"connected_at": timezone.now(), "core_uuid": core_uuid}
    Switch.everything.filter(pk=switch_id).update(**values)


# Behind a burst of steps of other transfers, whoever has said yes would wait.
aclaim_commands = in_a_thread(claim_commands) if ON_SQLITE else in_a_thread(claim_commands, pool("claims", 1))
agive_back_command = in_a_thread(give_back_command)
afinish_command = in_a_thread(finish_command)

# In a thread of its own: behind a burst of slow steps a renewal would come too late.
_leases = pool("lease", 1)
arenew_lease = in_a_thread(renew_lease, _leases)
aend_of_lease = in_a_thread(end_of_lease, _leases)
