import asyncio

import pytest

from tests.simulator.eslclient import EventSocket


async def test_nothing_is_answered_before_the_password(lab):
    client = await EventSocket.connect(lab.switch.port, None)
    client.write("api status\n\n")
    assert (await client.send("auth ClueCon")).headers["Reply-Text"] == "+OK accepted"
    await client.close()


async def test_a_wrong_password_ends_the_connection(lab):
    client = await EventSocket.connect(lab.switch.port, None)
    assert (await client.send("auth nope")).headers["Reply-Text"] == "-ERR invalid"
    assert (await client.reply()).kind == "text/disconnect-notice"
    await asyncio.wait_for(client._task, 5)


async def test_a_client_sees_only_what_it_asked_for(lab):
    client = await EventSocket.connect(
        lab.switch.port, "ClueCon", "CHANNEL_ANSWER", "CUSTOM", "conference::maintenance"
    )
    a = await lab.parked()
    await client.event(Action="add-member", Unique_ID=a)
    names = {block.event["Event-Name"] for block in client.events}
    assert names == {"CHANNEL_ANSWER", "CUSTOM"}
    await client.close()


async def test_a_subclass_that_was_not_named_does_not_come(lab):
    client = await EventSocket.connect(lab.switch.port, "ClueCon", "CUSTOM", "mod_audio_stream::connect")
    await lab.parked()
    assert client.events == []
    await client.close()


async def test_events_can_be_taken_back(lab):
    await lab.esl.send("noevents")
    assert (await lab.esl.send("noevents")).headers["Reply-Text"] == "-ERR not listening for events"
    before = len(lab.esl.events)
    await lab.caller()
    assert len(lab.esl.events) == before
    await lab.esl.send("event plain CHANNEL_CREATE CHANNEL_ANSWER")
    await lab.esl.send("nixevent CHANNEL_CREATE")
    await lab.caller()
    await lab.event(Event_Name="CHANNEL_ANSWER")
    assert lab.esl.seen(Event_Name="CHANNEL_CREATE") == []


async def test_a_filter_leaves_one_leg(lab):
    a = await lab.caller()
    reply = await lab.esl.send(f"filter Unique-ID {a}")
    assert reply.headers["Reply-Text"] == f"+OK filter added. [Unique-ID]=[{a}]"
    before = len(lab.esl.events)
    await lab.caller()
    await lab.api(f"uuid_kill {a}")
    await lab.ended(a)
    assert {block.event["Unique-ID"] for block in lab.esl.events[before:]} == {a}


async def test_api_is_serial_on_one_connection_and_free_on_another(lab):
    lab.esl.write("api originate {originate_timeout=40}user/2004@lab &park\n\napi version\n\n")
    await lab.event(Event_Name="CHANNEL_PROGRESS")
    other = await EventSocket.connect(lab.switch.port)
    assert (await other.api("version")).startswith("FreeSWITCH")
    await other.api("hupall NORMAL_CLEARING")
    assert (await lab.esl.reply()).body == "-ERR NORMAL_CLEARING\n"
    assert (await lab.esl.reply()).body.startswith("FreeSWITCH")
    await other.close()


async def test_bgapi_answers_at_once_with_the_given_job(lab):
    reply = await lab.esl.send("bgapi originate user/2004@lab &park", "Job-UUID: mine")
    assert reply.headers["Reply-Text"] == "+OK Job-UUID: mine"
    await lab.event(Event_Name="CHANNEL_PROGRESS")
    assert lab.esl.seen(Event_Name="BACKGROUND_JOB") == []
    await lab.api("hupall USER_BUSY")
    job = await lab.event(Event_Name="BACKGROUND_JOB")
    assert (job.event["Job-UUID"], job.body) == ("mine", "-ERR USER_BUSY\n")


async def test_values_are_percent_encoded_and_come_back_whole(lab):
    a = await lab.caller()
    evil = "Bob\\nUnique-ID: evil é 100%"
    await lab.api(f"uuid_setvar {a} note {evil}")
    await lab.api(f"uuid_kill {a}")
    event = await lab.event(Event_Name="CHANNEL_DESTROY", Unique_ID=a)
    assert event.event["variable_note"] == "Bob\nUnique-ID: evil é 100%"


async def test_cut_connections_leave_the_calls_alone(lab):
    a = await lab.parked()
    lab.switch.cut_event_sockets()
    await asyncio.wait_for(lab.esl._task, 5)
    again = await EventSocket.connect(lab.switch.port)
    assert await again.api(f"uuid_exists {a}") == "true"
    await again.close()


async def test_a_switch_can_refuse_and_take_connections_again(lab):
    lab.switch.refuse_event_sockets(True)
    with pytest.raises((TimeoutError, ConnectionError)):
        client = EventSocket(*await asyncio.open_connection("127.0.0.1", lab.switch.port))
        await client.reply(timeout=0.2)
    lab.switch.refuse_event_sockets(False)
    client = await EventSocket.connect(lab.switch.port)
    await client.close()


async def test_replies_can_be_slow(lab):
    lab.switch.delay_replies(0.2)
    began = asyncio.get_running_loop().time()
    await lab.api("version")
    assert asyncio.get_running_loop().time() - began >= 0.2


async def test_a_restart_ends_all_calls_and_changes_the_core_uuid(lab):
    a = await lab.parked()
    await lab.api(f"sched_api +60 group uuid_kill {a}")
    old = await lab.api("global_getvar core_uuid")
    await lab.switch.restart()
    client = await EventSocket.connect(lab.switch.port, "ClueCon", "ALL")
    assert await client.api("global_getvar core_uuid") != old
    assert await client.api(f"uuid_exists {a}") == "false"
    assert await client.api("show channels count") == "\n0 total.\n"
    assert await client.api("show tasks as json") == '{"row_count": 0}\n'
    assert await client.api("conference list") == "+OK No active conferences.\n"
    assert client.events == []
    await client.close()
