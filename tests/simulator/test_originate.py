"""Ringing telephones: forks, limits, hooks, and what breaks originate's braces."""

import asyncio

import pytest

AWAY = "&park"


async def job(lab, command: str) -> str:
    """Runs a command in the background. Returns its Job-UUID."""
    return (await lab.esl.send(f"bgapi {command}")).headers["Job-UUID"]


async def outcome(lab, uuid: str) -> str:
    return (await lab.event(Event_Name="BACKGROUND_JOB", Job_UUID=uuid)).body.strip()


@pytest.mark.parametrize(
    ("dial", "cause"),
    [
        ("user/2003@lab", "USER_BUSY"),
        ("user/2005@lab", "CALL_REJECTED"),
        ("user/1009@lab", "USER_NOT_REGISTERED"),
        ("user/7777@lab", "SUBSCRIBER_ABSENT"),
        ("user/2001@elsewhere", "SUBSCRIBER_ABSENT"),
        ("error/NO_ROUTE_DESTINATION", "NO_ROUTE_DESTINATION"),
        ("nonsense", "CHAN_NOT_IMPLEMENTED"),
        ("loopback/app=hangup:USER_BUSY", "USER_BUSY"),
        ("user/2003@lab|user/2005@lab", "CALL_REJECTED"),
    ],
)
async def test_a_leg_that_nobody_takes_names_its_cause(lab, dial, cause):
    assert await lab.api(f"originate {dial} {AWAY}") == f"-ERR {cause}\n"


async def test_the_ring_limit_comes_up_to_a_second_early_and_never_late(lab):
    began = lab.switch.clock.now()
    assert await lab.api(f"originate {{originate_timeout=3}}user/2004@lab {AWAY}") == "-ERR NO_ANSWER\n"
    assert 2.0 <= lab.switch.clock.now() - began < 3.5


async def test_a_fork_has_one_winner_and_the_others_lose(lab):
    answer = await lab.api(f"originate {{mark=7}}user/2004@lab,user/2001@lab {AWAY}")
    winner = answer[4:].strip()
    loser = next(b for b in lab.esl.seen(Event_Name="CHANNEL_CREATE") if b.event["Unique-ID"] != winner)
    assert await lab.ended(loser.event["Unique-ID"]) == "LOSE_RACE"
    assert lab.switch.channels[winner].variables["mark"] == loser.event["variable_mark"] == "7"


async def test_both_telephones_of_one_number_ring(lab):
    lab.telephones("2050", {"rings": True, "answers_after": None}, {"rings": True, "answers_after": 1.0})
    assert (await lab.api(f"originate user/2050@lab {AWAY}")).startswith("+OK ")
    assert len(lab.esl.seen(Event_Name="CHANNEL_PROGRESS")) == 2


async def test_which_telephone_of_a_number_is_rung_first_changes(lab):
    lab.telephones("2050", *({"contact": f"{who}@127.0.0.1:5090", "answers_after": 0.1} for who in ("desk", "mobile")))
    for _ in range(20):
        assert (await lab.api(f"originate user/2050@lab {AWAY}")).startswith("+OK ")
    created = [block.event["Channel-Name"] for block in lab.esl.seen(Event_Name="CHANNEL_CREATE")]
    assert set(created[::2]) == set(created[1::2])
    assert all(first != second for first, second in zip(created[::2], created[1::2], strict=True))


async def test_with_an_origination_uuid_the_second_telephone_never_rings(lab):
    lab.telephones("2050", {"rings": True, "answers_after": None}, {"rings": True, "answers_after": None})
    await job(lab, f"originate {{origination_uuid=mine}}user/2050@lab {AWAY}")
    await lab.event(Event_Name="CHANNEL_PROGRESS", Unique_ID="mine")
    assert len(lab.esl.seen(Event_Name="CHANNEL_CREATE")) == 1


async def test_hupall_right_behind_the_originate_cancels_it(lab):
    lab.esl.write(
        f"bgapi originate {{attempt=x}}user/2001@lab {AWAY}\nJob-UUID: j\n\napi hupall ORIGINATOR_CANCEL attempt x\n\n"
    )
    assert await outcome(lab, "j") == "-ERR ORIGINATOR_CANCEL"


async def test_hupall_touches_only_what_matches(lab):
    a = await lab.caller()
    answer = await lab.api("hupall NORMAL_CLEARING attempt x")
    assert answer == "+OK hangup all channels matching [attempt]=[x] with cause: NORMAL_CLEARING\n"
    assert await lab.api(f"uuid_exists {a}") == "true"


@pytest.mark.parametrize("number", ["2003", "2004", "2005"])
async def test_a_hook_in_the_braces_fires_for_a_leg_that_never_answered(lab, number):
    a = await lab.parked()
    hook = f"api_hangup_hook='conference room hup uuid={a}',originate_timeout=2"
    await lab.api(f"originate {{{hook}}}user/{number}@lab &conference(room@default)")
    await lab.home(a)


async def test_a_hook_of_somebody_who_is_not_registered_has_no_channel_to_fire_for(lab):
    a = await lab.parked()
    hook = f"api_hangup_hook='conference room hup uuid={a}'"
    await lab.api(f"originate {{{hook}}}user/1009@lab &conference(room@default)")
    assert (await lab.api("conference room list")).count("\n") == 1


async def test_the_losers_hook_fires_too(lab):
    a = await lab.parked()
    hook = f"api_hangup_hook='conference room hup uuid={a}'"
    await lab.api(f"originate {{{hook}}}user/2004@lab,user/2001@lab {AWAY}")
    await lab.home(a)


async def test_an_apostrophe_in_quotes_breaks_the_whole_command(lab):
    answer = await lab.api(f"originate {{name='Maria D'Avila'}}user/2001@lab {AWAY}")
    assert answer.startswith("-USAGE: ")


async def test_a_closing_brace_in_a_value_ends_the_block(lab):
    assert await lab.api(f"originate {{name=a}}b}}user/2001@lab {AWAY}") == "-ERR CHAN_NOT_IMPLEMENTED\n"


async def test_a_comma_in_a_value_loses_the_rest_of_it(lab):
    answer = await lab.api(f"originate {{note='one,two'}}user/2001@lab {AWAY}")
    assert await lab.api(f"uuid_getvar {answer[4:].strip()} note") == "one"


async def test_a_loopback_leg_is_there_in_early_media_only(lab):
    assert (await lab.api("originate loopback/app=park &park")).startswith("+OK ")
    answer = await lab.api("originate {ignore_early_media=true,originate_timeout=2}loopback/app=park &park")
    assert answer == "-ERR NO_ANSWER\n"


async def test_both_halves_of_a_loopback_keep_the_variables(lab):
    await lab.api("originate {mark=both}loopback/app=park &park")
    marked = [c.name for c in lab.switch.channels.values() if c.variables.get("mark") == "both"]
    assert marked == ["loopback/park-a", "loopback/park-b"]


async def test_the_inbound_leg_of_a_caller_is_the_one_in_the_dialplan(lab):
    a = await lab.caller()
    row = lab.switch.channels[a]
    assert (row.direction, row.profile.destination, row.profile.context) == ("inbound", "ivr", "public")
    assert row.profile.caller_number == "5511999990000"
    assert await lab.api(f"uuid_getvar {a} ivr_visits") == "1"


async def test_when_the_caller_hangs_up_both_ends_are_gone(lab):
    a = await lab.caller()
    own_end = lab.switch.channels[a].peer
    own_end.hangup()
    assert await lab.ended(a) == "NORMAL_CLEARING"
    await asyncio.wait_for(own_end.gone.wait(), 5)
