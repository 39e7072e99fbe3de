"""What becomes of callers when the switch process, its connection or FreeSWITCH itself goes away for a while."""

import asyncio
import time
from datetime import timedelta

from asgiref.sync import sync_to_async
from django.db import OperationalError
from django.utils import timezone

from calls import services
from calls.models import Switch, SwitchCommand
from calls.switch.runner import SwitchProcess
from calls.threads import in_a_thread
from calls.transfer import events as e
from calls.transfer.states import Outcome, Source, State


def agents_legs(world):
    return [c for c in world.lab.channels.values() if c.variables.get("transferhub_attempt")]


async def events(transfer):
    return await sync_to_async(lambda: list(transfer.events.values_list("event", flat=True)))()


async def disconnected(world):
    return not await world.connected()


# ---------------------------------------------------------------- the connection
async def test_after_a_lost_connection_the_announcement_goes_on(world):
    await world.start()
    transfer = await world.ask(await world.department("2001"), await world.caller())
    await world.announcing(transfer)
    world.lab.cut_event_sockets()
    await world.until(lambda: disconnected(world))
    await world.until(world.connected)
    agent = (await world.transfer(transfer)).agent_uuid
    await world.api(f"uuid_recv_dtmf {agent} 1")
    await world.reaches(transfer, State.CONNECTED)


async def test_what_happened_while_the_connection_was_lost_is_found_out(world):
    await world.start()
    caller = await world.caller()
    transfer = await world.ask(await world.department("2001"), caller)
    await world.announcing(transfer)
    world.lab.refuse_event_sockets(True)
    world.lab.cut_event_sockets()
    await world.until(lambda: disconnected(world))
    await world.api(f"uuid_kill {caller}")
    world.lab.refuse_event_sockets(False)
    assert (await world.reaches(transfer, State.ENDED)).outcome == Outcome.CALLER_LEFT


async def test_an_agent_who_left_meanwhile_is_followed_by_the_next(world):
    await world.start()
    transfer = await world.ask(await world.department("2001", "2006"), await world.caller())
    await world.announcing(transfer)
    first = (await world.transfer(transfer)).agent_uuid
    world.lab.refuse_event_sockets(True)
    world.lab.cut_event_sockets()
    await world.until(lambda: disconnected(world))
    await world.api(f"uuid_kill {first}")
    world.lab.refuse_event_sockets(False)

    async def second():
        attempt = await world.attempt(transfer)
        return attempt.numbers == ["2006"] and attempt.agent_uuid

    await world.until(second)
    assert "AgentLeft" in await events(transfer)


async def test_a_switch_that_does_not_answer_is_left_and_found_again(world, monkeypatch):
    monkeypatch.setattr("calls.switch.runner.HEARTBEAT_EVERY", 0.1)
    await world.start()
    world.process._timeout = 0.3
    world.lab.cut_event_sockets()
    await world.until(lambda: disconnected(world))
    await world.until(world.connected)
    world.lab.delay_replies(1)
    await world.until(lambda: disconnected(world))
    world.lab.delay_replies(0)
    await world.until(world.connected)


async def test_after_a_restart_of_freeswitch_nobody_is_left_open(world):
    await world.start()
    first = await world.ask(await world.department("2001"), await world.caller())
    await world.announcing(first)
    await world.lab.restart()
    assert (await world.reaches(first, State.ENDED)).outcome == Outcome.CALLER_LEFT
    await world.until(world.connected)
    row = await sync_to_async(Switch.objects.get)(pk=world.row.pk)
    assert row.core_uuid == world.lab.core_uuid


async def test_commands_that_waited_too_long_are_not_sent(world):
    """The switch was away; meanwhile the secretary took the caller back."""
    await world.start()
    department, caller = await world.department("2001"), await world.caller()
    world.lab.refuse_event_sockets(True)
    world.lab.cut_event_sockets()
    await world.until(lambda: disconnected(world))
    await sync_to_async(Switch.objects.filter(pk=world.row.pk).update)(connected=True)  # the API has not heard yet
    transfer = await world.ask(department, caller)
    await world.tell(transfer, e.CancelRequested(Source.API))
    world.lab.refuse_event_sockets(False)
    assert (await world.reaches(transfer, State.ENDED)).outcome == Outcome.CANCELLED
    parks = SwitchCommand.objects.filter(transfer=transfer, kind="Park")
    await world.until(lambda: sync_to_async(parks.filter(state="failed", result="out of date").exists)())
    assert world.leg(caller).profile.destination == "ivr"  # where he was all the time


