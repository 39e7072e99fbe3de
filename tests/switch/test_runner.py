"""The switch process on a simulated FreeSWITCH over real sockets: what the caller and the agents come to."""

import asyncio
import json
from contextlib import asynccontextmanager

from asgiref.sync import sync_to_async
from channels.layers import channel_layers, get_channel_layer

from calls import bus, services
from calls.models import Extension
from calls.switch.parsing import SwitchEvent
from calls.transfer import events as e
from calls.transfer.states import Outcome, Source, State


def member(world, transfer, uuid):
    (found,) = [one for one in world.lab.conferences[transfer.conference].members if one.channel.uuid == uuid]
    return found


async def claimed(number):
    extension = await sync_to_async(Extension.objects.get)(number=number)
    return extension.claimed_by_id


async def press(world, transfer, digit):
    agent = (await world.transfer(transfer)).agent_uuid
    assert (await world.api(f"uuid_recv_dtmf {agent} {digit}")).startswith("+OK")
    return agent


async def told_by_prompt(world, transfer, milliseconds=400):
    """The web process speaks the prompt to the caller."""
    await world.reaches(transfer, State.INFORMING)
    await world.tell(transfer, e.PromptReady(world.audio.url("/audio/prompt"), milliseconds))
    await world.until(lambda: "/audio/prompt" in world.audio.sockets)
    await world.audio.play("/audio/prompt", milliseconds)


async def test_an_agent_who_presses_1_is_put_through_and_the_caller_goes_home_afterwards(world):
    await world.start()
    caller = await world.caller()
    transfer = await world.ask(await world.department("2001"), caller)
    await world.announcing(transfer)
    assert not member(world, transfer, caller).can_speak  # muted until the agent accepts

    agent = await press(world, transfer, "1")
    await world.reaches(transfer, State.CONNECTED)
    await world.until(lambda: member(world, transfer, caller).can_speak)
    await world.until(lambda: not world.lab.timers.tasks)

    await world.api(f"uuid_kill {agent}")
    ended = await world.reaches(transfer, State.ENDED)
    assert ended.outcome == Outcome.ACCEPTED and ended.decided_by == Source.KEY
    await world.until(lambda: world.in_the_menu(caller))
    await world.until(lambda: not world.lab.conferences)
    assert await claimed("2001") is None


async def test_a_caller_whom_nobody_takes_is_told_and_carries_the_outcome_home(world):
    await world.start()
    caller = await world.caller()
    transfer = await world.ask(await world.department("2001", ticket_on=["rejected"]), caller)
    await world.announcing(transfer)
    agent = await press(world, transfer, "2")
    await world.until(lambda: world.leg(agent) is None)
    await told_by_prompt(world, transfer)
    ended = await world.reaches(transfer, State.ENDED)
    assert ended.outcome == Outcome.REJECTED
    await world.until(lambda: world.in_the_menu(caller))
    ticket = await sync_to_async(lambda: ended.ticket)()
    assert ticket.told
    assert await world.api(f"uuid_getvar {caller} transferhub_protocol") == ticket.protocol
    assert await world.api(f"uuid_getvar {caller} transferhub_outcome") == "rejected"
    assert await world.api(f"uuid_getvar {caller} transferhub_id") == transfer.short_id
    await world.until(lambda: not world.lab.timers.tasks and not world.lab.conferences)


async def test_a_busy_agent_is_followed_by_the_next_one(world):
    await world.start()
    transfer = await world.ask(await world.department("2003", "2006"), await world.caller())
    await world.announcing(transfer)
    attempts = await sync_to_async(lambda: list(transfer.attempts.values_list("numbers", "cause", "outcome")))()
    assert attempts == [(["2003"], "USER_BUSY", "busy"), (["2006"], "", "")]


async def test_an_agent_on_another_call_is_not_rung(world):
    await world.start()
    await world.api("originate user/2001@lab &park()")
    calls = len(world.lab.channels)
    transfer = await world.ask(await world.department("2001", "2006"), await world.caller())
    await world.reaches(transfer, State.ANNOUNCING)
    causes = await sync_to_async(lambda: list(transfer.attempts.values_list("cause", flat=True)))()
    assert causes == ["ON_ANOTHER_CALL", ""]
    assert len(world.lab.channels) == calls + 3  # the caller's two ends, and the second agent's leg


async def test_an_agent_whose_last_call_is_just_being_ended_is_rung(world):
    """His extension is free as soon as he has said no; his leg needs a moment more."""
    await world.start()
    department = await world.department("2001")
    first = await world.ask(department, await world.caller())
    await world.announcing(first)
    await sync_to_async(Extension.objects.update)(claimed_by=None)
    second = await world.ask(department, await world.caller())
    await world.reaches(second, State.DIALLING)
    await press(world, first, "2")
    await world.reaches(second, State.ANNOUNCING)


