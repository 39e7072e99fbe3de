"""The switch process: holds the lease for one FreeSWITCH, keeps a connection to it, and lets an Operator work.

    lease.run()                 asks and renews; whoever has not got it stands by
      while it is held:
        deadlines               services.run_due every 200 ms, connected or not
        bus                     group switch.<slug>: only wakes, and cuts clips
        connection, again and again (backoff 0.5 s to 10 s)
          catch up              what the machine missed (catchup.py)
          outbox                woken, and every 500 ms
          questions             whether a call is here (questions.py)
          heartbeat             a switch that does not answer is as good as gone

Losing the lease, the connection or SIGTERM ends what is inside it; nothing is kept but rows in the database.
"""

import asyncio
import os
import random
import secrets
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any

import structlog
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer

from calls import bus, services
from calls.models import Switch, Transfer
from calls.switch.catchup import catch_up
from calls.switch.connection import Connection, SwitchGone, WrongPassword
from calls.switch.database import DatabaseError, after_error
from calls.switch.interpret import EVENTS, SUBCLASSES
from calls.switch.lease import Lease
from calls.switch.operator import Operator
from calls.switch.parsing import SwitchEvent
from calls.switch.questions import answer_questions
from calls.switch.resync import load_index
from calls.switch.wording import TrialLeg
from calls.tasks import cancelled
from calls.transfer.states import State

log = structlog.get_logger(__name__)

# Seconds.
DEADLINES_EVERY = 0.2
OUTBOX_EVERY = 0.5
HEARTBEAT_EVERY = 5.0
TIDY_EVERY = 30.0
KEEP_ENDED = 120.0
FINISH_WITHIN = 2.0
SHORTEST_PAUSE, LONGEST_PAUSE = 0.5, 10.0
CLAIM_AT_ONCE = 50


