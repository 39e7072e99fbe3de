"""calls.services for the audio path: each call in a thread, on a database connection that is looked after.

`database_sync_to_async` closes connections that broke (a restarted PostgreSQL); without it a thread would keep a dead
one for ever, because nothing here runs inside a request. The threads are our own: in Django's one thread for
synchronous code an agent's socket would wait behind everybody else's events, and FreeSWITCH waits one second for it.
"""

from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from channels.db import database_sync_to_async
from django.db.models import Q

from calls import services
from calls.models import AudioSession
from calls.transfer.states import State

THREADS = 4
_pool = ThreadPoolExecutor(THREADS, thread_name_prefix="audio-door")


def _in_a_thread(function: Callable[..., Any]) -> Any:
    return database_sync_to_async(function, thread_sensitive=False, executor=_pool)


apply_event = _in_a_thread(services.apply_event)
add_utterance = _in_a_thread(services.add_utterance)
announce_ready = _in_a_thread(services.announce_ready)
audio_connected = _in_a_thread(services.audio_connected)
open_listening = _in_a_thread(services.open_listening)
may_listen_on = _in_a_thread(services.may_listen_on)
close_listening = _in_a_thread(services.close_listening)
told_words = _in_a_thread(services.told_words)
claim_audio = _in_a_thread(services.claim_audio)
close_audio = _in_a_thread(services.close_audio)
heartbeat = _in_a_thread(services.heartbeat)
leave = _in_a_thread(services.leave)
reopen_dead_audio = _in_a_thread(services.reopen_dead_audio)


@_in_a_thread
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