# ---------------------------------------------------------------- the database
def failing(monkeypatch, name, times):
    """The next `times` calls of this service fail as with a database that is away."""
    real, left = getattr(services, name), [times]

    async def sometimes(*arguments, **named):
        if left[0]:
            left[0] -= 1
            raise OperationalError("away")
        return await real(*arguments, **named)

    monkeypatch.setattr(services, name, sometimes)
    return left


async def test_an_event_is_not_lost_because_the_database_was_away_for_a_moment(world, monkeypatch):
    await world.start()
    department, caller = await world.department("2001"), await world.caller()
    left = failing(monkeypatch, "aapply_event", 2)
    transfer = await world.ask(department, caller)
    await world.reaches(transfer, State.ANNOUNCING)
    assert left == [0]


async def test_a_command_whose_end_could_not_be_written_is_settled(world, monkeypatch):
    await world.start()
    department, caller = await world.department("2001"), await world.caller()
    failing(monkeypatch, "afinish_command", 2)
    transfer = await world.ask(department, caller)
    await world.reaches(transfer, State.ANNOUNCING)

    async def settled():
        return all(row.state in ("done", "failed") for row in await world.commands(transfer))

    await world.until(settled)
    assert len(agents_legs(world)) == 1


async def test_an_outbox_that_cannot_be_read_is_read_later(world, monkeypatch):
    await world.start()
    failing(monkeypatch, "aclaim_commands", 3)
    transfer = await world.ask(await world.department("2001"), await world.caller())
    await world.reaches(transfer, State.ANNOUNCING)


# ---------------------------------------------------------------- the process
async def test_a_killed_process_is_followed_by_one_that_goes_on(world):
    await world.start()
    caller = await world.caller()
    transfer = await world.ask(await world.department("2002"), caller)  # answers after a while
    await world.until(lambda: agents_legs(world))
    await world.kill()
    (leg,) = agents_legs(world)
    await world.until(lambda: len(world.inside(transfer)) == 2)
    await world.start()
    found = await world.reaches(transfer, State.ANNOUNCING)
    assert found.agent_uuid == leg.uuid
    await world.announcing(transfer)
    await world.api(f"uuid_recv_dtmf {leg.uuid} 1")
    await world.reaches(transfer, State.CONNECTED)
    assert len(await world.commands(transfer, "Dial")) == 1


async def test_nobody_is_rung_twice_by_a_command_whose_fate_is_unknown(world):
    await world.start()
    transfer = await world.ask(await world.department("2004"), await world.caller())
    await world.until(lambda: agents_legs(world))
    await world.kill()
    dials = SwitchCommand.objects.filter(transfer=transfer, kind="Dial")
    await sync_to_async(dials.update)(state="claimed")  # it died before it could write what became of it
    await world.start()
    await world.until(lambda: sync_to_async(dials.filter(state="done").exists)())
    assert len(agents_legs(world)) == 1
    assert (await world.transfer(transfer)).state == State.DIALLING


async def test_a_dialling_that_never_reached_the_switch_is_lost_not_repeated(world):
    await world.start()
    transfer = await world.ask(await world.department("2004", "2001"), await world.caller())
    await world.until(lambda: agents_legs(world))
    await world.kill()
    (leg,) = agents_legs(world)
    await world.api(f"uuid_kill {leg.uuid}")
    await world.until(lambda: not agents_legs(world))
    dials = SwitchCommand.objects.filter(transfer=transfer, kind="Dial")
    await sync_to_async(dials.update)(state="claimed")
    await world.start()
    await world.reaches(transfer, State.ANNOUNCING)
    causes = await sync_to_async(lambda: list(transfer.attempts.values_list("numbers", "cause")))()
    assert causes == [(["2004"], "LOST"), (["2001"], "")]


async def test_freeswitch_takes_the_caller_home_while_no_process_lives(world):
    await world.start()
    caller = await world.caller()
    transfer = await world.ask(await world.department("2004"), caller)
    await world.until(lambda: agents_legs(world))
    await world.kill()
    row = await world.transfer(transfer)
    await world.api(f"sched_api +1 th_test conference {row.conference} hup uuid={caller}")  # his net, sooner
    await world.until(lambda: world.in_the_menu(caller))
    await world.start()
    ended = await world.reaches(transfer, State.ENDED)
    assert (ended.outcome, ended.error) == (Outcome.ERROR, "caller_went_home")
    await world.until(lambda: not agents_legs(world))