async def test_with_call_waiting_an_agent_on_another_call_is_rung(world):
    await world.start()
    await world.api("originate user/2001@lab &park()")
    transfer = await world.ask(await world.department("2001", call_waiting=True), await world.caller())
    await world.reaches(transfer, State.ANNOUNCING)


async def test_of_a_fork_one_wins_and_the_others_stop_ringing(world):
    await world.start()
    department = await world.department("2004", "2002", "2003", strategy="ring_all")
    transfer = await world.ask(department, await world.caller())
    await world.announcing(transfer)
    attempt = await world.attempt(transfer)
    assert attempt.numbers == ["2004", "2002", "2003"]
    assert (await sync_to_async(lambda: attempt.extension.number)()) == "2002"
    assert await claimed("2004") is None
    await press(world, transfer, "1")
    await world.reaches(transfer, State.CONNECTED)


async def test_a_caller_who_hangs_up_stops_the_ringing(world):
    await world.start()
    caller = await world.caller()
    transfer = await world.ask(await world.department("2004"), caller)
    attempt = await world.until(lambda: world.attempt(transfer))
    await world.until(lambda: any(c.variables.get("transferhub_attempt") for c in world.lab.channels.values()))
    await world.api(f"uuid_kill {caller}")
    ended = await world.reaches(transfer, State.ENDED)
    assert ended.outcome == Outcome.CALLER_LEFT
    await world.until(lambda: not any(c.variables.get("transferhub_attempt") for c in world.lab.channels.values()))
    await world.until(lambda: not world.lab.timers.tasks)
    assert attempt.mark


async def test_a_caller_taken_back_while_ringing_is_in_the_menu(world):
    await world.start()
    caller = await world.caller()
    transfer = await world.ask(await world.department("2004"), caller)
    await world.reaches(transfer, State.DIALLING)
    await world.tell(transfer, e.CancelRequested(Source.API))
    assert (await world.reaches(transfer, State.ENDED)).outcome == Outcome.CANCELLED
    await world.until(lambda: world.in_the_menu(caller))


async def test_a_call_that_does_not_exist_touches_nobody(world):
    await world.start()
    transfer = await world.ask(await world.department("2001"), "no-such-call")
    assert (await world.reaches(transfer, State.ENDED)).outcome == Outcome.CALLER_LEFT
    assert not world.lab.timers.tasks


async def test_a_bridged_caller_stays_with_his_partner(world):
    await world.start()
    caller = await world.caller()
    await world.api(f"uuid_setvar {caller} signal_bond somebody")
    transfer = await world.ask(await world.department("2001"), caller)
    ended = await world.reaches(transfer, State.ENDED)
    assert (ended.outcome, ended.error) == (Outcome.ERROR, "bridged")
    assert world.leg(caller) and not world.lab.conferences and not world.lab.timers.tasks


async def test_a_number_that_is_none_never_reaches_the_switch(world):
    await world.start()
    department = await world.department("2001")
    transfer = await world.ask(department, await world.caller(), caller_number="1}user/9")
    await world.reaches(transfer, State.INFORMING)

    async def refused():
        (dial,) = await world.commands(transfer, "Dial")
        return (dial.state, dial.result) == ("failed", "number")

    await world.until(refused)
    assert not any(c.variables.get("transferhub_attempt") for c in world.lab.channels.values())


async def test_a_refused_stream_is_a_lost_announcer(world):
    await world.start()
    transfer = await world.ask(await world.department("2001"), await world.caller())
    await world.reaches(transfer, State.ANNOUNCING)
    attempt = await world.attempt(transfer)
    await world.tell(transfer, e.AnnouncerReady(attempt.mark, "ws://127.0.0.1:9/audio/x"))

    async def lost():
        return await sync_to_async(transfer.events.filter(event="AnnouncerLost").exists)()

    await world.until(lost)
    await world.announce(transfer)  # another process begins again: stop, then start
    await world.until(lambda: world.audio.sockets)


async def test_a_dropped_stream_is_a_lost_announcer(world):
    await world.start()
    transfer = await world.ask(await world.department("2001"), await world.caller())
    path = await world.announcing(transfer)
    await world.audio.sockets[path].close(1011, "upstream lost")

    async def lost():
        return await sync_to_async(transfer.events.filter(event="AnnouncerLost").exists)()

    await world.until(lost)


