"""One measurement: a fake API and the load on one core, a relay alone on another; what came of it as a dict."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from calls.demo import valkey
from calls.demo.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
UVICORN = ["--host", "127.0.0.1", "--ws-per-message-deflate", "false", "--loop", "uvloop"]
UVICORN += ["--no-access-log", "--log-level", "warning", "--timeout-graceful-shutdown", "1"]
PRODUCT = ["uvicorn", "tests.bench.product:application", "--ws", "calls.voice.server:AudioProtocol", *UVICORN]
PIPECAT = "pipecat"
PIPECAT_PYTHON = ROOT / ".venv" / "pipecat" / "bin" / "python"
RELAYS: dict[str, tuple[list[str], dict[str, str], list[str]]] = {
    # name: command after `python -m`, environment, options of the load
    "product": (PRODUCT, {"OPENAI_REALTIME_CLIENT": "websockets"}, ["--reports", "bench"]),
    "product, picows": (PRODUCT, {"OPENAI_REALTIME_CLIENT": "picows"}, ["--reports", "bench"]),
    "product, 8 kHz": (PRODUCT, {"OPENAI_REALTIME_CLIENT": "picows"}, ["--reports", "bench", "--rate", "8000"]),
    "product, 16 kHz": (PRODUCT, {"OPENAI_REALTIME_CLIENT": "picows"}, ["--reports", "bench", "--rate", "16000"]),
    "stock Channels": (
        ["uvicorn", "--factory", "tests.bench.peers:stock", "--ws", "websockets-sansio", *UVICORN],
        {},
        [],
    ),
    "picows": (["tests.bench.peers", "picows"], {}, []),
    PIPECAT: (["tests.bench.pipecat_relay"], {}, []),
}
RELAY_CORE, LOAD_CORE = 0, 1


class Failed(RuntimeError):
    """A part of the rig did not start or did not finish."""


class Rig:
    """Runs relays one by one; a Valkey of its own serves the product's bus."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._log = (folder / "bench.log").open("ab")
        command, url = valkey.configure(folder / "valkey", persist=False)
        self._environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "transferhub.settings",
            "TRANSFERHUB_VAR_DIR": str(folder),
            "REDIS_URL": url,
            "OPENAI_API_KEY": "bench",
            "LOG_LEVEL": "WARNING",
            # numpy's own threads cost a wake-up a frame and win nothing at this size
            "OPENBLAS_NUM_THREADS": "1",
        }
        self._valkey = self._start(LOAD_CORE, command, {})

    def close(self) -> None:
        _stop(self._valkey)
        self._log.close()

    def run(self, name: str, n: int, seconds: float, warmup: float = 3.5) -> dict[str, Any]:
        """Raises Failed."""
        command, environment, options = RELAYS[name]
        api, port = free_port(), free_port()
        own = {
            "UPSTREAM": f"ws://127.0.0.1:{api}/v1/realtime",
            "OPENAI_REALTIME_URL": f"ws://127.0.0.1:{api}/v1/realtime",
            "PORT": str(port),
            "BENCH_PORT": str(port),
            "BENCH_SESSIONS": str(n),
        }
        at = ["--port", str(port)] if command[0] == "uvicorn" else []
        fake = self._start(LOAD_CORE, _python("tests.bench.fake_openai", "--port", str(api)), {})
        python = str(PIPECAT_PYTHON) if name == PIPECAT else sys.executable
        relay = self._start(RELAY_CORE, [python, "-m", *command, *at], environment | own)
        try:
            _wait_for(api, fake)
            _wait_for(port, relay)
            load = _python("tests.bench.load", "--url", f"ws://127.0.0.1:{port}/audio/{{id}}")
            load += ["--fake", f"ws://127.0.0.1:{api}/ctl", "--pid", str(relay.pid), "--n", str(n)]
            load += ["--seconds", str(seconds), "--warmup", str(warmup), *options]
            with self._start(LOAD_CORE, load, {}, stdout=subprocess.PIPE) as running:
                try:
                    said, _ = running.communicate(timeout=90 + seconds)
                finally:
                    _stop(running)
            if running.returncode:
                raise Failed(f"{name} with {n}: the load ended with {running.returncode}, see {self._log.name}")
            return {"relay": name, **json.loads(said)}
        except subprocess.TimeoutExpired as late:
            raise Failed(f"{name} with {n}: no end") from late
        finally:
            _stop(relay)
            _stop(fake)

    def sqlite(self) -> str:
        """The address of a new database."""
        return f"sqlite:///{self._folder / 'live.sqlite3'}"

    def live_calls(self, database: str) -> dict[str, Any]:
        """See live_calls.py, on an empty database. Raises Failed."""
        command = _python("tests.bench.live_calls", "--database", database)
        with self._start(None, command, {}, stdout=subprocess.PIPE) as running:
            try:
                said, _ = running.communicate(timeout=180)
            except subprocess.TimeoutExpired as late:
                raise Failed("live calls: no end") from late
            finally:
                _stop(running)
        if running.returncode:
            raise Failed(f"live calls: ended with {running.returncode}, see {self._log.name}")
        return json.loads(said)

    def _start(
        self, core: int | None, command: list[str], environment: dict[str, str], stdout: int = subprocess.DEVNULL
    ) -> subprocess.Popen[bytes]:
        """In a session of its own, on one core (None: on any), and before others' work where we may."""
        cores = sorted(os.sched_getaffinity(0))
        pinned = [] if core is None else ["taskset", "-c", str(cores[core % len(cores)])]
        process = subprocess.Popen(
            [*pinned, *command], cwd=ROOT, env=self._environment | environment, stdout=stdout, stderr=self._log,
            start_new_session=True,
        )  # fmt: skip
        prefer(process.pid)
        return process


def prefer(pid: int) -> None:
    """Before others' work where we may. A session is scheduled as a group (autogroup): nice would only order the
    processes within it."""
    with suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text("-15")


@contextmanager
def rig() -> Iterator[Rig]:
    with tempfile.TemporaryDirectory(prefix="transferhub-bench-", ignore_cleanup_errors=True) as folder:
        made = Rig(Path(folder))
        try:
            yield made
        finally:
            made.close()


def holds(result: dict[str, Any], slack: float = 0) -> bool:
    """A relay carries so many calls: p99 of what it adds below 20 ms both ways (down: + `slack`), nothing lost."""
    frames = result["n"] * 50 * result["seconds"]
    return (
        not (result["silent_calls"] or result["lost_calls"])
        and all((result[way]["p99"] or 1e9) < 20 + more for way, more in (("up", 0), ("down", slack)))
        and all(result[f"{way}_missing"] <= frames * 0.001 for way in ("up", "down"))
    )


def _python(*arguments: str) -> list[str]:
    return [sys.executable, "-m", *arguments]


def _wait_for(port: int, process: subprocess.Popen[bytes], seconds: float = 40) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if process.poll() is not None:
            raise Failed(f"{process.args[-4:]} ended with {process.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise Failed(f"nobody listens on {port}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """The process group that we started, and no other."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(4)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
