"""After acceptance nothing of ours is between the two: they talk through FreeSWITCH alone."""

import re

import pytest
import pytest_asyncio

from calls.demo.ports import free_port
from calls.models import AudioSession
from tests.console.rig import Wire
from tests.stack import Stack

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def wire():
    """Between the switch process and FreeSWITCH."""
    wire = Wire()
    await wire.start()
    return wire


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(django_db_setup, django_db_blocker, wire):
    with django_db_blocker.unblock():
        stack = Stack(FREESWITCH_PORT=str(wire.port))
        stack.switch.port = wire.to = free_port()
        async with stack:
            yield stack


async def test_an_announcement_cut_off_by_a_yes_leaves_the_two_alone_with_freeswitch(stack, wire):
    department = await stack.department({"temperament": "presses_1", "talk_seconds": None})
    call = await stack.caller()
    transfer = await stack.reached(await stack.request(call, department=department), "announcing")
    agent = transfer["agent_uuid"]
    await stack.hears(agent, "clip:", 1.0)
    stack.switch.channels[agent].press("1")  # in mid-sentence
    await stack.reached(transfer, "connected")

    silenced, unmuted, stopped = await stack.until(lambda: orders(wire, agent, call.uuid))
    assert silenced < unmuted < stopped  # the stream's end alone would let the clips in hand play on
    clips = stack.seconds_heard(agent, "clip:")
    assert not [span for span in stack.heard(agent) if call.uuid in span.talkers and _clip(span)]
    await stack.until(lambda: nothing_of_ours(stack, agent))

    for process in ("web", "switch", "worker"):
        await stack.kill(process)
    for one, other in ((agent, call.uuid), (call.uuid, agent)):
        await stack.hears(one, other, stack.seconds_heard(one, other) + 1.0)
    assert stack.seconds_heard(agent, "clip:") == clips


async def orders(wire: Wire, agent: str, caller: str) -> list[int] | None:
    """Where in all that was ordered the clips are silenced, the caller unmuted and the stream ended."""
    ordered = b"".join(data for _, kind, data in wire.passed if kind == "order").decode()
    patterns = (r"conference \S+ stop all \d+\n", rf"unmute uuid={caller}\n", rf"uuid_audio_stream {agent} stop\n")
    found = [re.search(pattern, ordered) for pattern in patterns]
    return [match.start() for match in found if match] if all(found) else None


async def nothing_of_ours(stack: Stack, agent: str) -> bool:
    """No audio between FreeSWITCH and us, none between us and the model."""
    return (
        stack.switch.channels[agent].stream is None
        and not await AudioSession.objects.filter(state=AudioSession.State.LIVE).aexists()
        and all(session.close_code is not None for session in stack.realtime.sessions)
    )


def _clip(span) -> bool:
    return any(talker.startswith("clip:") for talker in span.talkers)
