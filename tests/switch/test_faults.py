"""The switch process with a bad network, a locked or full database, and a clock that jumps: see docs/reliability.md.

The people at the simulated telephones act by themselves; what counts is where they are in the end.
"""

import asyncio
import random
import threading
from contextlib import contextmanager
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.db import OperationalError, connection, connections
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from calls import bus, selectors
from calls.models import AudioSession, Switch, Ticket, WebProcess
from calls.switch.lease import Lease
from calls.transfer import events as e
from calls.transfer.states import Outcome, State
from tests.switch.bad_wire import bad_wire


@sync_to_async
def reached_by(world, port):
    Switch.objects.filter(pk=world.row.pk).update(port=port)


async def lived_through(world, press="1"):
    """From the request to the end: the agent takes the call and hangs up after a while."""
    caller = await world.caller()
    transfer = await world.ask(await world.department("2001"), caller)
    await world.announcing(transfer)
    agent = (await world.transfer(transfer)).agent_uuid
    await world.api(f"uuid_recv_dtmf {agent} {press}")
    await world.reaches(transfer, State.CONNECTED)
    await world.api(f"uuid_kill {agent}")
    await world.reaches(transfer, State.ENDED)
    return caller, transfer


async def all_is_well(world, caller, transfer):
    transfer = await world.transfer(transfer)
    assert transfer.outcome == Outcome.ACCEPTED
    await world.until(lambda: world.in_the_menu(caller))
    assert world.leg(caller).variables["ivr_returns"] == "1"
    assert world.inside(transfer) == set()
    assert not await sync_to_async(Ticket.objects.exists)()


async def goes_home_untold(world, transfer, caller):
    """There is no web process that could speak to him."""
    await world.reaches(transfer, State.INFORMING, 15)
    await world.tell(transfer, e.PromptFailed("nobody speaks here"))
    await world.reaches(transfer, State.ENDED)
    assert world.in_the_menu(caller)
    assert world.leg(caller).variables["ivr_returns"] == "1"


# ---------------------------------------------------------------- the Event Socket
@pytest.mark.parametrize(
    "faults",
    [
        {"doubled": True},
        {"late": 0.4, "dice": random.Random(1)},
        {"late": 0.4, "doubled": True, "dice": random.Random(2)},
    ],
    ids=["doubled", "late and out of order", "all of it"],
)
async def test_events_late_doubled_and_out_of_order_change_nothing(world, faults):
    async with bad_wire(world.lab.port, **faults) as wire:
        await reached_by(world, wire.port)
        await world.start()
        await all_is_well(world, *await lived_through(world))
        assert wire.connections == 1


@pytest.mark.parametrize("garbage", [b"\x00\xff\xfe\n\n", b"Content-Length: -7\n\n", b"Content-Type: nonsense\n\n"])
async def test_garbage_in_mid_call_costs_a_connection_at_most(world, garbage):
    async with bad_wire(world.lab.port) as wire:
        await reached_by(world, wire.port)
        await world.start()
        caller = await world.caller()
        transfer = await world.ask(await world.department("2001"), caller)
        await world.announcing(transfer)
        wire.say(garbage)
        agent = (await world.transfer(transfer)).agent_uuid

        async def pressed():  # he presses again when nothing happens, as people do
            await world.api(f"uuid_recv_dtmf {agent} 1")
            await asyncio.sleep(0.2)
            return (await world.transfer(transfer)).state == State.CONNECTED

        await world.until(pressed)
        await world.api(f"uuid_kill {agent}")
        await world.reaches(transfer, State.ENDED)
        await all_is_well(world, caller, transfer)


async def test_a_half_open_connection_is_left_and_what_was_missed_is_made_up_for(world, monkeypatch):
    monkeypatch.setattr("calls.switch.runner.HEARTBEAT_EVERY", 0.2)
    async with bad_wire(world.lab.port) as wire:
        await reached_by(world, wire.port)
        await world.start()
        world.process._timeout = 0.5
        caller = await world.caller()
        transfer = await world.ask(await world.department("2001"), caller)
        await world.announcing(transfer)
        wire.dead = True
        await world.api(f"uuid_kill {(await world.transfer(transfer)).agent_uuid}")
        await world.until(lambda: wire.connections > 1, 15)
        wire.dead = False
        await goes_home_untold(world, transfer, caller)
        assert (await world.transfer(transfer)).outcome == Outcome.REJECTED


# ---------------------------------------------------------------- the database
class Heard:
    """Plays the web process that has the agent's audio."""

    async def __aenter__(self):
        self.channel = await get_channel_layer().new_channel()
        await get_channel_layer().group_add(bus.process_group("web"), self.channel)
        self._task = asyncio.create_task(self._listen())
        self.messages = []
        return self

    async def __aexit__(self, *_):
        self._task.cancel()

    async def _listen(self):
        while True:
            self.messages += bus.unpacked(await get_channel_layer().receive(self.channel))

    def of(self, kind):
        return [each for each in self.messages if each["type"] == kind]


@sync_to_async
def claimed_by_web(transfer):
    process = WebProcess.objects.create(
        id="web", audio_base_url="ws://x", heartbeat_at=timezone.now(), started_at=timezone.now()
    )
    AudioSession.objects.filter(transfer=transfer).update(state=AudioSession.State.LIVE, process=process)


@contextmanager
def locked():
    """Somebody else holds the write lock, or on PostgreSQL the table."""
    begun, over = threading.Event(), threading.Event()

    def hold():
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute("BEGIN IMMEDIATE")
            else:
                cursor.execute("BEGIN")
                cursor.execute("LOCK TABLE calls_transfer IN ACCESS EXCLUSIVE MODE")
            begun.set()
            over.wait(30)
            cursor.execute("ROLLBACK")
        connections.close_all()

    holder = threading.Thread(target=hold)
    holder.start()
    assert begun.wait(5)
    try:
        yield
    finally:
        over.set()
        holder.join()


