"""manage.py run_switch as a process of its own."""

import asyncio
import os
import signal
import sys

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.management import CommandError, call_command

from calls.models import Switch


@pytest.fixture
async def command(world, database_url):
    """Starts `manage.py run_switch` on the world's switch."""
    started = []

    async def start(*arguments, **environment):
        product = {"DJANGO_SETTINGS_MODULE": "transferhub.settings", "DATABASE_URL": database_url}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "manage.py", "run_switch", *arguments, cwd=settings.BASE_DIR,
            env=os.environ | product | environment,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_the_command_makes_its_row_from_the_environment_and_ends_well(world, command):
    await sync_to_async(Switch.objects.all().delete)()
    environment = {"FREESWITCH_HOST": "127.0.0.1", "FREESWITCH_PORT": str(world.lab.port), "FREESWITCH_DOMAIN": "lab"}
    process = await command(**environment)

    async def row():
        return await sync_to_async(Switch.objects.filter(connected=True).first)()

    made = await world.until(row, seconds=15)
    assert (made.slug, made.port, made.domain) == ("padrao", world.lab.port, "lab")
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 5) == 0
    after = await sync_to_async(Switch.objects.get)(slug="padrao")
    assert (after.connected, after.lease_holder) == (False, "")


async def test_the_command_says_what_is_missing(world, command):
    await sync_to_async(Switch.objects.filter(pk=world.row.pk).update)(password_variable="OTHER_PASSWORD")
    process = await command()
    output, _ = await asyncio.wait_for(process.communicate(), 15)
    assert process.returncode == 1
    assert b"Set OTHER_PASSWORD" in output


def test_among_several_switches_one_must_be_named(db):
    Switch.objects.create(slug="one", name="one")
    Switch.objects.create(slug="two", name="two")
    with pytest.raises(CommandError, match="several switches \\(one, two\\)"):
        call_command("run_switch")


@pytest.mark.parametrize("enabled", [False, True])
def test_a_switch_that_is_not_in_use_is_not_run(db, enabled):
    Switch.objects.create(slug="one", name="one", enabled=False)
    Switch.objects.create(slug="two", name="two", enabled=enabled)
    with pytest.raises(CommandError, match="No switch in use is called one"):
        call_command("run_switch", switch="one")


def test_the_row_made_from_the_environment_follows_it_and_no_other_does(db, settings):
    settings.FREESWITCH_HOST, settings.FREESWITCH_PORT = "10.0.0.9", 9999
    Switch.objects.create(slug="padrao", name="old", host="10.0.0.1", password_variable="UNSET_PASSWORD")
    Switch.objects.create(slug="other", name="other", host="10.0.0.2", enabled=False)
    with pytest.raises(CommandError, match="UNSET_PASSWORD"):
        call_command("run_switch")
    assert set(Switch.objects.values_list("slug", "host")) == {("padrao", "10.0.0.9"), ("other", "10.0.0.2")}