class SwitchProcess:
    """run() until stop(). `password` is the Event Socket's. `trial_leg`: see wording.TrialLeg."""

    def __init__(
        self,
        switch: Switch,
        password: str,
        *,
        holder: str = "",
        timeout: float = 5.0,
        trial_leg: TrialLeg | None = None,
    ) -> None:
        self.switch = switch
        self._password = password
        self._timeout = timeout
        self._trial_leg = trial_leg
        holder = holder or f"{socket.gethostname()[:30]}:{os.getpid()}:{secrets.token_hex(4)}"
        self.lease = Lease(switch, holder)
        self.operator: Operator | None = None
        self._asked = asyncio.Event()
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        self._stopping.set()

    async def run(self) -> None:
        leasing = asyncio.create_task(self.lease.run())
        try:
            while await self._until(self.lease.gained):
                await self._act()
        finally:
            await cancelled(leasing)
            await self.lease.release()

    async def _until(self, *happenings: asyncio.Event) -> bool:
        """Wait for one of them; false when we are to stop."""
        await _first(*(event.wait() for event in (*happenings, self._stopping)))
        return not self._stopping.is_set()

    async def _act(self) -> None:
        """While the lease is held."""
        tasks = [asyncio.create_task(self._deadlines()), asyncio.create_task(self._listen())]
        pauses = _pauses()
        try:
            while not self.lease.lost.is_set() and not self._stopping.is_set():
                try:
                    await self._serve()
                    pauses = _pauses()
                except WrongPassword:
                    log.error("switch.wrong_password", switch=self.switch.slug, variable=self.switch.password_variable)
                except SwitchGone as error:
                    log.warning("switch.unreachable", switch=self.switch.slug, reason=str(error))
                except DatabaseError as error:
                    await after_error(error, "connecting")
                await _first(asyncio.sleep(next(pauses)), self.lease.lost.wait(), self._stopping.wait())
        finally:
            await cancelled(*tasks)

    # ------------------------------------------------------------ one connection
    async def _serve(self) -> None:
        """From connecting to the end of the connection. Raises SwitchGone when it could not be set up."""
        await sync_to_async(self.switch.refresh_from_db)()  # an administrator may have changed its address
        early: list[SwitchEvent] = []
        receive: Callable[[SwitchEvent], None] = early.append
        connection = Connection(
            self.switch.host, self.switch.port, self._password, on_event=lambda x: receive(x), timeout=self._timeout
        )
        operator: Operator | None = None
        try:
            await connection.connect()
            await connection.subscribe(EVENTS, SUBCLASSES)
            core_uuid = await connection.api("global_getvar core_uuid")
            index, open_ones = await sync_to_async(load_index)(self.switch)
            operator = Operator(connection, index, lambda: self.lease.fence is not None, self._trial_leg)
            await catch_up(self.switch, operator, open_ones)
            for event in early:  # what came meanwhile may be told twice; that is harmless
                operator.on_event(event)
            receive = operator.on_event
            self.operator = operator
            await sync_to_async(services.set_connected)(self.switch.pk, True, core_uuid[:64])
            log.info("switch.connected", switch=self.switch.slug, core_uuid=core_uuid)
            await self._work(connection, operator)
        finally:
            self.operator = None
            if operator is not None:
                await operator.cancel()
            await connection.close()

    async def _work(self, connection: Connection, operator: Operator) -> None:
        """While all is well; at the end what is in hand is finished, or given back."""
        outbox = asyncio.create_task(self._empty_outbox(operator))
        others = [
            asyncio.create_task(self._heartbeat(operator)),
            asyncio.create_task(self._tidy(operator)),
            asyncio.create_task(answer_questions(self.switch.pk, connection, self._asked)),
        ]
        try:
            await _first(connection.wait_closed(), self.lease.lost.wait(), self._stopping.wait())
            log.info("switch.disconnected", switch=self.switch.slug, reason=connection.reason or "ending")
            if self.lease.fence is not None:
                with suppress(DatabaseError):
                    await sync_to_async(services.set_connected)(self.switch.pk, False, "")
            # Not cancelled: rows it is claiming this moment would be lost to everybody.
            operator.close_outbox()
            await asyncio.wait([outbox], timeout=FINISH_WITHIN)
            await operator.finish(FINISH_WITHIN)
        finally:
            await cancelled(outbox, *others)

    async def _empty_outbox(self, operator: Operator) -> None:
        while operator.outbox_open and (fence := self.lease.fence) is not None:
            operator.wake.clear()
            try:
                claimed = await services.aclaim_commands(self.switch.pk, fence, CLAIM_AT_ONCE)
            except DatabaseError as error:
                await after_error(error, "claiming")
                claimed = []
            for row in claimed:
                operator.order(row)
            if not claimed and operator.outbox_open:
                with suppress(TimeoutError):
                    await asyncio.wait_for(operator.wake.wait(), OUTBOX_EVERY)

    async def _heartbeat(self, operator: Operator) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_EVERY)
            try:
                await operator.connection.api("global_getvar core_uuid")
            except SwitchGone:
                await operator.connection.close()
                return

    async def _tidy(self, operator: Operator) -> None:
        """A transfer may also end by a deadline, or in another process: then no event of ours says so."""
        while True:
            await asyncio.sleep(TIDY_EVERY)
            try:
                operator.forget_the_old(KEEP_ENDED, await sync_to_async(_open_transfers)(self.switch))
            except DatabaseError as error:
                await after_error(error, "tidying")

    # ------------------------------------------------------------ with or without a connection
    async def _deadlines(self) -> None:
        while True:
            if self.lease.fence is not None:
                try:
                    if await sync_to_async(services.run_due)(self.switch.slug) and self.operator is not None:
                        self.operator.wake.set()
                except DatabaseError as error:
                    await after_error(error, "deadlines")
            await asyncio.sleep(DEADLINES_EVERY)

    async def _listen(self) -> None:
        """The bus only wakes: while it is away, polling carries on."""
        while True:
            try:
                layer = get_channel_layer()
                channel = await layer.new_channel()
                await layer.group_add(bus.switch_group(self.switch.slug), channel)
                while True:
                    message = await layer.receive(channel)
                    if message.get("type") == "question.wake":
                        self._asked.set()
                    elif self.operator is not None:
                        self.operator.on_bus(message)
            except Exception as error:  # whatever Redis' client raises
                log.warning("bus.unreachable", group=bus.switch_group(self.switch.slug), error=type(error).__name__)
                await asyncio.sleep(1)


def _open_transfers(switch: Switch) -> set[Any]:
    return set(Transfer.objects.filter(switch=switch).exclude(state=State.ENDED.value).values_list("pk", flat=True))


def _pauses() -> Iterator[float]:
    """Growing pauses between attempts, each a little different, so that many processes do not knock together."""
    pause = SHORTEST_PAUSE
    while True:
        yield pause * random.uniform(0.8, 1.2)
        pause = min(pause * 2, LONGEST_PAUSE)


async def _first(*waits: Awaitable[object]) -> None:
    """Until one of them is done; the others are cancelled."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await cancelled(*tasks)
