"""The simulated Realtime API as a process of its own, so that its speech does not hold up the telephones' 20 ms.

Child: `python -m tests.chaos.realtime KEY` prints its port, then reads commands, a line of JSON each: a list of faults
in the words of calls.simulator.realtime_faults.Fault.parse, or null to ask how many sessions are open.
"""

import asyncio
import contextlib
import json
import sys

from calls.demo.orphans import ends_with_parent
from calls.simulator.realtime import RealtimeServer
from calls.simulator.realtime_faults import Fault

HOST = "127.0.0.1"


class RealtimeProcess:
    """The parent's side; started and stopped as the other simulated parts are."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._faults: list[str] = []
        self._asking = asyncio.Lock()
        self.port = 0

    @property
    def url(self) -> str:
        return f"ws://{HOST}:{self.port}/v1/realtime"

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.chaos.realtime", self._key,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, preexec_fn=ends_with_parent(),
        )  # fmt: skip
        self.port = int(await self._process.stdout.readline())

    async def stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        await self._process.wait()

    async def misbehave(self, fault: str, seconds: float) -> None:
        """So long; several at a time add up."""
        self._faults.append(fault)
        await self._ask(self._faults)
        try:
            await asyncio.sleep(seconds)
        finally:
            self._faults.remove(fault)
            await self._ask(self._faults)

    async def open_sessions(self) -> int:
        return await self._ask(None)

    async def _ask(self, what: list[str] | None) -> int:
        async with self._asking:
            self._process.stdin.write(json.dumps(what).encode() + b"\n")
            return int(await self._process.stdout.readline())


async def _serve(key: str) -> None:
    loop = asyncio.get_running_loop()
    async with RealtimeServer(HOST, key=key) as server:
        sys.stdout.write(f"{server.port}\n")
        sys.stdout.flush()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            wanted = json.loads(line)
            if wanted is not None:
                server.faults = [Fault.parse(text) for text in wanted]
            still_open = sum(session.close_code is None for session in server.sessions)
            sys.stdout.write(f"{still_open}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
