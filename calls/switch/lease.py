"""The right to act for a switch: one process at a time, and never a moment longer than the database granted."""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime

import structlog
from asgiref.sync import sync_to_async

from calls import services
from calls.models import Switch
from calls.services.outbox import LEASE_SECONDS
from calls.switch.database import DatabaseError, after_error

log = structlog.get_logger(__name__)

RENEW_EVERY = 5.0
ASK_EVERY = 1.0  # while another process holds it
MARGIN = 3.0  # before the end, to have stopped when another process begins


class Lease:
    """Renewed by run(); `fence` is the number under which commands are claimed, None without the lease."""

    def __init__(self, switch: Switch, holder: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.switch = switch
        self.holder = holder
        self._clock = clock
        self._until = 0.0
        self._fence: int | None = None
        self._others_end: datetime | None = None
        self._unchanged_since = 0.0
        self.gained = asyncio.Event()
        self.lost = asyncio.Event()
        self.lost.set()

    @property
    def fence(self) -> int | None:
        return self._fence if self._clock() < self._until else None

    async def run(self) -> None:
        """Ask, renew, notice the loss; until cancelled."""
        while True:
            asked_at = self._clock()
            try:
                fence = await services.arenew_lease(self.switch, self.holder, self._stale())
                await self._watch_the_other(fence)
            except DatabaseError as error:
                await after_error(error, "leasing")
                fence = self.fence  # what was granted still holds, until its own end
            else:
                self._granted(fence, asked_at)
            if fence is None or self.fence is None:
                self._lose()
            left = self._until - self._clock()
            await asyncio.sleep(min(RENEW_EVERY, max(left, 0.05)) if self.fence is not None else ASK_EVERY)

    async def _watch_the_other(self, fence: int | None) -> None:
        """While another process holds it: since when, by our own clock, it has not been renewed."""
        ends = await services.aend_of_lease(self.switch) if fence is None else None
        if ends != self._others_end:
            self._others_end, self._unchanged_since = ends, self._clock()

    def _stale(self) -> datetime | None:
        waited = self._clock() - self._unchanged_since
        return self._others_end if self._others_end and waited > LEASE_SECONDS else None

    def _granted(self, fence: int | None, asked_at: float) -> None:
        if fence is None:
            self._until = 0.0
            return
        if not self.lost.is_set() and self._clock() >= self._until:
            # The answer came late: for a moment nobody acted, events were dropped and commands left claimed.
            self._lose()
        if self._fence != fence or self.lost.is_set():
            log.info("lease.held", switch=self.switch.slug, fence=fence)
        self._fence, self._until = fence, asked_at + LEASE_SECONDS - MARGIN
        self.lost.clear()
        self.gained.set()

    def _lose(self) -> None:
        """Whoever waits for `lost` is woken even if it is gained again at once, and begins anew with a resync."""
        if not self.lost.is_set():
            log.warning("lease.lost", switch=self.switch.slug)
        self._drop()

    def _drop(self) -> None:
        self._fence = None
        self.gained.clear()
        self.lost.set()

    async def release(self) -> None:
        """Give it back, so that another process need not wait for its end."""
        self._drop()
        try:
            await sync_to_async(services.release_lease)(self.switch, self.holder)
        except DatabaseError as error:
            await after_error(error, "releasing")
