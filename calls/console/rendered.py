"""Rows as HTML, read and rendered once for all open pages of this process to whom they look the same.

Every page is told of every change, and a page that opens is sent its rows twice: with the page, and as the snapshot.
"""

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.template.loader import render_to_string
from django.utils import translation

from calls.console import board
from calls.console.presenter import transfer_view
from calls.models import Transfer
from calls.rights import Rights
from calls.transfer.states import State

FRESH_SECONDS = 1.0  # a row says how long it has waited

Key = tuple[UUID, int, int | None]  # board.keys()


@dataclass(frozen=True)
class Row:
    id: str
    version: int
    live: bool
    html: str
    rank: tuple[bool, int]  # among live ones: first what needs a person, then who waits longest

    def message(self) -> dict[str, Any]:
        return {"id": self.id, "version": self.version, "live": self.live, "html": self.html}


_kept: dict[tuple[Key, tuple], tuple[float, Row]] = {}  # by when it was rendered, the oldest first
_lock = threading.Lock()


def rows(keys: Iterable[Key], rights: Rights) -> list[Row]:
    """In the order of `keys`, in the language that is active. What is gone meanwhile is left out."""
    looks = (translation.get_language(), rights.sees_numbers, rights.acts)  # all that a row depends on but its transfer
    asked = {key[0]: key for key in keys}
    with _lock:
        _forget_the_old()
        found = {pk: kept[1] for pk, key in asked.items() if (kept := _kept.get((key, looks)))}
        if missing := asked.keys() - found.keys():
            for transfer in board.add_last_said(board.with_rows(Transfer.objects.filter(pk__in=missing))):
                found[transfer.pk] = row = _row(transfer, rights)
                _kept[asked[transfer.pk], looks] = time.monotonic(), row
    return [found[pk] for pk in asked if pk in found]


def _row(transfer: Transfer, rights: Rights) -> Row:
    view = transfer_view(transfer, rights)
    html = render_to_string("console/_transfer.html", {"t": view})
    return Row(transfer.id.hex, transfer.version, transfer.state != State.ENDED, html, (not view.needs, view.order))


def _forget_the_old() -> None:
    until = time.monotonic() - FRESH_SECONDS
    for key in [key for key, (at, _row) in _kept.items() if at < until]:
        del _kept[key]