async def test_a_half_done_parking_is_done_again(world):
    await world.start()
    caller = await world.caller()
    department = await world.department("2001")
    world.lab.refuse_event_sockets(True)
    world.lab.cut_event_sockets()
    await world.until(lambda: disconnected(world))
    await sync_to_async(Switch.objects.filter(pk=world.row.pk).update)(connected=True)
    transfer = await world.ask(department, caller)
    await world.kill()
    world.lab.refuse_event_sockets(False)
    parks = SwitchCommand.objects.filter(transfer=transfer, kind="Park")
    await sync_to_async(parks.update)(state="claimed")
    await world.start()
    await world.reaches(transfer, State.ANNOUNCING)


async def test_the_leg_of_an_attempt_that_is_over_does_not_outlive_a_reconnect_and_another_hubs_does(world):
    await world.start()
    caller = await world.caller()
    transfer = await world.ask(await world.department("2001"), caller)
    await world.announcing(transfer)
    mark = (await world.attempt(transfer)).mark
    await world.kill()
    for whose, name in ((mark, "ours"), ("0f0f0f0f", "theirs")):
        await world.api(f"originate {{transferhub_attempt={whose},origination_uuid={name}}}loopback/app=park &park()")
    memory = (await world.transfer(transfer)).memory | {"attempt": "another", "state": "dialling"}
    rows = type(transfer).objects.filter(pk=transfer.pk)
    await sync_to_async(rows.update)(memory=memory, state="dialling")
    await world.start()
    await world.until(lambda: not any("ours" in uuid for uuid in world.lab.channels))
    assert "theirs" in world.lab.channels


async def test_a_stopped_process_gives_its_lease_back_and_says_it_is_gone(world):
    await world.start()
    await world.stop()
    row = await sync_to_async(Switch.objects.get)(pk=world.row.pk)
    assert (row.lease_holder, row.connected) == ("", False)


# ---------------------------------------------------------------- the lease
async def test_a_second_process_stands_by_and_takes_over(world):
    await world.start(holder="first")
    second = SwitchProcess(world.row, "ClueCon", holder="second", timeout=2)
    task = asyncio.create_task(second.run())
    await asyncio.sleep(0.1)
    assert second.operator is None and second.lease.fence is None
    await world.stop()
    await world.until(lambda: second.operator is not None)
    transfer = await world.ask(await world.department("2001"), await world.caller())
    await world.reaches(transfer, State.ANNOUNCING)
    second.stop()
    await asyncio.wait_for(task, 5)


async def test_a_lease_is_renewed_while_steps_take_their_time(world, monkeypatch):
    """A slow database must not cost us the lease as well."""
    monkeypatch.setattr("calls.switch.lease.RENEW_EVERY", 0.1)
    process = await world.start()
    before = process.lease._until
    steps = [asyncio.create_task(in_a_thread(time.sleep)(1.0)) for _ in range(5)]
    await world.until(lambda: process.lease._until > before + 0.3, seconds=0.9)
    assert not steps[-1].done()
    await asyncio.gather(*steps[:1])
    for step in steps:
        step.cancel()


async def test_a_lease_that_had_lapsed_for_a_moment_is_begun_anew(world, monkeypatch):
    """The database stood still for longer than the lease, and nobody else took it. (No outbox was emptied after it.)"""
    monkeypatch.setattr("calls.switch.lease.RENEW_EVERY", 0.5)
    monkeypatch.setattr("calls.switch.runner.OUTBOX_EVERY", 0.05)
    process = await world.start()
    department, caller = await world.department("2001"), await world.caller()
    first = process.operator
    process.lease._until = 0.0
    await world.until(lambda: process.operator not in (None, first))
    transfer = await world.ask(department, caller)
    await world.announcing(transfer)


async def test_a_process_that_lost_its_lease_stops_acting_at_once(world, monkeypatch):
    monkeypatch.setattr("calls.switch.lease.RENEW_EVERY", 0.1)
    process = await world.start(holder="first")
    stolen = {"lease_holder": "second", "lease_until": timezone.now() + timedelta(hours=1), "fence": 99}
    await sync_to_async(Switch.objects.filter(pk=world.row.pk).update)(**stolen)
    await world.until(lambda: process.operator is None)
    transfer = await world.ask(await world.department("2001"), await world.caller())
    await asyncio.sleep(0.7)
    (park,) = await world.commands(transfer, "Park")
    assert park.state == "waiting"
    assert await world.connected()  # it does not speak for the switch any more


async def test_a_wrong_password_is_said_and_tried_again(world, caplog):
    process = SwitchProcess(world.row, "nope", timeout=2)
    task = asyncio.create_task(process.run())
    await world.until(lambda: "wrong_password" in caplog.text)
    process.stop()
    await asyncio.wait_for(task, 5)
    assert not await world.connected()
