"""What a channel executes: inline chains, variables read late, ways home and dead ends."""

from calls.simulator.dialplan import Dialplan, expand


def test_an_extension_is_found_by_its_pattern_and_fills_its_groups():
    plan = Dialplan({"public": [("^9(\\d+)$", [("transfer", "$1 XML public")])]})
    assert plan.hunt("9123", "XML", "public") == [("transfer", "123 XML public")]
    assert plan.hunt("123", "XML", "public") is None
    assert plan.hunt("9123", "XML", "elsewhere") is None


async def test_variables_are_expanded_from_the_inside_out():
    async def api(command):
        return f"<{command}>"

    values = {"a": "1", "name": "a"}
    assert await expand("x${a}y${missing}z", lambda name: values.get(name, ""), api) == "x1yz"
    assert await expand("${${name}}", lambda name: values.get(name, ""), api) == "1"
    assert await expand("${expr(${a}+1)}", lambda name: values.get(name, ""), api) == "<expr 1+1>"


async def test_the_way_home_is_read_when_the_caller_leaves(lab):
    a = await lab.parked(home="ivr_return XML public")
    await lab.api(f"uuid_setvar {a} transferhub_return caller XML public")
    await lab.api(f"conference room hup uuid={a}")
    await lab.event(Event_Name="PLAYBACK_START", Unique_ID=a, Caller_Destination_Number="caller")
    assert await lab.api(f"uuid_getvar {a} returned_to_ivr") == "_undef_"


async def test_kick_takes_the_way_home_as_well(lab):
    a = await lab.parked()
    await lab.api(f"conference room kick uuid={a}")
    await lab.home(a)


async def test_an_unknown_way_home_hangs_the_caller_up(lab):
    a = await lab.parked(home="nowhere XML public")
    await lab.api(f"conference room hup uuid={a}")
    assert await lab.ended(a) == "NO_ROUTE_DESTINATION"


async def test_an_empty_way_home_hangs_the_caller_up(lab):
    a = await lab.parked()
    await lab.api(f"uuid_setvar {a} transferhub_return")
    await lab.api(f"conference room hup uuid={a}")
    assert await lab.ended(a) == "NORMAL_CLEARING"


async def test_an_inline_text_may_be_the_way_home_but_not_one_with_a_blank(lab):
    a = await lab.parked(home="m:^:set:foo=bar^park inline")
    await lab.api(f"conference room hup uuid={a}")
    await lab.event(Event_Name="CHANNEL_PARK", Unique_ID=a)
    assert await lab.api(f"uuid_getvar {a} foo") == "bar"
    b = await lab.parked(room="other", home="m:^:set:foo=a b^park inline")
    await lab.api(f"conference other hup uuid={b}")
    assert await lab.ended(b) == "NO_ROUTE_DESTINATION"


async def test_what_was_set_for_one_conference_can_be_unset_behind_it(lab):
    a = await lab.parked()
    assert await lab.api(f"uuid_getvar {a} conference_controls") == "none"
    await lab.api(f"conference room hup uuid={a}")
    await lab.home(a)
    assert await lab.api(f"uuid_getvar {a} conference_controls") == "_undef_"


async def test_an_unknown_application_hangs_up(lab):
    a = await lab.caller()
    await lab.api(f"uuid_transfer {a} nonsense:x inline")
    assert await lab.ended(a) == "DESTINATION_OUT_OF_ORDER"


async def test_a_transfer_out_of_a_conference_needs_no_way_home(lab):
    a = await lab.parked()
    await lab.api(f"uuid_transfer {a} ivr_return XML public")
    await lab.home(a)
    assert "del-member" in lab.story(a)


async def test_two_nets_that_fire_bring_the_caller_home_once(lab):
    a = await lab.parked()
    assert await lab.api(f"conference room hup uuid={a}") == f"+OK hup {await lab.member(a)}\n"
    await lab.home(a)
    await lab.event(Action="conference-destroy")
    assert await lab.api(f"conference room hup uuid={a}") == "-ERR Conference room not found\n"
    assert lab.story(a).count("PLAYBACK_START") == 2  # the menu at first, and once more


async def test_an_inline_transfer_leaves_the_number_dialled_before(lab):
    a = await lab.parked()
    assert lab.esl.seen(Action="add-member", Unique_ID=a)[0].event["Caller-Destination-Number"] == "ivr"


async def test_a_timer_runs_an_api_command_and_its_group_can_be_deleted(lab):
    a = await lab.parked()
    assert (await lab.api(f"sched_api +2 one conference room hup uuid={a}")).startswith("+OK Added: ")
    await lab.api(f"sched_api +2 two uuid_kill {a}")
    await lab.api(f"sched_api +2 two uuid_kill {a}")
    assert await lab.api("sched_del two") == "+OK Deleted: 2\n"
    began = lab.switch.clock.now()
    await lab.home(a)
    assert 1.4 <= lab.switch.clock.now() - began < 2.9
    assert await lab.api("sched_del one") == "+OK Deleted: 0\n"
