import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from calls.demo.supervisor import Part, PartFailed, Supervisor

SLEEPS = "import time; print('ready', flush=True); time.sleep(600)"


def part(name: str, script: str, *, healthy=None) -> Part:
    async def at_once(_: Part) -> bool:
        return True

    return Part(name, [sys.executable, "-c", script], healthy or at_once)


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


async def until(condition, seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - the condition is in another process
            await asyncio.sleep(0.01)


@pytest.fixture
async def supervisor(tmp_path):
    said: list[str] = []
    supervisor = Supervisor(tmp_path, said.append)
    supervisor.said = said
    yield supervisor
    await supervisor.stop()


async def test_a_part_counts_as_started_when_it_is_healthy(supervisor, tmp_path):
    async def has_written(part: Part) -> bool:
        return "ready" in supervisor.log_of(part).read_text()

    started = part("one", SLEEPS, healthy=has_written)
    await supervisor.start(started)
    assert started.running and (tmp_path / "one.log").read_text() == "ready\n"


async def test_a_part_that_ends_at_once_is_reported_with_its_last_words(supervisor):
    async def never(_: Part) -> bool:
        return False

    with pytest.raises(PartFailed, match="(?s)broken ended .exit code 1.*no such thing"):
        await supervisor.start(part("broken", "raise SystemExit('no such thing')", healthy=never))


async def test_a_killed_part_is_started_again_under_a_new_pid(supervisor):
    started = part("one", SLEEPS)
    await supervisor.start(started)
    first = started.pid
    os.kill(first, signal.SIGKILL)
    await until(lambda: started.pid != first and started.running)
    assert "killed by SIGKILL" in supervisor.said[0]


async def test_stopping_leaves_no_process_behind_not_even_a_grandchild(supervisor, tmp_path):
    pid_file = tmp_path / "grandchild"
    script = f"""
import pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
pathlib.Path({str(pid_file)!r}).write_text(str(child.pid))
time.sleep(600)
"""
    started = part("parent", script)
    await supervisor.start(started)
    await until(lambda: pid_file.exists() and pid_file.read_text())
    await supervisor.stop()
    await until(lambda: not is_alive(int(pid_file.read_text())), 2)
    assert not is_alive(started.pid)


async def test_parts_that_ignore_the_polite_signal_are_killed_in_time(supervisor, monkeypatch):
    monkeypatch.setattr("calls.demo.supervisor.STOP_WITHIN", 0.8)
    script = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True)\n" + SLEEPS

    async def has_written(part: Part) -> bool:
        return "ready" in supervisor.log_of(part).read_text()

    await supervisor.start(part("deaf", script, healthy=has_written))
    await supervisor.start(part("deaf too", script, healthy=has_written))
    begun = time.monotonic()
    await supervisor.stop()
    assert time.monotonic() - begun < 2


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's parent death signal is Linux")
async def test_children_end_with_a_supervisor_that_is_killed(tmp_path):
    pid_file = tmp_path / "pid"
    script = f"""
import asyncio, pathlib, sys
from calls.demo.supervisor import Part, Supervisor
async def healthy(part): return True
async def main():
    child = Part("child", [sys.executable, "-c", "import time; time.sleep(600)"], healthy)
    await Supervisor(pathlib.Path({str(tmp_path)!r}), print).start(child)
    pathlib.Path({str(pid_file)!r}).write_text(str(child.pid))
    await asyncio.sleep(600)
asyncio.run(main())
"""
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", script)
    await until(lambda: pid_file.exists() and pid_file.read_text())
    child = int(pid_file.read_text())
    assert is_alive(child)
    parent.kill()
    await parent.wait()
    await until(lambda: not is_alive(child))