def is_muted(world, transfer, caller):
    [member] = [m for m in world.lab.conferences[transfer.conference].members if m.channel.uuid == caller]
    return not member.can_speak


async def test_a_locked_database_puts_nobody_through_and_the_agent_hears_that_it_takes_a_moment(world, monkeypatch):
    monkeypatch.setattr("calls.switch.operator.EXCUSE_AFTER", 0.3)
    async with Heard() as web:
        await world.start()
        caller = await world.caller()
        transfer = await world.ask(await world.department("2001"), caller)
        await world.announcing(transfer)
        await claimed_by_web(transfer)
        agent = (await world.transfer(transfer)).agent_uuid
        with locked():
            await world.api(f"uuid_recv_dtmf {agent} 1")
            await world.until(lambda: web.of("leg.moment"))
            assert {"type": "leg.moment", "uuid": agent} in web.messages
            assert is_muted(world, transfer, caller), "put through without a recorded acceptance"
        await world.reaches(transfer, State.CONNECTED)


@contextmanager
def refused_writes(message):
    """In every thread."""
    execute = CursorWrapper.execute

    def refuse(self, sql, params=None):
        if sql.startswith(("INSERT", "UPDATE", "DELETE")):
            raise OperationalError(message)
        return execute(self, sql, params)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CursorWrapper, "execute", refuse)
        yield


@pytest.mark.parametrize("message", ["database or disk is full", "server closed the connection unexpectedly"])
async def test_a_database_that_cannot_be_written_leaves_the_caller_to_freeswitchs_timer(world, settings, message):
    settings.LIMITS_DIVISOR = 30  # the announcement's timer: 2 s + 3 s, on a switch that is twice as fast
    await world.start()
    caller = await world.caller()
    department = await world.department("2001", ring_seconds=120, ticket_on=["rejected", "timeout", "error"])
    transfer = await world.ask(department, caller)
    await world.announcing(transfer)
    agent = (await world.transfer(transfer)).agent_uuid
    with refused_writes(message):
        await world.api(f"uuid_recv_dtmf {agent} 1")
        await world.until(lambda: world.in_the_menu(caller), 10)
        await world.until(lambda: world.leg(agent) is None, 10)
        assert (await world.transfer(transfer)).state == State.ANNOUNCING
    ended = await world.reaches(transfer, State.ENDED, 15)
    assert ended.outcome != Outcome.ACCEPTED and not ended.connected_at
    assert world.leg(caller).variables["ivr_returns"] == "1"
    assert await sync_to_async(Ticket.objects.count)() == int(ended.outcome in department.ticket_on)


# ---------------------------------------------------------------- the clock
def put(monkeypatch, by):
    """The machine's clock, forward or back."""
    real = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: real() + by)


async def test_a_clock_that_jumps_ahead_ends_what_was_waiting_and_the_next_transfer_goes_well(world, monkeypatch):
    monkeypatch.setattr("calls.switch.lease.RENEW_EVERY", 0.2)
    await world.start()
    caller = await world.caller()
    transfer = await world.ask(await world.department("2001"), caller)
    await world.announcing(transfer)
    put(monkeypatch, timedelta(hours=1))
    await goes_home_untold(world, transfer, caller)
    assert (await world.transfer(transfer)).outcome == Outcome.TIMEOUT
    await world.until(lambda: sync_to_async(selectors.connected_switches().exists)())  # the lease, by the new time
    again = await world.ask(await sync_to_async(lambda: transfer.department)(), await world.caller())
    await world.announcing(again)


async def test_a_clock_that_is_put_back_makes_us_late_and_freeswitchs_timer_is_not(world, monkeypatch, settings):
    settings.LIMITS_DIVISOR = 30
    await world.start()
    caller = await world.caller()
    transfer = await world.ask(await world.department("2001", ring_seconds=120), caller)
    await world.announcing(transfer)
    put(monkeypatch, timedelta(hours=-1))
    await world.until(lambda: world.in_the_menu(caller), 10)
    assert (await world.reaches(transfer, State.ENDED)).outcome != Outcome.ACCEPTED
    assert world.leg(caller).variables["ivr_returns"] == "1"


async def test_after_the_clock_was_put_back_a_dead_process_is_followed_all_the_same(world, monkeypatch):
    monkeypatch.setattr("calls.switch.lease.LEASE_SECONDS", 0.5)
    monkeypatch.setattr("calls.switch.lease.MARGIN", 0.1)
    monkeypatch.setattr("calls.switch.lease.ASK_EVERY", 0.05)
    far = timezone.now() + timedelta(hours=1)
    row = Switch.objects.filter(pk=world.row.pk)
    await sync_to_async(row.update)(lease_holder="the dead one", lease_until=far, fence=3)
    await world.start()
    assert (await sync_to_async(row.get)()).fence == 4


async def test_a_living_process_keeps_its_lease_however_far_ahead_its_clock_is(world, monkeypatch):
    monkeypatch.setattr("calls.switch.lease.LEASE_SECONDS", 0.4)
    monkeypatch.setattr("calls.switch.lease.ASK_EVERY", 0.05)
    row = Switch.objects.filter(pk=world.row.pk)
    lease = Lease(world.row, "the second")
    asking = asyncio.create_task(lease.run())
    for minutes in range(60, 75):  # renewed every now and then
        ends = timezone.now() + timedelta(minutes=minutes)
        await sync_to_async(row.update)(lease_holder="the first", lease_until=ends)
        await asyncio.sleep(0.1)
    assert not lease.gained.is_set()
    asking.cancel()
