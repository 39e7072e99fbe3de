"""What is refused before it disturbs what runs. Counted when a request comes in; two at the same instant may both get
the last place, so a limit can be passed by as many as there are web processes, and by no more for long."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from calls import errors
from calls.models import AudioSession, Switch, Transfer, WebProcess
from calls.transfer.states import State

ALIVE_SECONDS = 5  # since its last heartbeat, as calls.services.audio has it


def check_room(switch: Switch) -> None:
    """Raises AtTheLimit when one more transfer on this switch would be too many for a part of the installation.

    Trials take no caller's place; they have a limit of their own (calls.services.trials).
    """
    under_way = Transfer.objects.filter(is_trial=False).exclude(state=State.ENDED.value)
    if under_way.count() >= settings.MAX_TRANSFERS:
        raise errors.AtTheLimit("transfers")
    if under_way.filter(switch=switch).count() >= settings.MAX_TRANSFERS_PER_SWITCH:
        raise errors.AtTheLimit("transfers of this switch")
    sessions = AudioSession.objects.filter(transfer__is_trial=False).exclude(state=AudioSession.State.CLOSED)
    if sessions.filter(leg=AudioSession.Leg.AGENT).count() >= settings.MAX_REALTIME_SESSIONS:
        raise errors.AtTheLimit("Realtime sessions")
    alive = timezone.now() - timedelta(seconds=ALIVE_SECONDS)
    processes = WebProcess.objects.filter(heartbeat_at__gt=alive).count()
    if processes and sessions.count() >= processes * settings.MAX_AUDIO_SESSIONS:
        raise errors.AtTheLimit("audio sessions")
