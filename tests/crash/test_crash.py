"""SIGKILL after every write and every command: three stories, each process, and what its people then experienced.

CRASH_EVERY=n kills at every n-th of them, beginning at CRASH_FROM. `make crash` does them all.
"""

import os
import sys
from dataclasses import replace
from itertools import count

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async

from calls.models import Ticket, Transfer
from tests.stack import Stack

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

EVERY = int(os.environ.get("CRASH_EVERY", "1"))
FROM = int(os.environ.get("CRASH_FROM", "1"))
STORIES = {"accepted": ("presses_1",), "rejected": ("presses_2",), "two_attempts": ("presses_2", "presses_1")}
LIMITS = {"ring_seconds": 15, "decision_seconds": 15, "total_seconds": 90, "instructions": "Oi."}
TICKET_ON = {"rejected", "timeout", "no_answer", "busy", "unavailable", "voicemail", "error"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        async with Stack(speed=3, limits_divisor=3) as stack:
            for name, part in list(stack.parts.items()):
                stack.parts[name] = mortal(part)
            yield stack


def mortal(part):
    return replace(part, command=[sys.executable, "-m", "tests.crash.mortal", *part.command[1:]], process=part.process)


async def start(stack, name, die_at):
    """The process anew, to die at its `die_at`-th write or command; 0: to live."""
    part = stack.parts[name]
    part.environment = {**part.environment, "DIE_AT": str(die_at)}
    if part.running:
        await stack.kill(name)
    await stack.start_again(name)


async def lived(stack, name, die_at, temperaments):
    """One story with one death in it. False when the story was over before the death came."""
    await start(stack, name, die_at)
    department = await stack.department(*temperaments, **LIMITS)
    call = await stack.caller()
    process = stack.parts[name].process
    transfer = await ask(stack, call, department)

    async def dead_or_ended():
        return process.returncode is not None or await row(transfer, "state") == "ended"

    await stack.until(dead_or_ended, 60)
    died = process.returncode is not None
    if died:
        await start(stack, name, 0)
    await check(stack, call, transfer)
    return died


async def ask(stack, call, department):
    """Through the API; when the web process dies over it, what it has written tells, or it is asked again."""
    for _ in range(3):
        try:
            return (await stack.request(call, department=department))["id"]
        except Exception:
            await start(stack, "web", 0)
            known = await Transfer.objects.filter(caller_uuid=call.uuid).afirst()
            if known is not None:
                return known.pk
    raise AssertionError("the request was never taken")


async def row(transfer, field):
    return await Transfer.objects.values_list(field, flat=True).aget(pk=transfer)


async def check(stack, call, transfer):
    """The promises, against the simulator's own account of who was where and who heard whom."""

    async def ended():
        return await row(transfer, "state") == "ended"

    await stack.until(ended, 60)

    async def out_of_our_care():
        return stack.where(call) in ("returned", "menu", "gone")

    await stack.until(out_of_our_care, 15)
    end = stack.where(call)
    assert end != "gone", "nobody but we could have hung this caller up"
    assert stack.returns(call) == (1 if end == "returned" else 0)
    await stack.tidy(20)
    found = await Transfer.objects.aget(pk=transfer)
    tickets = await Ticket.objects.filter(transfer=found).acount()
    assert tickets == int(found.outcome in TICKET_ON), f"{tickets} tickets for {found.outcome}"
    attempts = await sync_to_async(lambda: list(found.attempts.values_list("agent_uuid", flat=True)))()
    talked = {agent for agent in attempts if agent and stack.heard_each_other(call.uuid, agent)}
    decided = found.events.filter(event="DecisionMade", verdict="moved", to_state="connecting")
    assert len(talked) <= await decided.acount(), "bridged without a recorded acceptance"
    if end == "menu":  # he was never taken out of the secretary's hands
        assert found.outcome != "accepted"
    await stack.esl.api(f"uuid_kill {call.uuid}")


@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize("name", ["switch", "web", "worker"])
async def test_whenever_a_process_dies_the_promises_hold(stack, name, story):
    deaths = 0
    for die_at in count(FROM, EVERY):
        try:
            died = await lived(stack, name, die_at, STORIES[story])
        except Exception as error:
            raise AssertionError(f"{name} killed at {die_at} in {story}: {error}") from error
        if not died:
            break
        deaths += 1
    await start(stack, name, 0)
    assert deaths or FROM > 1 or name == "worker" and story != "rejected"  # nobody needs a worker who needs no ticket
