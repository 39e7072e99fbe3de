"""Who is near a conversation besides the two who talk, and the buttons of who may come nearer."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.http import HttpResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from calls.console.actions import WORDS
from calls.console.times import local
from calls.models import Supervision, Transfer, WebProcess
from calls.rights import Rights
from calls.transfer.states import State

LEAVE, HEAR, TELL = "leave_call", "hear", "tell"
# The word on the button, and what the second press is asked for.
WAYS: dict[str, tuple[Promise, Promise]] = {
    Supervision.Mode.LISTEN: (pgettext_lazy("action", "Listen"), gettext_lazy("Ring your telephone to listen?")),
    Supervision.Mode.WHISPER: (
        pgettext_lazy("action", "Whisper to the agent"),
        gettext_lazy("Ring your telephone? Only the agent hears you."),
    ),
    Supervision.Mode.JOIN: (
        pgettext_lazy("action", "Join the conversation"),
        gettext_lazy("Ring your telephone? Both hear you."),
    ),
    LEAVE: (pgettext_lazy("action", "Leave the conversation"), gettext_lazy("Hang up your telephone?")),
}
WORDS.update({way: words for way, (words, _question) in WAYS.items()})
WORDS[HEAR] = pgettext_lazy("action", "Hear the announcement")
WORDS[TELL] = pgettext_lazy("action", "Tell the announcer")
ALIVE_SECONDS = 60


@dataclass(frozen=True)
class Presence:
    who: str
    how: str
    since: datetime | None
    until: datetime | None
    note: str


@dataclass(frozen=True)
class Way:
    action: str
    words: Promise
    why_not: str


@dataclass(frozen=True)
class Near:
    """`presences` of today and before, the last first; `ways` for this reader."""

    presences: list[Presence]
    ways: list[Way]
    tells: bool  # the announcer something in writing


def may(rights: Rights, way: str) -> bool:
    """Each way has a right of its own; to leave, any of them."""
    allowed = {"listen": rights.listens, "whisper": rights.whispers, "join": rights.joins}
    return any(allowed.values()) if way == LEAVE else allowed.get(way, False)


def near(transfer: Transfer, rights: Rights) -> Near:
    live = transfer.state != State.ENDED
    refusal = "" if transfer.state == State.CONNECTED else _("Caller and agent are not talking with each other.")
    if transfer.is_trial:
        refusal = _("In a trial no telephone rings: hear the announcement in the browser.")
    return Near(
        presences=[
            Presence(
                each.username,
                each.get_mode_display(),
                local(each.began_at or each.asked_at, transfer),
                local(each.ended_at, transfer),
                _note(each),
            )
            for each in reversed(list(transfer.supervisions.all()))
        ],
        ways=[Way(way, WAYS[way][0], refusal) for way in WAYS if live and may(rights, way)],
        tells=rights.acts and transfer.state == State.ANNOUNCING,
    )


def present_now(transfer: Transfer) -> list[str]:
    """For the row: who hears or talks at this moment, and how."""
    return [
        f"{each.username}: {each.get_mode_display()}"
        for each in transfer.supervisions.all()
        if each.state == Supervision.State.INSIDE
    ]


def _note(row: Supervision) -> str:
    if row.state == Supervision.State.RINGING:
        return _("the telephone rings")
    return _("did not answer") if row.began_at is None else ""


def for_browser(url: str, *, secure: bool) -> str:
    """The address of services.listen_url() as a supervisor's browser reaches it.

    Behind a proxy FreeSWITCH's address is of no use to browsers: there the first part of its path names the web
    process, on the pages' own address too (deploy/nginx). A page that came by https may open no ws:// at all.
    """
    parts = urlsplit(url)
    proxied = not parts.path.startswith("/listen/")
    return parts.path if proxied or (secure and parts.scheme == "ws") else url


def may_hear_at(response: HttpResponse, rights: Rights) -> HttpResponse:
    """Of who listens, the page may open sockets at the web processes that hold announcers (Content-Security-Policy)."""
    if not rights.listens:
        return response
    since = timezone.now() - timedelta(seconds=ALIVE_SECONDS)
    urls = WebProcess.objects.filter(heartbeat_at__gte=since).values_list("audio_base_url", flat=True)
    parts = {urlsplit(url) for url in urls}
    response.connects_to = sorted(f"{each.scheme}://{each.netloc}" for each in parts)  # type: ignore[attr-defined]
    return response
