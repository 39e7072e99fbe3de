"""manage.py check_switch as a process of its own, and its examination as a job of the worker."""

import asyncio
import json
import os
import signal
import sys
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.utils import timezone

from calls import jobs
from calls.models import Switch, SwitchExam, WebProcess
from calls.services.exams import ask_exam
from tests.doctor.conftest import switch
from tests.factories import make_company


@pytest.fixture
async def simulated(transactional_db, web):
    """The switch of a company with one web process."""
    async with switch() as simulated:
        await sync_to_async(_company)(simulated.port, web)
        yield simulated


def _company(port: int, web: str) -> None:
    make_company()
    Switch.objects.update(port=port, domain="lab")
    now = timezone.now() + timedelta(minutes=1)
    WebProcess.objects.create(id="web", audio_base_url=web, heartbeat_at=now, started_at=now)


async def check(database_url: str, *arguments: str, **environment: str) -> asyncio.subprocess.Process:
    product = {
        "DJANGO_SETTINGS_MODULE": "transferhub.settings",
        "DATABASE_URL": database_url,
        "SECRET_KEY": settings.SECRET_KEY,
        "LOG_LEVEL": "ERROR",
    }
    return await asyncio.create_subprocess_exec(
        sys.executable, "manage.py", "check_switch", *arguments, cwd=settings.BASE_DIR,
        env=os.environ | product | environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def test_a_line_for_each_finding_and_the_exit_status_of_the_worst(simulated, database_url):
    process = await check(database_url)
    output, errors = await asyncio.wait_for(process.communicate(), 20)
    text = output.decode()
    assert process.returncode == 1, errors  # 2002 is not registered
    assert "não muda nada" in text and "△ aviso" in text and "2002 (Bruno)" in text and "→" in text
    assert text.rstrip().splitlines()[-1].startswith("△ Apto para transferências, com avisos.")
    assert (await SwitchExam.objects.aget()).level == "warning"


async def test_as_json_and_in_english(simulated, database_url):
    process = await check(database_url, "--json", "--language", "en", FREESWITCH_PASSWORD="guess")
    output, errors = await asyncio.wait_for(process.communicate(), 20)
    document = json.loads(output)
    assert (process.returncode, document["level"], document["switch"]) == (2, "unfit", "main"), errors
    assert [finding["code"] for finding in document["findings"]] == ["wrong_password"]
    assert document["findings"][0]["meaning"] == "The Event Socket refused the password."


async def test_sigterm_takes_the_test_leg_down(simulated, database_url):
    process = await check(database_url)
    async with asyncio.timeout(20):
        while not any(channel.stream for channel in simulated.channels.values()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 2
        while simulated.channels:  # noqa: ASYNC110 - legs end at their next frame
            await asyncio.sleep(0.01)
    assert simulated.timers.tasks == {}


async def test_the_worker_examines_what_a_page_asked_for(simulated):
    row = await Switch.objects.aget()
    assert await sync_to_async(ask_exam)(row)
    assert not await sync_to_async(ask_exam)(row)  # one at a time
    await sync_to_async(jobs.examine_switch, thread_sensitive=False)(row.slug)
    exam = await SwitchExam.objects.aget()
    assert (exam.asked_at, exam.level) == (None, "warning")
    assert exam.findings[0]["code"] == "logged_in"


async def test_a_job_for_a_switch_that_is_gone_does_nothing(db):
    await sync_to_async(jobs.examine_switch)("gone")