# ---------------------------------------------------------------- clips and the bus
@asynccontextmanager
async def web_process(world, transfer):
    """A claimed announcer, and what its process hears on the bus."""
    await sync_to_async(services.heartbeat)("web-1", "ws://127.0.0.1:1", 0)
    await sync_to_async(services.claim_audio)("web-1")
    layer, heard = get_channel_layer(), []
    channel = await layer.new_channel()
    await layer.group_add(bus.process_group("web-1"), channel)

    async def listen():
        while True:
            for message in bus.unpacked(await layer.receive(channel)):
                if message["type"] != "announcer.note":  # those are the machine's
                    heard.append(message)

    task = asyncio.create_task(listen())
    try:
        yield heard
    finally:
        task.cancel()


async def test_clips_are_heard_by_the_agent_alone_and_the_web_process_follows_them(world):
    await world.start()
    transfer = await world.ask(await world.department("2001"), await world.caller())
    await world.reaches(transfer, State.ANNOUNCING)
    async with web_process(world, transfer) as heard:
        path = await world.announcing(transfer)
        await world.audio.play(path, 200)
        await world.audio.play(path, 200)
        await world.until(lambda: [one["what"] for one in heard].count("done") == 2)
        agent = (await world.transfer(transfer)).agent_uuid
        assert {one["uuid"] for one in heard} == {agent}
        files = [one["path"] for one in heard if one["what"] == "ready"]
        assert [one["path"] for one in heard if one["what"] == "done"] == files
        for file in files:
            assert [one["what"] for one in heard if one["path"] == file] == ["ready", "start", "done"]


async def test_clips_are_silenced_at_once_when_the_agent_speaks(world):
    await world.start()
    transfer = await world.ask(await world.department("2001"), await world.caller())
    await world.reaches(transfer, State.ANNOUNCING)
    async with web_process(world, transfer) as heard:
        path = await world.announcing(transfer)
        await world.audio.play(path, 20_000)
        await world.until(lambda: "start" in [one["what"] for one in heard])
        agent = (await world.transfer(transfer)).agent_uuid
        await bus.asend(bus.switch_group("main"), {"type": "clips.stop", "uuid": agent})
        await world.until(lambda: "done" in [one["what"] for one in heard], seconds=2)


async def test_a_clip_that_cannot_be_played_is_told_as_stopped(world):
    await world.start()
    transfer = await world.ask(await world.department("2001"), await world.caller())
    await world.reaches(transfer, State.ANNOUNCING)
    async with web_process(world, transfer) as heard:
        await world.announcing(transfer)
        agent = (await world.transfer(transfer)).agent_uuid
        operator = world.process.operator
        for path in ("/no/such.wav", "/tmp/not a path.wav"):
            body = json.dumps({"file": path})
            headers = {"Unique-ID": agent}
            operator.on_event(SwitchEvent("mod_audio_stream::play", headers, body))
        await world.until(lambda: [one["what"] for one in heard].count("stopped") == 2)


async def test_keys_and_hold_are_told_to_the_web_process(world):
    await world.start()
    transfer = await world.ask(await world.department("2001"), await world.caller())
    await world.reaches(transfer, State.ANNOUNCING)
    async with web_process(world, transfer) as heard:
        await world.announcing(transfer)
        agent = await press(world, transfer, "0")
        await world.until(lambda: heard)
        assert heard == [{"type": "leg.key", "uuid": agent, "digit": "0"}]


async def test_a_prompt_can_be_cut(world):
    await world.start()
    caller = await world.caller()
    transfer = await world.ask(await world.department("2003"), caller)
    await told_by_prompt(world, transfer, 20_000)
    await world.until(lambda: world.process.operator.index.by_caller(caller).prompt_playing)
    await asyncio.sleep(0.2)
    await bus.asend(bus.switch_group("main"), {"type": "clip.break", "uuid": caller})
    ended = await world.reaches(transfer, State.ENDED)
    assert ended.outcome == Outcome.BUSY
    await world.until(lambda: world.in_the_menu(caller))


async def test_a_caller_does_not_wait_for_the_end_of_a_prompt_he_is_sent_away_from(world):
    await world.start()
    caller = await world.caller()
    transfer = await world.ask(await world.department("2003"), caller)
    await told_by_prompt(world, transfer, 30_000)
    await world.until(lambda: world.process.operator.index.by_caller(caller).prompt_playing)
    await asyncio.sleep(0.2)
    await world.tell(transfer, e.PromptFailed("test"))
    await world.reaches(transfer, State.ENDED, seconds=3)
    await world.until(lambda: world.in_the_menu(caller))


async def test_without_redis_everything_goes_on(world, settings):
    layer = settings.CHANNEL_LAYERS["default"]
    settings.CHANNEL_LAYERS = {"default": layer | {"CONFIG": layer["CONFIG"] | {"url": "redis://127.0.0.1:9/0"}}}
    channel_layers.backends.clear()
    await world.start()
    transfer = await world.ask(await world.department("2001"), await world.caller())
    await world.announcing(transfer)
    await press(world, transfer, "1")
    await world.reaches(transfer, State.CONNECTED)
