"""One trial: a simulated FreeSWITCH with its people, a simulated Realtime API if wanted, and the product's own switch
process between that FreeSWITCH and the database. Everything else is the installation itself: its web processes carry
the audio, its pages show the call, a supervisor may act on it.

The real FreeSWITCH is out of reach: this process talks to the one it has made itself, under a password it has drawn
itself, and no environment variable of the real one is read.
"""

import asyncio
import contextlib
import os
import secrets
import time

import structlog
from asgiref.sync import sync_to_async

from calls import selectors, services
from calls.demo.callers import ring_in
from calls.demo.esl import EventSocket
from calls.models import Department, Extension, Trial
from calls.services.trials import key_of
from calls.simulator.realtime import RealtimeServer
from calls.simulator.switch import SimulatedSwitch
from calls.switch.runner import SwitchProcess
from calls.transfer.states import State
from calls.trial.forecast import Setting, forecast
from calls.trial.people import TrialDirectory, dialplan

log = structlog.get_logger(__name__)

LOCAL = "127.0.0.1"
CONNECT_WITHIN = 15.0
MOST_SECONDS = 900.0
"""Longer than the longest wait of a department and a talk."""
BEAT_EVERY = 0.5
AFTERWARDS_SECONDS = 2.0
"""For the legs to go, and the announcer's last words to be written down."""


class BrokenOff(Exception):
    """Why a trial broke off: a code that calls.console.verdict has words for."""


async def run(trial_id: int, told: asyncio.Event) -> None:
    """From nothing to the end of its transfer; `told` ends it early. Always leaves the row ended."""
    trial = await Trial.objects.select_related("department", "switch").aget(pk=trial_id)
    problem = ""
    try:
        async with contextlib.AsyncExitStack() as stack:
            await _live(trial, told, stack)
    except BrokenOff as error:
        problem = str(error)
    except Exception as error:
        log.exception("trial.failed", trial=trial_id)
        problem = type(error).__name__
    finally:
        await services.aend_trial(trial_id, problem)


async def _live(trial: Trial, told: asyncio.Event, stack: contextlib.AsyncExitStack) -> None:
    password = secrets.token_urlsafe(16)
    directory, setting = await sync_to_async(_company)(trial)
    homes = (trial.department.return_to, trial.department.after_call_to)
    switch = SimulatedSwitch(LOCAL, 0, password, phonebook=directory, dialplan=dialplan(*homes), domain="ensaio")
    await switch.start()
    stack.push_async_callback(switch.stop)
    realtime_url = ""
    if trial.voice == Trial.Voice.SIMULATED:
        realtime = RealtimeServer(LOCAL, key=await sync_to_async(key_of)(trial))
        await realtime.start()
        stack.push_async_callback(realtime.stop)
        realtime_url = realtime.url
    await services.atrial_ready(trial, switch.port, realtime_url, forecast(setting))
    await trial.switch.arefresh_from_db()

    process = SwitchProcess(trial.switch, password)
    working = asyncio.create_task(process.run())
    stack.push_async_callback(_ended, process, working)
    await _connected(trial, working)

    esl = await EventSocket.connect(LOCAL, switch.port, password, "CHANNEL_ANSWER")
    stack.push_async_callback(esl.close)
    call = await ring_in(esl, sim_menu_seconds=2)
    await services.atrial_called(trial, call.uuid)
    await _until_over(trial, told, working)
    await asyncio.sleep(AFTERWARDS_SECONDS)


def _company(trial: Trial) -> tuple[TrialDirectory, Setting]:
    department = trial.department
    agents = [agent.number for agent in selectors.agents_of(department)]
    if not agents:
        raise BrokenOff("no_agent")
    known = list(Extension.objects.values_list("number", flat=True))
    together = department.strategy == Department.Strategy.RING_ALL
    if department.strategy == Department.Strategy.ROUND_ROBIN:
        agents = _in_turn(agents, department)
    setting = Setting(len(agents), department.max_attempts, together, trial.temperament, trial.then)
    return TrialDirectory(agents[0], trial.temperament, trial.then, known), setting


def _in_turn(agents: list[str], department: Department) -> list[str]:
    """Whose turn it is to be first; as calls.services.effects chooses."""
    last = department.last_first.number if department.last_first else ""
    at = agents.index(last) + 1 if last in agents else 0
    return agents[at:] + agents[:at]


async def _connected(trial: Trial, working: "asyncio.Task[None]") -> None:
    until = time.monotonic() + CONNECT_WITHIN
    while True:
        await trial.switch.arefresh_from_db(fields=["connected"])
        if trial.switch.connected:
            return
        if working.done() or time.monotonic() > until:
            raise BrokenOff("not_connected")
        await asyncio.sleep(0.1)


async def _until_over(trial: Trial, told: asyncio.Event, working: "asyncio.Task[None]") -> None:
    """Until the transfer has ended, with a sign of life now and then."""
    ends, parent = time.monotonic() + MOST_SECONDS, os.getppid()
    while await services.atrial_lives(trial.pk) != State.ENDED:
        if told.is_set() or os.getppid() != parent:
            raise BrokenOff("stopped")
        if working.done():
            raise BrokenOff("not_connected")
        if time.monotonic() > ends:
            raise BrokenOff("too_long")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(told.wait(), BEAT_EVERY)


async def _ended(process: SwitchProcess, working: "asyncio.Task[None]") -> None:
    process.stop()
    await asyncio.wait([working], timeout=5)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
