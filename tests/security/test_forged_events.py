"""What a telephone says of itself stands in the events' headers: a name, an SDP, a number are never read as more."""

from dataclasses import replace

import pytest

from calls.simulator.events import Event
from calls.switch.parsing import BlockReader, parse_event
from calls.transfer.states import Outcome, State

FORGED = (
    "Maria\nEvent-Name: CHANNEL_HANGUP\nUnique-ID: {uuid}\nHangup-Cause: NORMAL_CLEARING\n"
    "variable_transferhub_attempt: {mark}\n\nContent-Length: 3\n\nabc\n\nContent-Type: text/event-plain\n\n"
    "Event-Name: DTMF\nUnique-ID: {agent}\nDTMF-Digit: 1\n\n%0AEvent-Name: DTMF%0ADTMF-Digit: 1%0A"
)


@pytest.mark.parametrize("header", ["Caller-Caller-ID-Name", "variable_switch_r_sdp", "variable_sip_from_display"])
def test_whatever_a_header_holds_stays_in_it(header):
    headers = [("Unique-ID", "leg"), (header, FORGED), ("Hangup-Cause", "USER_BUSY")]
    text = Event("CHANNEL_PROGRESS", headers).text().encode()
    (block,) = BlockReader().feed(b"Content-Length: %d\nContent-Type: text/event-plain\n\n%b" % (len(text), text))
    event = parse_event(block)
    assert (event.name, event.uuid, event.get("Hangup-Cause")) == ("CHANNEL_PROGRESS", "leg", "USER_BUSY")
    assert event.get(header) == FORGED
    assert not event.get("DTMF-Digit") and not event.get("variable_transferhub_attempt") and not event.body


async def test_a_caller_whose_name_and_sdp_speak_for_others_changes_nothing(world):
    await world.start()
    caller = await world.caller()
    transfer = await world.ask(await world.department("2001", ticket_on=[]), caller)
    await world.announcing(transfer)
    agent = (await world.transfer(transfer)).agent_uuid
    mark = (await world.attempt(transfer)).mark
    words = FORGED.format(uuid=agent, agent=agent, mark=mark)
    channel = world.leg(caller)
    channel.profile = replace(channel.profile, caller_name=words)
    channel.variables |= {"switch_r_sdp": words, "sip_from_display": words}
    # Events that carry all of this: keys of the caller's, hold, talking.
    for digit in "123":
        assert (await world.api(f"uuid_recv_dtmf {caller} {digit}")).startswith("+OK")
    assert (await world.api(f"uuid_recv_dtmf {agent} 2")).startswith("+OK")
    ended = await world.reaches(transfer, State.INFORMING)
    assert ended.outcome == Outcome.REJECTED  # by the agent's own key: the forged 1 before it was none
    assert ended.agent_uuid == agent


async def test_a_caller_who_claims_to_be_an_agents_leg_is_nobodys_leg(world):
    """Channel variables that a far end could bring (SIP headers X-…) do not make its leg one of ours."""
    await world.start()
    caller = await world.caller()
    transfer = await world.ask(await world.department("2004"), caller)  # rings and rings
    await world.until(lambda: len(world.lab.channels) >= 3)
    mark = (await world.attempt(transfer)).mark
    stranger = await world.caller()
    world.leg(stranger).variables |= {"sip_h_X-transferhub_attempt": mark, "X-transferhub_attempt": mark}
    await world.api(f"uuid_kill {stranger}")
    await world.until(lambda: world.leg(stranger) is None)
    assert (await world.transfer(transfer)).state == State.DIALLING
