"""The command as an engineer types it, against the simulated switch."""

import asyncio
import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from calls.certify.stories import LAST, STORIES
from calls.simulator.conference import Member
from calls.simulator.switch import SimulatedSwitch

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "the switch's password"
PLAIN = {"DJANGO_SETTINGS_MODULE": "transferhub.settings", "PATH": os.environ["PATH"]}


@pytest.fixture
async def switch(tmp_path):
    profiles = {"default": {"caller-controls": "none", "moh-sound": "tone_stream://%(200,1800,440);loops=-1"}}
    switch = SimulatedSwitch("127.0.0.1", 0, PASSWORD, profiles=profiles, tmp_dir=tmp_path / "clips")
    await switch.start()
    yield switch
    await switch.stop()


@pytest.fixture(scope="module")
def company(tmp_path_factory) -> Path:
    """The company's own database, which the trial must leave alone."""
    path = tmp_path_factory.mktemp("company") / "company.sqlite3"
    environment = {"DATABASE_URL": f"sqlite:///{path}", "TRANSFERHUB_VAR_DIR": str(path.parent), "SECRET_KEY": "x"}
    command = [sys.executable, "manage.py", "migrate", "-v0"]
    subprocess.run(command, cwd=ROOT, env=environment | PLAIN, check=True, capture_output=True)
    return path


@pytest.fixture
def certify(switch, company, tmp_path):
    """Starts the command; its process. What it writes is in tmp_path."""
    (tmp_path / "database").write_text(f"sqlite:///{company}")
    (tmp_path / "password").write_text(PASSWORD)
    environment = PLAIN | {
        "DATABASE_URL_FILE": str(tmp_path / "database"),
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "OPENAI_API_KEY": "sk-of-this-test",
        "TRANSFERHUB_VAR_DIR": str(tmp_path),
        "TMPDIR": str(tmp_path),
        "SECRET_KEY": "of this test",
        "FREESWITCH_HOST": "127.0.0.1",
        "FREESWITCH_PORT": str(switch.port),
        "FREESWITCH_PASSWORD_FILE": str(tmp_path / "password"),
    }

    async def start(*arguments: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "manage.py",
            "certify_switch",
            *arguments,
            cwd=ROOT,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )

    return start


def of_the_trial(folder: Path) -> list[str]:
    """Command lines and folders of processes that the trial started below `folder` and that still run."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            about = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
            if f"{folder}/transferhub-certify-".encode() in about:
                found.append((process / "cmdline").read_text().replace("\0", " "))
    return found


def left_on(switch: SimulatedSwitch) -> list[str]:
    return [
        *(channel.name for channel in switch.channels.values()),
        *(task.group for task in switch.timers.tasks.values()),
        *switch.conferences,
    ]


@pytest.mark.slow
async def test_a_switch_that_does_what_it_should_is_certified_and_left_as_it_was(certify, switch, company, tmp_path):
    process = await certify("--calls", "3")
    said, _ = await asyncio.wait_for(process.communicate(), 240)
    certificate = json.loads((tmp_path / "certificate.json").read_text())
    assert process.returncode == 0, said.decode()
    assert certificate["passed"] and "PASSED" in said.decode()
    assert {lived["story"] for lived in certificate["stories"]} == {*STORIES, LAST[0]}
    measures = certificate["measures"] | certificate["commands"]
    assert measures["announcement: pitch"]["p50"] == pytest.approx(500, rel=0.01)
    for name in ("announcement: longest gap", "answer to first words", "decision to put through", "PutThrough", "Park"):
        assert measures[name]["count"] and measures[name]["p50"] <= measures[name]["p99"]
    assert certificate["audio_stream"]["rates"] == {"8k": True, "16k": True, "24000": True}
    assert left_on(switch) == [] and not list(tmp_path.glob("transferhub-certify-*"))
    with sqlite3.connect(company) as database:
        for table in ("calls_transfer", "calls_department", "calls_extension", "calls_apiclient"):
            assert database.execute(f"select count(*) from {table}").fetchone() == (0,)


@pytest.mark.slow
async def test_a_switch_that_never_mutes_the_caller_is_not_certified(certify, switch, tmp_path, monkeypatch):
    always = property(lambda member: True, lambda member, value: None)
    monkeypatch.setattr(Member, "can_speak", always, raising=False)
    process = await certify("--calls", "1", "--only", "rejected")
    said, _ = await asyncio.wait_for(process.communicate(), 60)
    assert "the agent heard the caller and had not agreed" in said.decode()
    assert process.returncode == 1


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_interrupted_it_leaves_nothing_behind(certify, switch, tmp_path, number):
    process = await certify("--calls", "3")
    async with asyncio.timeout(90):
        while not switch.conferences:  # noqa: ASYNC110 - nothing of ours tells
            await asyncio.sleep(0.05)
    assert of_the_trial(tmp_path)
    process.send_signal(number)
    assert await asyncio.wait_for(process.wait(), 30) == 1
    async with asyncio.timeout(10):
        while left_on(switch):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert not list(tmp_path.glob("transferhub-certify-*")) and of_the_trial(tmp_path) == []
    assert json.loads((tmp_path / "certificate.json").read_text())["interrupted"] == "by hand"


async def test_a_wrong_password_is_said_in_words(certify, switch):
    switch.password = "another"
    process = await certify()
    said, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 1 and "interrupted: EslError: auth" in said.decode()
