"""The parts that the tests themselves stand on."""

import os
import subprocess
import sys

import pytest
from channels.layers import get_channel_layer
from django.conf import settings

from calls.models import Extension


async def test_the_channel_layer_carries_a_message():
    layer = get_channel_layer()
    channel = await layer.new_channel()
    await layer.group_add("here", channel)
    await layer.group_send("here", {"type": "greeting"})
    assert await layer.receive(channel) == {"type": "greeting"}


@pytest.mark.parametrize("time", ["once", "twice"])
async def test_the_layer_works_again_in_the_next_test_with_its_new_event_loop(time):
    layer = get_channel_layer()
    # Its own: the layer forgets a message it has handed out in a task that may not have run when a test's loop ends.
    channel = await layer.new_channel()
    await layer.send(channel, {"type": time})
    assert (await layer.receive(channel))["type"] == time


def test_another_process_sees_what_a_test_writes(database_url):
    Extension.objects.create(number="2001", name="Ana")
    script = "import django; django.setup()\nfrom calls.models import Extension\nprint(Extension.objects.get().number)"
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "transferhub.settings", "DATABASE_URL": database_url}
    seen = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert seen.stdout.strip() == "2001"


def test_the_tests_never_use_the_first_redis_databases():
    assert int(settings.REDIS_URL.rpartition("/")[2]) >= 9
