"""One switch as a whole: broadcasts, telephones, streams, what it tells about itself, and the program it is."""

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from calls.simulator.incoming import Call
from tests.simulator.conformance import AudioServer
from tests.simulator.eslclient import EventSocket
from tests.simulator.lab import Lab, lab_switch

ROOT = Path(__file__).parents[2]
PROMPT = "tone_stream://%(3000,0,500)"


@pytest.fixture
async def audio():
    server = AudioServer()
    server.url = await server.start()
    yield server
    await server.stop()


async def test_hup_waits_for_a_broadcast_to_end(lab):
    a = await lab.parked()
    await lab.api(f"uuid_broadcast {a} {PROMPT} aleg")
    await lab.event(Event_Name="PLAYBACK_START", Playback_File_Path=PROMPT)
    await lab.api(f"conference room hup uuid={a}")
    await lab.home(a)
    story = lab.story(a)
    assert story.index("hup-member") < story.index("PLAYBACK_STOP", 4) < story.index("del-member")
    assert lab.switch.media.ledger.seconds_heard(a, "broadcast:") > 2.9


@pytest.mark.parametrize(("command", "status"), [("uuid_break {a} all", "break"), ("uuid_kill {a}", "done")])
async def test_a_broadcast_can_be_cut(lab, command, status):
    a = await lab.parked()
    await lab.api(f"uuid_broadcast {a} silence_stream://-1 aleg")
    await lab.event(Event_Name="PLAYBACK_START", Unique_ID=a, Playback_File_Path="silence_stream://-1")
    await lab.api(command.format(a=a))
    stop = await lab.event(Event_Name="PLAYBACK_STOP", Unique_ID=a, Playback_File_Path="silence_stream://-1")
    assert stop.event["Playback-Status"] == status


async def test_a_transfer_cuts_a_broadcast_at_once(lab):
    a = await lab.parked()
    await lab.api(f"uuid_broadcast {a} silence_stream://-1 aleg")
    await lab.event(Event_Name="PLAYBACK_START", Unique_ID=a, Playback_File_Path="silence_stream://-1")
    await lab.api(f"uuid_transfer {a} ivr_return XML public")
    await lab.home(a)


async def test_a_broadcast_is_heard_by_a_held_caller_in_place_of_the_conference(lab):
    a, b = await lab.parked(), await lab.agent()
    await lab.api(f"conference room hold uuid={a} tone_stream://%(200,0,800);loops=-1")
    await lab.api(f"uuid_broadcast {a} {PROMPT} aleg")
    await lab.event(Event_Name="PLAYBACK_START", Playback_File_Path=PROMPT)
    assert await lab.hears(a, "broadcast:") and not await lab.hears(a, b)


async def test_a_file_that_is_not_there_makes_no_event_and_the_call_goes_on(lab):
    a = await lab.parked()
    await lab.api(f"uuid_broadcast {a} /nowhere.wav aleg")
    await lab.api(f"conference room hup uuid={a}")
    await lab.home(a)


async def test_the_telephones_own_hold_is_an_event_and_stops_the_streams_frames(lab, audio):
    await lab.parked()
    b = await lab.agent()
    await lab.api(f"uuid_audio_stream {b} start {audio.url}/b mono 8k")
    await lab.event(Event_Subclass="mod_audio_stream::connect", Unique_ID=b)
    call = Call(lab.switch.channels[b])
    call.hold()
    await lab.event(Event_Name="CHANNEL_HOLD", Unique_ID=b)
    await lab.hears(b, "nobody", 0.2)  # what was on its way arrives
    before = audio.frames["/b"]
    await lab.hears(b, "nobody", 0.4)
    assert audio.frames["/b"] == before
    call.unhold()
    await lab.event(Event_Name="CHANNEL_UNHOLD", Unique_ID=b)
    await lab.hears(b, "nobody", 0.4)
    assert audio.frames["/b"] > before


async def test_a_muted_members_stream_still_carries_his_voice(lab, audio):
    a = await lab.parked()
    await lab.api(f"uuid_audio_stream {a} start {audio.url}/a mono 16k")
    await lab.event(Event_Subclass="mod_audio_stream::connect", Unique_ID=a)
    await lab.hears(a, "nobody", 0.4)
    assert audio.frames["/a"] > 5


