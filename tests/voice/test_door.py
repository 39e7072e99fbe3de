"""The real door: the audio path's calls on the real database, from an event loop."""

from functools import partial

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.utils import timezone

from calls import threads
from calls.models import AudioSession, Utterance
from calls.transfer.states import State
from calls.voice import door
from tests.factories import make_transfer

pytestmark = pytest.mark.django_db(transaction=True)


@sync_to_async
def session(reached=State.ANNOUNCING, leg="agent", **fields):
    transfer = make_transfer(reached)
    attempt = transfer.attempts.last()
    attempt.ended_at = fields.pop("ended_at", None)
    attempt.save()
    values = {"attempt": attempt if leg == "agent" else None, "created_at": timezone.now(), **fields}
    return AudioSession.objects.create(transfer=transfer, leg=leg, **values)


async def test_a_session_is_claimed_announced_connected_once_and_closed():
    offered = await session()
    await door.heartbeat("host:1:abc", "ws://127.0.0.1:1", 0)
    (claimed,) = await door.claim_audio("host:1:abc")
    assert claimed.session_id == offered.pk and await door.claim_audio("host:1:abc") == []
    assert (await door.audio_connected("host:1:abc", claimed.token)).session_id == offered.pk
    assert await door.audio_connected("host:1:abc", claimed.token) is None
    await door.add_utterance(offered.pk, "agent", "Sim.")
    await door.close_audio(offered.pk, {"total_tokens": 3})
    assert await Utterance.objects.acount() == 1
    await offered.arefresh_from_db()
    assert (offered.state, offered.usage) == ("closed", {"total_tokens": 3})


@pytest.mark.skipif(threads.ON_SQLITE, reason="a database in a file does not end connections")
async def test_a_connection_is_kept_and_one_that_the_database_ended_meanwhile_is_replaced(monkeypatch):
    def ours() -> int:
        return connection.cursor().execute("SELECT pg_backend_pid()").fetchone()[0]

    in_one_thread = partial(threads.in_a_thread, threads=threads.pool("one", 1))
    first = await in_one_thread(ours)()
    assert await in_one_thread(ours)() == first
    await sync_to_async(lambda: connection.cursor().execute("SELECT pg_terminate_backend(%s)", [first]))()
    monkeypatch.setattr(threads, "IDLE_SECONDS", -1)  # "meanwhile" is long enough
    assert await in_one_thread(ours)() != first


async def test_a_session_is_needed_while_its_leg_can_still_be_spoken_to():
    live = {"state": AudioSession.State.LIVE}
    needed = [
        await session(State.DIALLING, **live),
        await session(State.ANNOUNCING, **live),
        await session(State.INFORMING, "caller", **live),
    ]
    useless = [
        await session(State.CONNECTED, **live),
        await session(State.ENDED, **live),
        await session(State.ANNOUNCING, ended_at=timezone.now(), **live),  # of an attempt before this one
        await session(State.RETURNING, "caller", **live),
        await session(State.ANNOUNCING, state=AudioSession.State.CLOSED),
    ]
    everything = {each.pk for each in [*needed, *useless]}
    assert await door.no_longer_needed(everything) == {each.pk for each in useless}
