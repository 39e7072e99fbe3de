"""What one open page gets pushed: rendered for its viewer's rights, filters and language. Runs in a thread."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.template.loader import render_to_string
from django.utils import timezone, translation

from calls.console import alarms, board
from calls.console.presenter import TransferView, transfer_view, unix_ms
from calls.models import Transfer
from calls.rights import Rights
from calls.transfer.states import State

MOST_LIVE = 500
RECENT = 50  # ended ones in a snapshot


@dataclass
class Feed:
    """`shown`: id (hex) -> version of the live rows that the page has."""

    rights: Rights
    filters: board.Filters
    language: str
    shown: dict[str, int] = field(default_factory=dict)
    _numbers: str = ""
    _alarms: str = ""

    def snapshot(self) -> dict[str, Any]:
        """All that the page shows, as it is now."""
        live = board.add_last_said(board.live(self.filters, self.rights)[:MOST_LIVE])
        ended = list(board.ended(self.filters, self.rights)[:RECENT])
        self.shown = {each.id.hex: each.version for each in live}
        with translation.override(self.language):
            return {
                "type": "snapshot",
                "live": [self._row(each) for each in live],
                "ended": [self._row(each) for each in ended],
                **self._beat(whole=True),
            }

    def stale(self) -> set[str]:
        """Ids of what is not as the page shows it: found by looking, for a bus that is dead."""
        now = dict(board.live(self.filters, self.rights).order_by().values_list("pk", "version"))
        versions = {pk.hex: version for pk, version in now.items()}
        return {key for key in versions.keys() | self.shown.keys() if versions.get(key) != self.shown.get(key)}

    def rows(self, ids: Iterable[str]) -> dict[str, Any] | None:
        """These transfers as they are now; None when there is nothing to say of them."""
        asked = [UUID(key) for key in ids]
        live = board.add_last_said(board.live(self.filters, self.rights).filter(pk__in=asked))
        ended = list(board.ended(self.filters, self.rights).filter(pk__in=asked))
        self.shown |= {each.id.hex: each.version for each in live}
        gone = {pk.hex for pk in asked} - {each.id.hex for each in live}
        gone = {key for key in gone if self.shown.pop(key, None) is not None}
        with translation.override(self.language):
            rows = [self._row(each) for each in (*live, *ended)]
        gone -= {row["id"] for row in rows}
        return {"type": "rows", "now": self._now(), "rows": rows, "gone": sorted(gone)} if rows or gone else None

    def beat(self) -> dict[str, Any]:
        """Once a second: the server's clock, and numbers and alarms where they changed."""
        with translation.override(self.language):
            return {"type": "beat"} | self._beat()

    def _beat(self, whole: bool = False) -> dict[str, Any]:
        numbers = render_to_string(
            "console/_numbers.html", {"numbers": board.numbers_of(self.filters.day, self.rights)}
        )
        alarmed = render_to_string("console/_alarms.html", {"alarms": alarms.known()})
        message: dict[str, Any] = {"now": self._now()}
        if whole or numbers != self._numbers:
            message["numbers"] = self._numbers = numbers
        if whole or alarmed != self._alarms:
            message["alarms"] = self._alarms = alarmed
        return message

    def _row(self, transfer: Transfer) -> dict[str, Any]:
        view: TransferView = transfer_view(transfer, self.rights)
        html = render_to_string("console/_transfer.html", {"t": view})
        live = transfer.state != State.ENDED
        return {"id": transfer.id.hex, "version": transfer.version, "live": live, "html": html.strip()}

    @staticmethod
    def _now() -> int:
        return unix_ms(timezone.now())
