"""The sockets of the board (/ws/board/) and of pages that only want to know when to look again (/ws/changes/…)."""

import asyncio
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from calls import bus
from calls.console import alarms
from calls.console.board import Filters
from calls.console.feed import Feed
from calls.console.sockets import LOOK_SECONDS, ConsoleSocket
from calls.console.threads import in_a_thread
from calls.models import Transfer
from calls.rights import Rights
from transferhub import language

# Seconds from one push to the next; what comes after a rest goes at once.
PUSH_EVERY = 0.04
TELL_EVERY = 0.1  # a page that is told reads all of its transfer again


class BoardSocket(ConsoleSocket):
    """A snapshot first, then rows as they change; see feed.py for the messages. The query string holds the filters."""

    group = bus.BOARD

    async def admit(self, rights: Rights) -> bool:
        asked = dict(parse_qsl(self.scope["query_string"].decode("latin-1")))
        self.feed = Feed(rights, Filters.read(asked), language.chosen(self.scope.get("cookies", {})))
        self._dirty: set[str] = set()
        self._changed = asyncio.Event()
        return rights.sees

    async def on_message(self, message: dict[str, Any]) -> None:
        if message["type"] == "leg.state":
            if message["id"] in self.feed.shown:
                await self.tell({**message, "type": "leg"})
        elif message["type"] in ("transfer.changed", "transfer.said"):
            self._mark({message["id"]})

    def _mark(self, ids: set[str]) -> None:
        if ids:
            self._dirty |= ids
            self._changed.set()

    async def serve(self) -> None:
        await self.tell(await in_a_thread(self.feed.snapshot)())
        await asyncio.gather(self._push(), self._beat())

    async def _push(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            ids, self._dirty = self._dirty, set()
            message = await in_a_thread(self.feed.rows)(ids)
            if message:
                await self.tell(message)
            await asyncio.sleep(PUSH_EVERY)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await alarms.look()
            self._mark(await in_a_thread(self.feed.stale)())
            await self.tell(await in_a_thread(self.feed.beat)())


class ChangesSocket(ConsoleSocket):
    """Says that something changed: of one transfer, or (the wall) of any; and beats, so that silence means loss."""

    async def admit(self, rights: Rights) -> bool:
        self._changed = asyncio.Event()
        self._changed.set()  # what happened between the page and its socket
        pk: UUID | None = self.scope["url_route"]["kwargs"].get("pk")
        self.group = bus.transfer_group(pk) if pk else bus.BOARD
        return rights.sees and (pk is None or await in_a_thread(_sees)(rights, pk))

    async def on_message(self, message: dict[str, Any]) -> None:
        if message["type"] in ("transfer.changed", "transfer.said"):
            self._changed.set()

    async def serve(self) -> None:
        while True:
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._changed.wait()
            except TimeoutError:
                await alarms.look()
                await self.tell({"type": "beat"})
                continue
            self._changed.clear()
            await self.tell({"type": "changed"})
            await asyncio.sleep(TELL_EVERY)


def _sees(rights: Rights, pk: UUID) -> bool:
    found = Transfer.objects.filter(pk=pk).first()
    return found is not None and rights.may_see(found)
