"""The whole product between proxies, on parts of its own that may be killed: what the adversary's hands reach.

As tests.stack.Stack, with FreeSWITCH's account kept by witness.py, the Realtime API in a process of its own, a Valkey
of its own, and the Event Socket and the audio sockets going through proxies.py.
"""

import asyncio
import random
import shutil
import signal
import sqlite3
import time
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from asgiref.sync import sync_to_async
from django.db import connection

from calls.demo import valkey
from calls.demo.esl import EslError, EventSocket
from calls.demo.parts import product
from calls.demo.supervisor import Part, PartFailed
from tests.chaos.proxies import AudioProxy, EventSocketProxy
from tests.chaos.realtime import RealtimeProcess
from tests.chaos.witness import WatchedSwitch
from tests.stack import LOCAL, Stack

DIVISOR = 5
STOPS_WITHIN = 45.0
"""Seconds until a process that was told to stop is killed, as systemd does."""
LINE_LOST = (EslError, OSError, EOFError, TimeoutError)
LOCKED_TABLES = "calls_transfer, calls_switchcommand, calls_extension, calls_switch"


class ChaosStack(Stack):
    """`keep`: where the processes' logs are copied to at the end. `divisor` 1: limits and lease of real life."""

    def __init__(self, seed: int, *, divisor: float = DIVISOR, keep: Path | None = None, **environment: str) -> None:
        thirty = f"{30 / divisor:g}"
        super().__init__(
            limits_divisor=divisor, REALTIME_REST_SECONDS=thirty, DRAIN_SECONDS=thirty, **environment
        )  # fmt: skip
        self.switch = self.watched = WatchedSwitch(LOCAL, 0, self.switch.password, phonebook=self.book)
        self.realtime = self.model = RealtimeProcess("sk-stack")
        self.event_socket = EventSocketProxy(lambda: self.switch.port, random.Random(seed))
        self.audio = AudioProxy(lambda: self._port)
        self._scaled = divisor > 1
        self._keep = keep
        self._valkey, self.redis_url = valkey.configure(self.folder / "valkey", persist=True)
        self._starting: set[asyncio.Task[None]] = set()
        self._calling = asyncio.Lock()

    async def __aenter__(self) -> "ChaosStack":
        async def healthy(part: Part) -> bool:
            return valkey.answers(self.redis_url)

        self.storage = Part("redis", self._valkey, healthy)
        await self._supervisor.start(self.storage)
        try:
            await super().__aenter__()
        except BaseException:
            await self._supervisor.stop()
            raise
        self.parts["redis"] = self.storage
        return self

    async def __aexit__(self, *error: object) -> None:
        for task in list(self._starting):
            task.cancel()
        await asyncio.gather(*self._starting, return_exceptions=True)
        if self._keep:
            shutil.rmtree(self._keep, ignore_errors=True)
            self._keep.mkdir(parents=True)
            for log in self.folder.glob("*.log"):
                shutil.copy(log, self._keep)
        await super().__aexit__(*error)

    def _simulated(self) -> list[Any]:
        return [*super()._simulated(), self.event_socket, self.audio]

    def _product(self) -> list[Part]:
        web, switch, worker = product(LOCAL, self._port, self.redis_url, self._whole_environment())
        if self._scaled:
            switch = replace(switch, command=[switch.command[0], "-m", "tests.chaos.scaled", *switch.command[1:]])
        return [web, switch, worker]

    def _whole_environment(self) -> dict[str, str]:
        return super()._whole_environment() | {
            "REDIS_URL": self.redis_url,
            "FREESWITCH_PORT": str(self.event_socket.port),
            "AUDIO_BASE_URL": f"ws://{LOCAL}:{self.audio.port}",
            # numpy's own threads cost a wake-up a frame and win nothing at this size
            "OPENBLAS_NUM_THREADS": "1",
        } | self._environment  # fmt: skip

    # ------------------------------------------------------------ our own line to the switch
    async def dial_in(self, behaviour: str, **variables: Any) -> Any:
        """As caller(), also when FreeSWITCH was restarted meanwhile."""
        while True:
            try:
                return await self.caller(behaviour, **variables)
            except LINE_LOST:
                await self._reconnect()

    async def _reconnect(self) -> None:
        async with self._calling:
            with suppress(*LINE_LOST):
                async with asyncio.timeout(2):
                    await self.esl.api("status")
                    return
            with suppress(*LINE_LOST):
                await self.esl.close()
                self.esl = await EventSocket.connect(LOCAL, self.switch.port, self.switch.password, "CHANNEL_ANSWER")
                return
            await asyncio.sleep(0.2)

    # ------------------------------------------------------------ blows
    async def strike(self, kind: str, seconds: float) -> None:
        """Carry out one blow of schedule.DECK; returns when it is over."""
        kind, _, how = kind.partition(" ") if kind.split(" ")[0] in self.parts else (kind, "", "")
        if how == "killed":
            await self._down(seconds, kind)
        elif how == "told to stop":
            await self._told_to_stop(kind, seconds)
        elif how == "frozen":
            await self._frozen(kind, seconds)
        else:
            await self._others(kind, seconds)

    async def _others(self, kind: str, seconds: float) -> None:
        wire, sound, mood = self.event_socket, self.audio, self.omniplay.mood
        match kind:
            case "all of ours killed":
                await self._down(seconds, *self.parts)
            case "freeswitch restarted":
                await self.switch.restart()
            case "event socket cut":
                wire.cut()
            case "event socket refused":
                await wire.refuse(seconds)
            case "event socket half open":
                await wire.freeze(seconds)
            case "event socket slow":
                await wire.slow(seconds)
            case "event socket garbage":
                wire.garbage()
            case "events late":
                await wire.late(seconds)
            case "events doubled":
                await wire.doubled(seconds)
            case "events out of order":
                await wire.out_of_order(seconds)
            case "audio refused":
                await sound.refuse(seconds)
            case "audio dropped":
                sound.cut()
            case "audio silent":
                await sound.silence(seconds)
            case "realtime refuses":
                await self.model.misbehave("refuse", seconds)
            case "realtime stalls":
                await self.model.misbehave("stall,after=1", seconds)
            case "realtime drops":
                await self.model.misbehave("drop,after=1", seconds)
            case "realtime expires":
                await self.model.misbehave("expire,after=1", seconds)
            case "realtime talks nonsense":
                await self.model.misbehave("nonsense", seconds)
            case "realtime calls both tools":
                await self.model.misbehave("both_tools", seconds)
            case "realtime is mute":
                await self.model.misbehave("mute", seconds)
            case "omniplay slow":
                await self._mood(mood, "delay", 5.0, 0.0, seconds)
            case "omniplay answers 500":
                await self._mood(mood, "status", 500, None, seconds)
            case "omniplay answers nonsense":
                await self._mood(mood, "wrong_answer", True, False, seconds)
            case "database locked":
                await asyncio.to_thread(self._lock_database, seconds)
            case "database connections cut":
                await sync_to_async(self._cut_database)()
            case _:
                raise ValueError(f"no blow is called {kind!r}")

    async def _down(self, seconds: float, *names: str) -> None:
        """Killed at the same instant, and started again after so long, by something like systemd."""
        for name in names:
            with suppress(ProcessLookupError):
                self.parts[name].process.kill()
        await asyncio.sleep(seconds)
        for name in sorted(names, key=lambda name: name != "redis"):
            self._start_again_soon(name)

    async def _told_to_stop(self, name: str, seconds: float) -> None:
        process = self.parts[name].process
        with suppress(ProcessLookupError):
            process.terminate()
        with suppress(TimeoutError):
            async with asyncio.timeout(STOPS_WITHIN):
                await process.wait()
        await asyncio.sleep(seconds)
        self._start_again_soon(name)

    async def _frozen(self, name: str, seconds: float) -> None:
        """It answers nothing and closes nothing, as behind a broken network."""
        process = self.parts[name].process
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)

    def _start_again_soon(self, name: str) -> None:
        task = asyncio.create_task(self._again(name))
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    async def _again(self, name: str) -> None:
        # Not ready in time: something else was struck meanwhile, and it goes on starting.
        with suppress(PartFailed, ProcessLookupError):
            await self.start_again(name)

    @staticmethod
    async def _mood(mood: Any, name: str, bad: Any, good: Any, seconds: float) -> None:
        setattr(mood, name, bad)
        try:
            await asyncio.sleep(seconds)
        finally:
            setattr(mood, name, good)

    def _lock_database(self, seconds: float) -> None:
        """Somebody else's transaction holds what every step needs."""
        if connection.vendor == "sqlite":
            lock = sqlite3.connect(connection.settings_dict["NAME"], timeout=60, isolation_level=None)
            lock.execute("BEGIN IMMEDIATE")
            time.sleep(seconds)
            lock.execute("ROLLBACK")
            lock.close()
            return
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(f"LOCK TABLE {LOCKED_TABLES} IN ACCESS EXCLUSIVE MODE")
            time.sleep(seconds)
            cursor.execute("ROLLBACK")
        connection.close()

    @staticmethod
    def _cut_database() -> None:
        """What a restart of PostgreSQL does to its clients."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    # ------------------------------------------------------------ healing
    async def heal(self, patience: float = 40.0) -> None:
        """All parts up and healthy."""
        while self._starting:
            await asyncio.wait(set(self._starting), timeout=patience)
        for name, part in self.parts.items():
            if not part.running:
                await self.start_again(name)


def spawned(work: Coroutine[Any, Any, Any], among: set[asyncio.Task[Any]]) -> asyncio.Task[Any]:
    task = asyncio.create_task(work)
    among.add(task)
    task.add_done_callback(among.discard)
    return task
