"""calls.services for the audio path: each call in a thread of its own, because an agent's socket must not wait behind
everybody else's events: FreeSWITCH waits one second for it.
"""

from collections.abc import Collection
from functools import partial

from django.db.models import Q

from calls import services, threads
from calls.models import AudioSession
from calls.transfer.states import State

_pool = threads.pool("audio-door", 4)
_in_a_thread = partial(threads.in_a_thread, threads=_pool)

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
def is_audio_unclaimed() -> bool:
    """Whether there are audio sessions that nobody has taken yet."""
    return AudioSession.objects.filter(state=AudioSession.State.OPEN).exists()


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
