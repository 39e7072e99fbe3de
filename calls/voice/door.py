"""calls.services for the audio path: each call in a thread, on a database connection that is looked after.

`database_sync_to_async` closes connections that broke (a restarted PostgreSQL); without it the thread would keep a dead
one for ever, because nothing here runs inside a request.
"""

from collections.abc import Collection

from channels.db import database_sync_to_async
from django.db.models import Q

from calls import services
from calls.models import AudioSession
from calls.transfer.states import State

apply_event = database_sync_to_async(services.apply_event)
add_utterance = database_sync_to_async(services.add_utterance)
announce_ready = database_sync_to_async(services.announce_ready)
audio_connected = database_sync_to_async(services.audio_connected)
claim_audio = database_sync_to_async(services.claim_audio)
close_audio = database_sync_to_async(services.close_audio)
heartbeat = database_sync_to_async(services.heartbeat)
leave = database_sync_to_async(services.leave)
reopen_dead_audio = database_sync_to_async(services.reopen_dead_audio)


@database_sync_to_async
def no_longer_needed(session_ids: Collection[int]) -> set[int]:
    """Which of these audio sessions serve nobody any more: found by looking, should the note to close them be lost."""
    needed = Q(
        leg=AudioSession.Leg.AGENT,
        transfer__state__in=[State.DIALLING.value, State.ANNOUNCING.value],
        attempt__ended_at=None,
    ) | Q(leg=AudioSession.Leg.CALLER, transfer__state=State.INFORMING.value)
    open_states = [AudioSession.State.CLAIMED, AudioSession.State.LIVE]
    kept = AudioSession.objects.filter(needed, pk__in=session_ids, state__in=open_states)
    return set(session_ids) - set(kept.values_list("pk", flat=True))
