"""Legs of the switch itself, one half an agent or caller, the other the person: without dialplan and telephones."""

import pytest

from tests.simulator.lab import Lab
from tests.simulator.listening import strength

ANSWERS = "loopback/m:^:set:transferhub_agent=a1^ring_ready^sleep:200^answer^park/default/inline"
IN_THE_ROOM = "'m:^:set:conference_controls=none^conference:room@default' inline"


class Listener:
    """What a stream on a leg gets."""

    def __init__(self):
        self.frames = []

    def feed(self, frame):
        self.frames.append(frame)

    def seconds(self, hertz: float) -> float:
        return sum(frame is not None and strength(frame, hertz) > 5000 for frame in self.frames) / 50


async def both(lab: Lab, variables: str = "") -> tuple[str, str]:
    """A loopback leg in a conference, and the person's half of it."""
    answer = await lab.api(f"originate {{ignore_early_media=true{variables}}}{ANSWERS} {IN_THE_ROOM}")
    near = answer.removeprefix("+OK ").strip()
    return near, await lab.api(f"uuid_getvar {near} other_loopback_leg_uuid")


async def test_an_inline_dialplan_makes_a_loopback_leg_that_really_answers(lab):
    near, far = await both(lab)
    assert [lab.switch.channels[uuid].answer_state for uuid in (near, far)] == ["answered", "answered"]
    assert await lab.api(f"uuid_getvar {far} transferhub_agent") == "a1"
    assert await lab.api(f"uuid_getvar {near} transferhub_agent") == "_undef_"
    assert await lab.api(f"uuid_getvar {far} other_loopback_leg_uuid") == near


@pytest.mark.parametrize(
    ("leg", "cause"),
    [("m:^:hangup:USER_BUSY", "USER_BUSY"), ("m:^:ring_ready^sleep:60000", "NO_ANSWER"), ("park", "NO_ANSWER")],
)
async def test_a_loopback_leg_that_nobody_answers_fails_with_its_cause(lab, leg, cause):
    answer = await lab.api(
        f"originate {{ignore_early_media=true,originate_timeout=2}}loopback/{leg}/default/inline &park"
    )
    assert answer == f"-ERR {cause}\n"


async def test_two_people_on_loopback_legs_hear_one_another(lab):
    _, one = await both(lab)
    _, other = await both(lab)
    ears = {uuid: Listener() for uuid in (one, other)}
    for uuid, ear in ears.items():
        lab.switch.channels[uuid].leg.taps.append(ear)
    await lab.api(f"uuid_broadcast {one} tone_stream://%(600,0,900) aleg")
    await lab.event(Event_Name="PLAYBACK_STOP")
    assert (round(ears[other].seconds(900), 1), ears[one].seconds(900)) == (0.6, 0)


async def test_a_key_sent_by_the_far_half_arrives_at_the_near_one(lab):
    near, far = await both(lab)
    assert await lab.api(f"uuid_send_dtmf {far} 1") == f"+OK {far} sent DTMF 1.\n"
    event = (await lab.event(Event_Name="DTMF")).event
    assert (event["Unique-ID"], event["DTMF-Digit"]) == (near, "1")


async def test_when_the_person_hangs_up_his_leg_is_gone(lab):
    near, far = await both(lab)
    await lab.api(f"uuid_kill {far}")
    assert await lab.ended(near) == "NORMAL_CLEARING"
