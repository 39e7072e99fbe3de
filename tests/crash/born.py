"""A process of the nursery, seen by whoever asked for it: what is needed of asyncio.subprocess.Process."""

import asyncio
import contextlib
import json
import os
import signal
from pathlib import Path
from typing import Any


class Process:
    """`returncode` is None while it lives, as of asyncio's own."""

    def __init__(self, pid: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._writer = writer
        self._ended = asyncio.create_task(self._watch(reader))

    @classmethod
    async def born(cls, nursery: Path, arguments: list[str], environment: dict[str, str], log: Path) -> "Process":
        """What `python ARGUMENTS` would be, started where the nursery was."""
        reader, writer = await ask(nursery, arguments=arguments, environment=environment, log=str(log))
        return cls(int(await reader.readline()), reader, writer)

    async def _watch(self, reader: asyncio.StreamReader) -> None:
        self.returncode = int(await reader.readline() or -signal.SIGKILL)
        self._writer.close()

    async def wait(self) -> int | None:
        await asyncio.shield(self._ended)
        return self.returncode

    def send_signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


async def ask(nursery: Path, **order: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Ask for one child; see tests.crash.nursery for the order and the answer."""
    reader, writer = await asyncio.open_unix_connection(nursery)
    writer.write(json.dumps(order).encode() + b"\n")
    return reader, writer


async def is_there(nursery: Path, process: Any, log: Path) -> None:
    """Returns when it takes orders. Raises AssertionError when it has died over its preparations."""
    while not os.path.exists(nursery):  # noqa: ASYNC240 - of a temporary folder
        assert process.returncode is None, last_words(log)
        await asyncio.sleep(0.02)


def last_words(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-2000:] if log.exists() else ""
