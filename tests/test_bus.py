"""A Redis that hangs, or whose network swallows everything, costs one step its patience, not every step."""

import asyncio
import socket
import time
from urllib.parse import urlsplit

import pytest
from channels.layers import channel_layers, get_channel_layer
from django.conf import settings
from redis.exceptions import ConnectionError as RedisLost

from calls import bus, dispatch
from calls.layer import PubSubLayer
from calls.models import Transfer
from calls.transfer.states import State
from tests.chaos.proxies import Proxy
from tests.services import world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def hanging_redis(settings, monkeypatch):
    """Takes connections and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        settings.REDIS_URL = f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
        config = settings.CHANNEL_LAYERS["default"]["CONFIG"] | {"url": settings.REDIS_URL, "patience": 0.8}
        settings.CHANNEL_LAYERS = {"default": settings.CHANNEL_LAYERS["default"] | {"CONFIG": config}}
        channel_layers.backends.clear()
        monkeypatch.setattr(bus, "PATIENCE_SECONDS", 0.8)
        monkeypatch.setattr(bus, "_rests_until", 0.0)
        dispatch.redis_client.cache_clear()
        yield
    channel_layers.backends.clear()
    dispatch.redis_client.cache_clear()


def test_steps_go_on_while_redis_hangs(hanging_redis):
    world.connected_switch()
    world.department("vendas", "2001")
    began = time.monotonic()
    transfers = [world.ask("vendas") for _ in range(12)]
    assert time.monotonic() - began < 6
    assert Transfer.objects.filter(state=State.PARKING).count() == len(transfers)


def test_a_job_is_not_waited_for_while_redis_hangs(hanging_redis):
    began = time.monotonic()
    for _ in range(10):
        dispatch.deliver(dispatch.Plan(jobs=[("calls.jobs.housekeeping", ())]))
    assert time.monotonic() - began < 6


def test_it_is_asked_again_after_a_rest(hanging_redis, monkeypatch):
    assert not bus.send(bus.BOARD, {"type": "transfer.changed"})
    assert bus.resting()
    monkeypatch.setattr(bus, "_rests_until", time.monotonic() - 1)
    assert not bus.resting()


def layer_at(url, **options):
    return PubSubLayer(url, settings.REDIS_PREFIX, **options)


async def test_a_reader_does_not_wait_for_ever_for_a_redis_that_vanished():
    """The old socket stays open and says nothing more, as when a machine is gone."""
    real = urlsplit(settings.REDIS_URL)
    proxy = Proxy(lambda: real.port)
    await proxy.start()
    through = real._replace(netloc=real.netloc.replace(f":{real.port}", f":{proxy.port}")).geturl()
    reader = layer_at(through, silence=0.5)
    channel = await reader.new_channel()
    await reader.group_add("here", channel)
    reading = asyncio.create_task(reader.receive(channel))
    for pair in proxy.pairs:
        pair.flowing.clear()
    async with asyncio.timeout(15):
        with pytest.raises(RedisLost):  # whoever reads begins again then, as after every error
            await reading
        await reader.group_add("here", channel)
        await layer_at(settings.REDIS_URL).group_send("here", {"type": "wake"})
        assert await reader.receive(channel) == {"type": "wake"}
    await proxy.stop()


async def test_a_quiet_reader_of_a_redis_that_lives_goes_on_waiting():
    reader = layer_at(settings.REDIS_URL, silence=0.1)
    channel = await reader.new_channel()
    await reader.group_add("here", channel)
    reading = asyncio.create_task(reader.receive(channel))
    await asyncio.sleep(0.5)
    assert not reading.done()
    await reader.group_send("here", {"type": "wake"})
    assert await reading == {"type": "wake"}


async def test_a_message_reaches_everybody_in_its_group_and_nobody_else():
    layer = layer_at(settings.REDIS_URL)
    inside, also_inside, outside = [await layer.new_channel() for _ in range(3)]
    await asyncio.gather(layer.group_add("here", inside), layer.group_add("here", also_inside))
    await layer.group_add("there", outside)
    await layer.group_add("left", inside)
    await layer.group_discard("left", inside)
    for group in ("left", "here", "there"):
        await layer.group_send(group, {"type": group})
    assert await layer.receive(inside) == await layer.receive(also_inside) == {"type": "here"}
    assert await layer.receive(outside) == {"type": "there"}


async def test_two_databases_of_one_server_do_not_hear_each_other():
    real = urlsplit(settings.REDIS_URL)
    other = layer_at(real._replace(path="/0").geturl())
    layer = layer_at(settings.REDIS_URL)
    channel = await layer.new_channel()
    await layer.group_add("here", channel)
    await other.group_send("here", {"type": "theirs"})
    await layer.group_send("here", {"type": "ours"})
    assert await layer.receive(channel) == {"type": "ours"}


async def test_a_slow_reader_loses_the_newest_and_is_no_burden():
    layer = layer_at(settings.REDIS_URL, capacity=2)
    slow, quick = await layer.new_channel(), await layer.new_channel()
    await layer.group_add("here", slow)
    await layer.group_add("here", quick)
    for number in range(4):
        await layer.group_send("here", {"type": "wake", "number": number})
        assert (await layer.receive(quick))["number"] == number
    await layer.send(slow, {"type": "direct"})
    assert [(await layer.receive(slow))["number"] for _ in range(2)] == [0, 1]


async def test_reports_that_come_together_travel_together_and_in_order():
    layer = get_channel_layer()
    channel = await layer.new_channel()
    await layer.group_add("here", channel)
    post = bus.Post("here")
    for number in range(20):
        post.put({"type": "playback", "number": number})
    first = await layer.receive(channel)
    for number in range(20, 40):
        post.put({"type": "playback", "number": number})
    messages = [*bus.unpacked(first)]
    travelled = 1
    while len(messages) < 40:
        messages += bus.unpacked(await layer.receive(channel))
        travelled += 1
    assert [each["number"] for each in messages] == list(range(40))
    assert travelled <= 4
