"""Processes born ready: an interpreter that has imported everything forks itself for each one that is asked for.

    python -m tests.crash.nursery SOCKET [product]

A start costs a hundredth of what a new interpreter's does, and the child is as real: its own process group, its own
log, mortal by SIGKILL. Whoever connects to the Unix socket asks for one child, in one line of JSON:

    {"arguments": what follows `python` (or {"work": a coroutine of this package} that talks over the connection),
     "environment": {...}, "log": path}

and reads its process number and, when it has died, its exit code. There are two generations: the first has imported
libraries only, so that its children can still be told their settings; `product` is one of them that has also set up
Django with the environment it was given, and has counted() everything that may be the last thing a process does.
"""

import contextlib
import importlib
import json
import os
import selectors
import socket
import sys
from collections.abc import Callable
from typing import Any

from calls.demo.orphans import ends_with_parent

LOOK_EVERY = 0.02
LIBRARIES = (
    "calls.layer", "croniter", "django.contrib.admin", "django.test.utils", "gevent", "greenswitch", "httpx",
    "num2words", "numpy", "orjson", "picows", "prometheus_client", "psycopg", "pydantic", "rq.worker", "structlog",
    "uvicorn.main", "uvloop", "websockets.asyncio.client", "websockets.asyncio.server", "yaml",
    "calls.simulator.omniplay", "calls.simulator.realtime", "calls.simulator.switch", "calls.transfer.machine",
)  # fmt: skip
Work = Callable[[], None]


def main() -> None:
    path, generation = sys.argv[1], sys.argv[2:]
    if generation:
        from tests.crash import mortal

        mortal.prepare()
    else:
        for library in LIBRARIES:
            importlib.import_module(library)
    serve(path)()


def serve(path: str) -> Work:
    """For ever; returns in each child only, with what it is there for."""
    with socket.socket(socket.AF_UNIX) as listening, selectors.DefaultSelector() as selector:
        listening.bind(f"{path}.new")
        listening.listen(64)
        os.rename(f"{path}.new", path)  # only now it is there
        selector.register(listening, selectors.EVENT_READ)
        children: dict[int, socket.socket] = {}
        while True:
            for _ in selector.select(LOOK_EVERY if children else None):
                asking, _ = listening.accept()
                order = json.loads(asking.makefile("rb", buffering=0).readline())  # and nothing of what follows
                ask_to_end = ends_with_parent()
                pid = os.fork()
                if pid == 0:
                    for other in children.values():
                        other.close()
                    return _born(order, asking, ask_to_end)
                if "work" in order:
                    asking.close()  # the child's alone: its end is the child's end
                else:
                    children[pid] = asking
                    _tell(asking, pid)
            while children and (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if (waiting := children.pop(ended[0], None)) is not None:
                    _tell(waiting, os.waitstatus_to_exitcode(ended[1]))
                    waiting.close()


def _tell(asking: socket.socket, number: int) -> None:
    with contextlib.suppress(OSError):  # whoever asked has gone
        asking.sendall(f"{number}\n".encode())


def _born(order: dict[str, Any], asking: socket.socket, ask_to_end: Work | None) -> Work:
    os.setsid()
    if ask_to_end:
        ask_to_end()
    log = os.open(order["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for stream in (1, 2):
        os.dup2(log, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.update(order["environment"])
    if "work" in order:
        from tests.crash import lane

        return lambda: getattr(lane, order["work"])(asking)
    asking.close()
    from tests.crash import mortal

    return lambda: mortal.run(order["arguments"])


if __name__ == "__main__":
    main()
