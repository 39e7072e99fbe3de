"""The demo: everything on one machine in one foreground process, from an empty folder to callers ringing in."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from asgiref.sync import sync_to_async

from calls.demo import company, state
from calls.demo.parts import Plan
from calls.demo.ports import port_is_free
from calls.demo.supervisor import Supervisor
from transferhub import env

Say = Callable[[str], None]


class CannotStart(RuntimeError):
    """The demo cannot start; the message says why and what helps."""


class Demo:
    """Use as an asynchronous context manager, in the main thread: inside, everything runs and is healthy.

    Raises CannotStart, state.AlreadyRunning, valkey.NoValkey, supervisor.PartFailed.
    """

    def __init__(
        self, var: Path, *, host: str = "127.0.0.1", port: int = 8000, say: Say, extra: Mapping[str, str] | None = None
    ):
        self.var = var
        self._host, self._port, self._say, self._extra = host, port, say, extra or {}
        self._on_exit = contextlib.ExitStack()
        self.plan: Plan
        self.secrets: dict[str, str]

    async def __aenter__(self) -> "Demo":
        self.var.mkdir(parents=True, exist_ok=True)
        self.var.chmod(0o700)
        self._on_exit.enter_context(state.lock(self.var))
        self._check_port()
        self.secrets = state.load_secrets(self.var)
        self.plan = Plan(self.var, self.secrets, self._host, self._port, self._extra)
        self._supervisor = Supervisor(self.var / "log", self._say, self._write_state)
        try:
            await self._start()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_) -> None:
        await self._supervisor.stop()
        state.forget_state(self.var)
        self._on_exit.close()

    async def _start(self) -> None:
        await self._supervisor.start(*self.plan.storage)
        os.environ["REDIS_URL"] = self.plan.redis_url
        database = asyncio.create_task(sync_to_async(self._prepare_database)())
        await self._supervisor.start(*self.plan.outside)
        await database
        await self._supervisor.start(*self.plan.ours)
        self._write_state()

    def _prepare_database(self) -> None:
        key = company.prepare(self.secrets["admin_password"], self.secrets["api_key"])
        if key != self.secrets["api_key"]:
            self.secrets["api_key"] = key
            state.save_secrets(self.var, self.secrets)
        if not env.secret("DATABASE_URL"):
            company.forget_dead_processes()

    def _check_port(self) -> None:
        if not 0 < self._port < 65536:
            raise CannotStart(f"{self._port} is not a port: choose one from 1024 to 65535, for example PORT=8001.")
        try:
            free = port_is_free(self._port, self._host)
        except OSError as error:
            raise CannotStart(f"Cannot listen on {self._host}:{self._port}: {error.strerror}.") from error
        if not free:
            raise CannotStart(
                f"Port {self._port} is in use by another program. Stop it, or choose another port: "
                f"make run PORT={self._port + 1}"
            )

    def _write_state(self) -> None:
        esl = self.plan.esl
        pids = {part.name: part.pid for part in self.plan.ours}
        state.write_state(
            self.var,
            {
                "url": self.plan.url,
                "admin_user": company.ADMIN,
                "admin_password": self.secrets["admin_password"],
                "api_key": self.secrets["api_key"],
                "esl": {"host": esl.host, "port": esl.port, "password": esl.password},
                "esl_address": esl.address,
                "pids": pids,
                **{f"{name}_pid": pid for name, pid in pids.items()},
            },
        )


def run_until_told(main: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run `main`; Ctrl-C, SIGTERM or a closed terminal set the event it is given, and cancel what it then awaits."""

    async def runner() -> None:
        told = asyncio.Event()
        work = asyncio.ensure_future(main(told))

        def stop() -> None:
            if not told.is_set():  # a second Ctrl-C must not disturb the stopping
                told.set()
                work.cancel()

        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # nohup has SIGHUP ignored. A script's `&` has SIGINT ignored, but whoever sends us one means it.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                loop.add_signal_handler(number, stop)
        with contextlib.suppress(asyncio.CancelledError):
            await work

    asyncio.run(runner())