async def test_a_second_stream_fails_until_the_first_is_stopped(lab, audio):
    a = await lab.caller()
    start = f"uuid_audio_stream {a} start {audio.url}/x mono 16k"
    assert await lab.api(start) == "+OK Success\n"
    assert await lab.api(start) == "-ERR Operation Failed\n"
    assert await lab.api(f"uuid_audio_stream {a} stop") == "+OK Success\n"
    assert await lab.api(f"uuid_audio_stream {a} stop") == "-ERR Operation Failed\n"
    assert await lab.api(start) == "+OK Success\n"


async def test_a_refer_inside_a_conference_is_refused(lab):
    await lab.parked()
    b = await lab.agent()
    assert Call(lab.switch.channels[b]).refer("2002") == 403


async def test_keys_of_a_telephone_are_events(lab):
    await lab.parked()
    b = await lab.agent()
    Call(lab.switch.channels[b]).dtmf("1")
    event = (await lab.event(Event_Name="DTMF", Unique_ID=b)).event
    assert (event["DTMF-Digit"], event["DTMF-Source"]) == ("1", "RTP")


async def test_a_switch_tells_about_itself(lab):
    a = await lab.parked()
    await lab.api(f"sched_api +60 group uuid_kill {a}")
    rows = json.loads(await lab.api("show channels as json"))["rows"]
    assert {row["uuid"] for row in rows} >= {a}
    tasks = json.loads(await lab.api("show tasks as json"))
    assert (tasks["row_count"], tasks["rows"][0]["task_group"]) == (1, "group")
    assert "mod_audio_stream" in {row["ikey"] for row in json.loads(await lab.api("show modules as json"))["rows"]}
    assert await lab.api("sofia_contact 2001@lab") == "error/user_not_registered"  # a fixed address
    assert (await lab.api("strftime %Y")).isdigit()
    assert f"Unique-ID: {a}\n" in await lab.api(f"uuid_dump {a}")
    assert "is ready" in await lab.api("status")


async def test_the_ledger_tells_who_was_heard(lab):
    a, b = await lab.parked(), await lab.agent()
    await lab.hears(a, b)
    assert [b] in [span["talkers"] for span in await lab.ledger(a)]


async def test_two_switches_live_in_one_process(lab, tmp_path):
    async with Lab.open(lab_switch(tmp_dir=tmp_path / "other")) as other:
        a, b = await lab.parked(), await other.parked()
        assert await lab.api(f"uuid_exists {b}") == await other.api(f"uuid_exists {a}") == "false"
        assert await lab.api("global_getvar core_uuid") != await other.api("global_getvar core_uuid")
        assert await lab.member(a) == await other.member(b) == "1"


async def test_nothing_is_left_when_everybody_has_gone(lab, audio):
    a, b = await lab.parked(), await lab.agent()
    await lab.api(f"uuid_audio_stream {b} start {audio.url}/b mono 8k")
    await lab.api("hupall NORMAL_CLEARING")
    await asyncio.gather(lab.ended(a), lab.ended(b))
    await lab.event(Action="conference-destroy")
    await lab.esl.until(lambda _: not lab.switch.channels)
    switch = lab.switch
    assert (switch.conferences, switch.timers.tasks, switch.media.legs, switch.media.rooms) == ({}, {}, {}, {})


async def test_the_switch_is_a_program_with_a_phone_book_in_a_file(tmp_path):
    (tmp_path / "book.yaml").write_text("'2001': busy\n'2002': {temperament: no_answer, ring_seconds: 1}\n")
    command = [sys.executable, "-m", "calls.simulator.switch", "--password", "p", "--phonebook"]
    process = await asyncio.create_subprocess_exec(
        *command,
        str(tmp_path / "book.yaml"),
        *["--port", "0", "--speed", "5"],
        cwd=ROOT,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        line = (await asyncio.wait_for(process.stderr.readline(), 20)).decode()
        client = await EventSocket.connect(int(line.rsplit(":", 1)[1]), "p")
        assert await client.api("originate user/2001@lab &park") == "-ERR USER_BUSY\n"
        assert await client.api("originate user/2009@lab &park") == "-ERR SUBSCRIBER_ABSENT\n"
        await client.close()
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 10) == 0
    finally:
        if process.returncode is None:
            process.kill()


def test_a_phone_book_with_an_unknown_temperament_is_a_clear_message(tmp_path):
    (tmp_path / "book.json").write_text('{"2001": "grumpy"}')
    command = [
        sys.executable,
        "-m",
        "calls.simulator.switch",
        "--port",
        "0",
        "--phonebook",
        str(tmp_path / "book.json"),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1 and "grumpy" in done.stderr and "Traceback" not in done.stderr
