"""The switch process on a simulated FreeSWITCH over real sockets: what the caller and the agents come to."""

from asgiref.sync import sync_to_async

from calls.models import Extension
from calls.transfer.states import Outcome, State


async def test_an_agent_who_presses_1_is_put_through_and_the_caller_goes_home_afterwards(world):
    await world.start()
    department = await world.department("2001")
    caller = await world.caller()
    transfer = await world.ask(department, caller)
    await world.announcing(transfer)
    agent = (await world.transfer(transfer)).agent_uuid
    members = {member.channel.uuid: member for member in world.lab.conferences[transfer.conference].members}
    assert not members[caller].can_speak  # muted until the agent accepts

    assert (await world.api(f"uuid_recv_dtmf {agent} 1")).startswith("+OK")
    await world.reaches(transfer, State.CONNECTED)
    await world.until(lambda: members[caller].can_speak)
    assert not world.lab.timers.tasks

    await world.api(f"uuid_kill {agent}")
    ended = await world.reaches(transfer, State.ENDED)
    assert ended.outcome == Outcome.ACCEPTED and ended.decided_by == "key"
    await world.until(lambda: world.in_the_menu(caller))
    await world.until(lambda: not world.lab.conferences)
    extension = await sync_to_async(Extension.objects.get)(number="2001")
    assert extension.claimed_by_id is None
