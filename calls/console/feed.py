"""What one open page gets pushed: rendered for its viewer's rights, filters and language. Runs in a thread."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.template.loader import render_to_string
from django.utils import timezone, translation

from calls.console import alarms, board, rendered
from calls.console.presenter import unix_ms
from calls.rights import Rights

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
        with translation.override(self.language):
            live = rendered.rows(board.keys(board.live(self.filters, self.rights)[:MOST_LIVE]), self.rights)
            ended = rendered.rows(board.keys(board.ended(self.filters, self.rights)[:RECENT]), self.rights)
            self.shown = {row.id: row.version for row in live}
            return {
                "type": "snapshot",
                "live": [row.message() for row in live],
                "ended": [row.message() for row in ended],
                **self._beat(whole=True),
            }

    def stale(self) -> set[str]:
        """Ids of what is not as the page shows it: found by looking, for a bus that is dead."""
        now = dict(board.live(self.filters, self.rights).order_by().values_list("pk", "version"))
        versions = {pk.hex: version for pk, version in now.items()}
        return {key for key in versions.keys() | self.shown.keys() if versions.get(key) != self.shown.get(key)}

    def rows(self, ids: Iterable[str]) -> dict[str, Any] | None:
        """These transfers as they are now; None when there is nothing to say of them."""
        asked = {UUID(key) for key in ids}
        with translation.override(self.language):
            keys = board.keys(board.shown(self.filters, self.rights).filter(pk__in=asked))
            rows = rendered.rows(keys, self.rights)
        live = {row.id: row.version for row in rows if row.live}
        left = [pk.hex for pk in asked if pk.hex not in live and self.shown.pop(pk.hex, None) is not None]
        self.shown |= live
        gone = sorted(set(left) - {row.id for row in rows})
        if not rows and not gone:
            return None
        return {"type": "rows", "now": self._now(), "rows": [row.message() for row in rows], "gone": gone}

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

    @staticmethod
    def _now() -> int:
        return unix_ms(timezone.now())
