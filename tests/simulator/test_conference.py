"""Conferences: who may speak, who is heard by whom, how members are addressed, and how a conference ends."""

import pytest

from calls.simulator import conference_commands


async def test_a_muted_member_is_not_heard_and_hears(lab):
    a, b = await lab.parked(), await lab.agent()
    assert await lab.hears(a, b)
    assert not await lab.hears(b, a)


async def test_unmute_lets_them_hear_one_another_and_may_be_repeated(lab):
    a, b = await lab.parked(), await lab.agent()
    for _ in range(2):
        assert await lab.api(f"conference room unmute uuid={a}") == f"+OK unmute {await lab.member(a)}\n"
    await lab.event(Action="start-talking", Unique_ID=a)
    assert await lab.hears(b, a)
    await lab.api(f"conference room mute uuid={a}")
    assert not await lab.hears(b, a)


async def test_a_member_alone_hears_the_profiles_music_until_somebody_comes(lab):
    a = await lab.parked()
    assert await lab.hears(a, "moh", 0.2)
    await lab.agent("2007")
    await lab.event(Action="play-file-done", File="tone_stream://%(200,1800,440);loops=-1")
    assert not await lab.hears(a, "moh")


async def test_nomoh_leaves_a_member_alone_in_silence(lab):
    a = await lab.parked(flags="mute|nomoh")
    assert not await lab.hears(a, "moh")


async def test_on_hold_the_caller_hears_the_music_alone(lab):
    a, b = await lab.parked(), await lab.agent()
    await lab.api(f"conference room hold uuid={a} tone_stream://%(200,0,800);loops=-1")
    assert not await lab.hears(a, b)
    assert await lab.hears(a, "hold:")
    assert ";hold|moderator;" in await lab.api("conference room list")
    await lab.api(f"conference room unhold uuid={a}")
    assert await lab.hears(a, b)


async def test_an_unmute_on_hold_is_kept_and_heard_after_it(lab):
    a, b = await lab.parked(), await lab.agent()
    await lab.api(f"conference room hold uuid={a}")
    assert (await lab.api(f"conference room unmute uuid={a}")).startswith("+OK")
    assert not await lab.hears(b, a)
    await lab.api(f"conference room unhold uuid={a}")
    await lab.event(Action="start-talking", Unique_ID=a)
    assert await lab.hears(b, a)


async def test_a_supervisor_can_whisper_to_one_of_two(lab):
    a, b = await lab.parked(), await lab.agent()
    s = await lab.agent("2006", flags="mute|join-only")
    assert not await lab.hears(a, s) and not await lab.hears(b, s)
    ids = await lab.member(a), await lab.member(s)
    assert await lab.api(f"conference room relate {ids[0]} {ids[1]} nohear") == f"+OK {ids[0]}->{ids[1]} nohear set\n"
    await lab.api(f"conference room unmute uuid={s}")
    await lab.event(Action="start-talking", Unique_ID=s)
    assert await lab.hears(b, s) and not await lab.hears(a, s)
    await lab.api(f"conference room relate {ids[0]} {ids[1]} clear")
    assert await lab.hears(a, s)


async def test_a_bare_uuid_is_taken_for_a_number(lab):
    await lab.parked()
    assert await lab.api("conference room unmute 25e0-uuid") == "-ERR Non-Existant ID 25\n"
    assert await lab.api("conference room unmute a5e0-uuid") == "unmute <[member_id|all]|last|non_moderator>"


async def test_a_bare_uuid_can_hit_the_wrong_person(lab):
    a, b = await lab.parked(), await lab.agent()
    assert await lab.api(f"conference room unmute {await lab.member(a)}e0-uuid-of-somebody-else") == (
        f"+OK unmute {await lab.member(a)}\n"
    )
    assert await lab.api("conference room mute uuid=nobody") == "-ERR Non-Existant member\n"
    assert await lab.api(f"conference room deaf uuid={b}") == f"+OK deaf {await lab.member(b)}\n"


@pytest.mark.parametrize("command", ["all", "last", "non_moderator"])
async def test_members_can_be_addressed_together(lab, command):
    await lab.parked()
    b = await lab.agent()
    assert f"+OK mute {await lab.member(b)}\n" in await lab.api(f"conference room mute {command}")


async def test_the_agent_is_hung_up_some_five_seconds_after_the_mandatory_member_left(lab):
    a, b = await lab.parked(), await lab.agent()
    await lab.api(f"conference room hup uuid={a}")
    await lab.home(a)
    began = lab.switch.clock.now()
    assert await lab.ended(b) == "NORMAL_CLEARING"
    assert 4.9 <= lab.switch.clock.now() - began < 6.9
    assert await lab.api("conference list") == "+OK No active conferences.\n"


async def test_the_agent_leaving_does_not_touch_the_caller(lab):
    a, b = await lab.parked(), await lab.agent()
    await lab.api(f"uuid_kill {b}")
    await lab.ended(b)
    assert (await lab.api("conference room list")).split(";")[2] == a
    assert lab.esl.seen(Action="conference-destroy") == []


