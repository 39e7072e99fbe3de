"""Audio sessions: offered by a step, claimed by a web process, opened once by FreeSWITCH with the token."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from calls import bus, dispatch
from calls.models import AudioSession, Utterance, WebProcess
from calls.services import trials
from calls.services.transfers import apply_event
from calls.transfer import events as e
from calls.transfer.states import State

DEAD_AFTER_SECONDS = 5  # without a heartbeat
KEPT_FOR_SECONDS = 0.9
"""A session is left for so long to the one process that has something prepared for it; the others look every second."""
TOKEN_SECONDS = 180
"""A token is good for so long: minted when the agent's telephone begins to ring, which it does for 120 s at most."""


@dataclass(frozen=True)
class ClaimedAudio:
    """An audio session that is ours now; its repr may be logged. `token` is shown here once; only its hash is kept."""

    session_id: int
    leg: str
    transfer_id: Any
    short_id: str
    switch_slug: str
    attempt_mark: str
    brief: dict[str, Any] = field(repr=False)
    token: str = field(repr=False)
    realtime: tuple[str, str] | None = field(default=None, repr=False)
    """Address and key of a trial's simulated Realtime API; None: the one that is set up."""


@dataclass(frozen=True)
class LiveAudio:
    """FreeSWITCH has come with the right token."""

    session_id: int
    leg: str
    transfer_id: Any
    agent_uuid: str
    caller_uuid: str


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def heartbeat(process_id: str, audio_base_url: str, sessions: int) -> None:
    now = timezone.now()
    WebProcess.objects.update_or_create(
        id=process_id,
        defaults={"heartbeat_at": now, "sessions": sessions, "audio_base_url": audio_base_url},
        create_defaults={
            "heartbeat_at": now, "sessions": sessions, "audio_base_url": audio_base_url, "started_at": now,
        },
    )  # fmt: skip


def leave(process_id: str) -> None:
    """A web process stops in an orderly way: what it held is offered to the others at once."""
    WebProcess.objects.filter(id=process_id).update(heartbeat_at=timezone.now() - timedelta(days=1))
    reopen_dead_audio()


def claim_audio(process_id: str, limit: int = 10, waited: float = 0.0) -> list[ClaimedAudio]:
    """Take sessions nobody has taken for `waited` seconds; a conditional UPDATE decides between processes."""
    claimed = []
    open_sessions = AudioSession.objects.filter(trials.audible(process_id), state=AudioSession.State.OPEN)
    # The process whose announcer of an attempt before nobody answered has a session for the next one.
    kept = AudioSession.objects.filter(
        transfer=OuterRef("transfer"), leg=AudioSession.Leg.AGENT, state=AudioSession.State.CLAIMED
    ).exclude(process_id=process_id)
    just_now = Q(created_at__gt=timezone.now() - timedelta(seconds=KEPT_FOR_SECONDS), leg=AudioSession.Leg.AGENT)
    open_sessions = open_sessions.exclude(just_now & Exists(kept))
    if waited:
        open_sessions = open_sessions.filter(created_at__lte=timezone.now() - timedelta(seconds=waited))
    for session in open_sessions.select_related("transfer__switch", "transfer__trial", "attempt").order_by("id")[
        :limit
    ]:
        token = secrets.token_urlsafe(24)
        mine = AudioSession.objects.filter(pk=session.pk, state=AudioSession.State.OPEN).update(
            state=AudioSession.State.CLAIMED, process_id=process_id, token_hash=_hash(token), claimed_at=timezone.now()
        )
        if mine:
            claimed.append(
                ClaimedAudio(
                    session.pk,
                    session.leg,
                    session.transfer_id,
                    session.transfer.short_id,
                    session.transfer.switch.slug,
                    session.attempt.mark if session.attempt else "",
                    session.brief,
                    token,
                    trials.realtime_of(session.transfer),
                )
            )
    return claimed


def announce_ready(session_id: int, url: str, length_ms: int = 0) -> None:
    """The process waits at `url`: for the agent's stream, or with the caller's prompt of `length_ms`."""
    session = AudioSession.objects.select_related("attempt").get(pk=session_id)
    if session.leg == AudioSession.Leg.AGENT:
        apply_event(session.transfer_id, e.AnnouncerReady(session.attempt.mark, url))
    else:
        apply_event(session.transfer_id, e.PromptReady(url, length_ms))


def audio_connected(process_id: str, token: str) -> LiveAudio | None:
    """The session of a token that is presented for the first time, or None: refuse."""
    token_hash = _hash(token)
    session = (
        AudioSession.objects.select_related("transfer")
        .only("leg", "token_hash", "transfer__memory", "transfer__caller_uuid")
        .filter(
            token_hash=token_hash,
            process_id=process_id,
            state=AudioSession.State.CLAIMED,
            claimed_at__gt=timezone.now() - timedelta(seconds=TOKEN_SECONDS),
        )
        .first()
    )
    if session is None or not hmac.compare_digest(session.token_hash, token_hash):
        return None
    once = AudioSession.objects.filter(pk=session.pk, state=AudioSession.State.CLAIMED).update(
        state=AudioSession.State.LIVE, live_at=timezone.now()
    )
    if not once:
        return None
    transfer = session.transfer
    agent = transfer.memory.get("agent_uuid", "") if session.leg == AudioSession.Leg.AGENT else ""
    return LiveAudio(session.pk, session.leg, transfer.pk, agent, transfer.caller_uuid)


def close_audio(session_id: int, usage: dict[str, Any] | None = None) -> None:
    values: dict[str, Any] = {"state": AudioSession.State.CLOSED, "closed_at": timezone.now()}
    if usage:
        values["usage"] = usage
    AudioSession.objects.filter(pk=session_id).update(**values)


def reopen_dead_audio() -> int:
    """Sessions of processes that have gone silent: their transfers are told, and offer new ones."""
    dead = Q(process__heartbeat_at__lt=timezone.now() - timedelta(seconds=DEAD_AFTER_SECONDS)) | Q(process=None)
    held = AudioSession.objects.filter(
        dead, state__in=[AudioSession.State.CLAIMED, AudioSession.State.LIVE]
    ).select_related("attempt")
    count = 0
    for session in held:
        once = AudioSession.objects.filter(pk=session.pk).exclude(state=AudioSession.State.CLOSED)
        if not once.update(state=AudioSession.State.CLOSED, closed_at=timezone.now()):
            continue
        count += 1
        if session.leg == AudioSession.Leg.AGENT:
            apply_event(session.transfer_id, e.AnnouncerLost(session.attempt.mark, "web_process_died"))
        else:
            apply_event(session.transfer_id, e.PromptFailed("web_process_died"))
    # Offers of transfers that ended before anybody took them.
    AudioSession.objects.filter(state=AudioSession.State.OPEN, transfer__state=State.ENDED.value).update(
        state=AudioSession.State.CLOSED, closed_at=timezone.now()
    )
    return count


def add_utterance(session_id: int, who: str, text: str, item_id: str = "") -> None:
    """One thing said; an empty text is not kept."""
    if not text.strip():
        return
    session = AudioSession.objects.get(pk=session_id)
    Utterance.objects.create(
        transfer_id=session.transfer_id,
        attempt_id=session.attempt_id,
        who=who,
        text=text.strip(),
        item_id=item_id[:64],
        at=timezone.now(),
    )
    message = {"type": "transfer.said", "id": session.transfer_id.hex}
    plan = dispatch.Plan([(bus.transfer_group(session.transfer_id), message), (bus.BOARD, message)])
    transaction.on_commit(lambda: dispatch.deliver(plan))
