"""The outbox of a switch and the lease that says which process may empty it."""

from datetime import timedelta

from asgiref.sync import sync_to_async
from django.db.models import F, Q
from django.utils import timezone

from calls.models import Switch, SwitchCommand

LEASE_SECONDS = 15


def claim_commands(switch_id: int, fence: int, limit: int = 20) -> list[SwitchCommand]:
    """The oldest waiting commands, each given out once: a conditional UPDATE decides who of two processes gets it."""
    waiting = SwitchCommand.objects.filter(switch_id=switch_id, state=SwitchCommand.State.WAITING)
    claimed = []
    for command in waiting.order_by("id")[:limit]:
        mine = SwitchCommand.objects.filter(
            pk=command.pk, state=SwitchCommand.State.WAITING, switch__fence=fence
        ).update(state=SwitchCommand.State.CLAIMED, fence=fence, claimed_at=timezone.now())
        if mine:
            claimed.append(command)
    return claimed


def finish_command(command_id: int, ok: bool, result: str) -> None:
    """What FreeSWITCH said (first line)."""
    state = SwitchCommand.State.DONE if ok else SwitchCommand.State.FAILED
    SwitchCommand.objects.filter(pk=command_id).update(state=state, result=result[:200], done_at=timezone.now())


def give_back_command(command_id: int) -> None:
    """The process that claimed it knows that nothing of it was sent: it waits again."""
    claimed = SwitchCommand.objects.filter(pk=command_id, state=SwitchCommand.State.CLAIMED)
    claimed.update(state=SwitchCommand.State.WAITING, claimed_at=None)


def renew_lease(switch: Switch, holder: str) -> int | None:
    """The fence under which `holder` may act for 15 s from now, or None while another process holds the lease."""
    now = timezone.now()
    until = now + timedelta(seconds=LEASE_SECONDS)
    mine = Switch.objects.filter(pk=switch.pk, lease_holder=holder, lease_until__gt=now)
    if mine.update(lease_until=until):
        return Switch.objects.values_list("fence", flat=True).get(pk=switch.pk)
    free = Switch.objects.filter(Q(lease_until=None) | Q(lease_until__lte=now), pk=switch.pk)
    if free.update(lease_holder=holder, lease_until=until, fence=F("fence") + 1):
        return Switch.objects.values_list("fence", flat=True).get(pk=switch.pk)
    return None


def release_lease(switch: Switch, holder: str) -> None:
    Switch.objects.filter(pk=switch.pk, lease_holder=holder).update(lease_holder="", lease_until=None, connected=False)


def set_connected(switch_id: int, connected: bool, core_uuid: str = "") -> None:
    values = {"connected": connected}
    if connected:
        values |= {"connected_at": timezone.now(), "core_uuid": core_uuid}
    Switch.objects.filter(pk=switch_id).update(**values)


aclaim_commands = sync_to_async(claim_commands)
agive_back_command = sync_to_async(give_back_command)
afinish_command = sync_to_async(finish_command)
arenew_lease = sync_to_async(renew_lease)