async def test_endconf_on_the_agent_hangs_up_the_caller(lab):
    a, b = await lab.parked(), await lab.agent(flags="endconf")
    await lab.api(f"uuid_kill {b}")
    assert await lab.ended(a) == "NORMAL_CLEARING"


async def test_join_only_finds_no_conference_and_is_let_go(lab):
    answer = await lab.api("originate user/2001@lab &conference(nowhere@default+flags{join-only})")
    b = answer[4:].strip()
    assert await lab.ended(b) == "NORMAL_CLEARING"
    assert lab.esl.seen(Action="rejected-join-only", Conference_Name="nowhere")


async def test_without_join_only_the_agent_sits_alone_in_a_new_conference(lab):
    b = await lab.agent(room="nowhere", flags="")
    assert (await lab.api("conference nowhere list")).count("\n") == 1
    assert await lab.api(f"uuid_exists {b}") == "true"


async def test_two_originates_into_one_conference_hear_one_another(lab):
    b, c = await lab.agent(flags=""), await lab.agent("2006", flags="")
    assert await lab.hears(b, c) and await lab.hears(c, b)


@pytest.fixture
async def stock(lab):
    """The same switch with a profile that names no caller-controls: FreeSWITCH's stock keys."""
    lab.switch.profiles["default"].pop("caller-controls")
    return lab


async def test_with_the_stock_keys_a_muted_caller_unmutes_himself_with_0(stock):
    a = await stock.parked(controls="")
    stock.switch.channels[a].press("0")
    await stock.event(Action="unmute-member", Unique_ID=a)
    stock.switch.channels[a].press("0")
    await stock.event(Action="mute-member", Unique_ID=a)


async def test_with_the_stock_keys_the_hash_leaves(stock):
    a = await stock.parked(controls="")
    stock.switch.channels[a].press("#")
    await stock.home(a)
    assert "hup-member" not in stock.story(a)


async def test_without_controls_the_keys_are_events_and_nothing_else(stock):
    a = await stock.parked(controls="none")
    for digit in "0#1":
        stock.switch.channels[a].press(digit)
    await stock.event(Event_Name="DTMF", DTMF_Digit="1")
    assert [b.event["DTMF-Digit"] for b in stock.esl.seen(Event_Name="DTMF")] == ["0", "#", "1"]
    assert not {"unmute-member", "CHANNEL_HANGUP"} & set(stock.story(a))


async def test_a_kick_plays_the_profiles_sound_first_and_hup_does_not(lab):
    lab.switch.profiles["default"]["kicked-sound"] = "tone_stream://%(1500,0,500)"
    a, b = await lab.parked(), await lab.parked(room="other")
    await lab.api(f"conference room kick uuid={a}")
    await lab.api(f"conference other hup uuid={b}")
    await lab.home(a)
    await lab.home(b)
    assert lab.story(a).count("PLAYBACK_START") == 3 and lab.story(b).count("PLAYBACK_START") == 2


async def test_clips_queue_for_one_member_and_stop_at_once(lab):
    a, b = await lab.parked(), await lab.agent("2007")
    member = await lab.member(b)
    for _ in range(2):
        answer = await lab.api(f"conference room play tone_stream://%(3000,0,700) {member}")
        assert answer == f"+OK (play) Playing file tone_stream://%(3000,0,700) to member {member}\n"
    assert await lab.hears(b, "clip:") and not await lab.hears(a, "clip:")
    assert await lab.api(f"conference room stop all {member}") == "+OK Stopped 2 files.\n"
    assert not await lab.hears(b, "clip:")
    assert len(lab.esl.seen(Action="play-file-member-done", Unique_ID=b)) == 2


async def test_clips_stopped_just_before_their_member_is_let_go_end_without_him(lab):
    await lab.parked()
    b = await lab.agent("2007")
    member = await lab.member(b)
    await lab.api(f"conference room play tone_stream://%(3000,0,700) {member}")
    await lab.event(Action="play-file-member", Unique_ID=b)
    # In one breath: over the wire the two may fall into two frames.
    assert conference_commands.run(lab.switch, f"room stop all {member}") == "+OK Stopped 1 files.\n"
    assert conference_commands.run(lab.switch, f"room hup uuid={b}") == f"+OK hup {member}\n"
    await lab.event(Action="del-member", Unique_ID=b)
    (done,) = lab.esl.seen(Action="play-file-member-done")
    assert done.event["File"] == "tone_stream://%(3000,0,700)"
    assert "Unique-ID" not in done.event and "Member-ID" not in done.event


async def test_the_profile_is_shown_as_xml(lab):
    lab.switch.profiles["default"]["enter-sound"] = "ding.wav"
    xml = await lab.api("xml_locate configuration configuration name conference.conf")
    assert '<profile name="default">' in xml and '<param name="enter-sound" value="ding.wav"/>' in xml
