"""A supervisor hears announcer and agent in the browser: where that is, and who may."""

from typing import Any

from django.contrib.auth.models import User
from django.core import signing
from django.db import transaction
from django.utils import timezone

from calls import rights
from calls.models import AudioSession, Supervision, Transfer
from calls.services.showing import show

GOOD_FOR_SECONDS = 20
_SALT = "calls.listen"
_AUDIBLE = [AudioSession.State.CLAIMED, AudioSession.State.LIVE]


def _sessions() -> Any:
    return AudioSession.objects.filter(
        leg=AudioSession.Leg.AGENT, state__in=_AUDIBLE, process__isnull=False
    ).select_related("process", "transfer")


def listen_url(user: User, transfer: Transfer) -> str:
    """Where this person can hear this transfer's announcer now, "" for nowhere. Good for a moment, and secret."""
    session = _sessions().filter(transfer=transfer).order_by("-id").first()
    if session is None:
        return ""
    token = signing.dumps([user.pk, session.pk], salt=_SALT)
    return f"{session.process.audio_base_url.rstrip('/')}/listen/{token}"


def open_listening(process_id: str, token: str) -> tuple[int, int] | None:
    """Audio session and supervision of a token that listen_url() gave out, if its person may; None: refuse."""
    try:
        user_id, session_id = signing.loads(token, salt=_SALT, max_age=GOOD_FOR_SECONDS)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    session = _sessions().filter(pk=session_id, process=process_id).first()
    user = User.objects.filter(pk=user_id).first()
    if session is None or user is None or not _may(user, session.transfer):
        return None
    now = timezone.now()
    with transaction.atomic():
        row = Supervision.objects.create(
            transfer=session.transfer,
            user=user,
            username=user.get_username(),
            mode=Supervision.Mode.HEAR,
            state=Supervision.State.INSIDE,
            asked_at=now,
            began_at=now,
        )
        show(session.transfer_id)
    return session.pk, row.pk


def may_listen_on(listening: int) -> bool:
    """Whether the person of an open socket still may."""
    row = Supervision.objects.select_related("user", "transfer").filter(pk=listening, ended_at=None).first()
    return row is not None and row.user is not None and _may(row.user, row.transfer)


def close_listening(listening: int) -> None:
    row = Supervision.objects.filter(pk=listening, ended_at=None).first()
    if row is not None:
        with transaction.atomic():
            Supervision.objects.filter(pk=listening).update(state=Supervision.State.OVER, ended_at=timezone.now())
            show(row.transfer_id)


def _may(user: User, transfer: Transfer) -> bool:
    allowed = rights.rights_of(user)
    return allowed.listens and allowed.may_see(transfer)
