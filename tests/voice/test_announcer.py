"""An agent hears the announcement and answers, through every socket on the way."""

import asyncio
import time

import pytest
from django.db import OperationalError

from calls import bus
from calls.simulator.realtime_faults import Fault
from calls.transfer.events import AnnouncementEnded, AnnouncementStarted, Choice, DecisionMade
from calls.voice import announcer as announcer_module
from tests.voice.world import BRIEF, until


async def prepared(web, realtime):
    """The telephone rings, and the announcement is made meanwhile."""
    url = await web.claimed(1)
    await until(lambda: realtime.sessions and realtime.sessions[-1].sent["response.done"], what="the announcement")
    return url


def received(realtime, kind):
    return [event for event in realtime.sessions[-1].received if event["type"] == kind]


def decision(door):
    return next(iter(door.of(DecisionMade)), None)


@pytest.mark.parametrize("rate", [8000, 24_000])
async def test_an_agent_who_says_yes_has_accepted(web, line, realtime, door, rate):
    line.connect(await prepared(web, realtime), rate)
    await line.hears(0.2)
    await line.agent.say("alo")
    await line.hears_out()
    assert not door.of(DecisionMade) and not line.stops
    await line.agent.say("sim_pode_passar")
    accepted = await until(lambda: decision(door), what="the decision")
    assert accepted.choice == Choice.ACCEPT
    kinds = [type(event) for event in door.events]
    assert kinds == [AnnouncementStarted, AnnouncementEnded, DecisionMade]
    assert len(line.clips) == 1
    await line.stream.stop()
    await until(lambda: 1 in door.closed, what="the end of the session")
    assert door.closed[1]["total_tokens"] > 0
    assert ("announcer", BRIEF["announcement_text"]) in door.utterances
    assert ("agent", "Sim, pode passar.") in door.utterances
    assert realtime.sessions[-1].errors == []


async def test_an_agent_who_declines_is_quoted(web, line, realtime, door):
    line.connect(await prepared(web, realtime))
    await line.hears_out()
    await line.agent.say("em_reuniao")
    declined = await until(lambda: decision(door), what="the decision")
    assert (declined.choice, declined.reason) == (Choice.REJECT, "em reunião")


async def test_an_agent_who_interrupts_with_a_question_is_answered_and_may_then_accept(web, line, realtime, door):
    line.connect(await prepared(web, realtime))
    await line.hears(1.7)
    began = time.monotonic()
    await line.agent.say("quem_gostaria")
    stopped = await until(lambda: line.stops, what="silence")
    assert stopped[0] - began < 0.5
    (cut,) = await until(lambda: received(realtime, "conversation.item.truncate"), what="the truncation")
    assert 1500 < cut["audio_end_ms"] < 3500
    await line.hears_out()
    assert not door.of(DecisionMade)
    # the announcement that he cut off, and the answer: each begins and ends once
    await until(lambda: len(door.of(AnnouncementEnded)) == 2, what="the end of the answer")
    assert len(door.of(AnnouncementStarted)) == 2
    await line.agent.say("claro_eu_atendo")
    assert (await until(lambda: decision(door), what="the decision")).choice == Choice.ACCEPT
    assert realtime.sessions[-1].errors == []


async def test_an_answering_machine_is_found_out(web, line, realtime, door):
    line.connect(await prepared(web, realtime))
    await line.agent.say("correio_de_voz")
    assert (await until(lambda: decision(door), what="the decision")).choice == Choice.VOICEMAIL


async def test_a_yes_that_nobody_gave_decides_nothing(web, line, realtime, door):
    realtime.faults = [Fault("unprompted_accept")]
    line.connect(await prepared(web, realtime))
    await line.hears_out()
    await line.agent.say("vendas_bom_dia")
    await line.hears_out()
    assert not door.of(DecisionMade)


async def test_prepared_words_are_at_the_switch_within_a_tenth_of_a_second(web, line, realtime, door):
    url = await prepared(web, realtime)
    line.connect(url)
    await until(lambda: line.ended == ["connect"], what="the socket")
    connected = time.monotonic()
    await until(lambda: line.clips, what="the first clip")
    assert line.clips[0] - connected < 0.1


async def test_an_agent_who_answers_before_the_words_are_made_hears_them_as_they_come(web, line, realtime, door):
    line.connect(await web.claimed(1))
    await until(lambda: door.of(AnnouncementEnded), what="the end of the announcement")
    assert len(line.clips) > 1
    assert realtime.sessions[-1].errors == []


@pytest.mark.parametrize(
    "fault",
    [
        Fault("refuse", status=401),
        Fault("stall"),
        Fault("drop", before="response.output_audio.delta"),
    ],
    ids=lambda fault: fault.kind,
)
async def test_without_the_model_the_announcement_is_synthesised_and_names_the_keys(web, line, realtime, door, fault):
    realtime.faults = [fault]
    line.connect(await web.claimed(1))
    await until(lambda: door.of(AnnouncementStarted), what="the announcement")
    await until(lambda: door.of(AnnouncementEnded), what="its end")
    assert door.utterances == [("announcer", BRIEF["announcement_text"])]
    assert not door.of(DecisionMade)


async def test_a_model_lost_in_mid_sentence_is_replaced_and_the_old_words_stop(web, line, realtime, door):
    line.connect(await prepared(web, realtime))
    await line.hears(1.0)
    realtime.faults = [Fault("expire", after=0.01)]
    await until(lambda: len(line.clips) == 2, what="the synthesised announcement")
    assert line.stops
    await until(lambda: door.of(AnnouncementEnded), what="its end")
    assert len(door.of(AnnouncementEnded)) == 1


async def test_nonsense_of_the_server_harms_nothing(web, line, realtime, door):
    realtime.faults = [Fault("nonsense", before="response.output_audio.delta")]
    line.connect(await prepared(web, realtime))
    await line.hears_out()
    await line.agent.say("sim_pode_passar")
    assert (await until(lambda: decision(door), what="the decision")).choice == Choice.ACCEPT


async def test_a_decision_survives_a_database_that_is_away(web, line, realtime, door):
    line.connect(await prepared(web, realtime))
    await line.hears_out()
    door.fail_with = OperationalError("server closed the connection")
    await line.agent.say("sim_pode_passar")
    await until(lambda: door.refused > 5, what="some tries")
    await until(lambda: len(line.clips) == 2, what="a word of excuse")
    assert not door.of(DecisionMade)
    door.fail_with = None
    assert (await until(lambda: decision(door), what="the decision")).choice == Choice.ACCEPT


async def test_a_decision_that_a_locked_database_keeps_waiting_is_excused_once(web, line, realtime, door, monkeypatch):
    monkeypatch.setattr(announcer_module, "EXCUSE_SECONDS", 0.2)
    line.connect(await prepared(web, realtime))
    await line.hears_out()
    free, apply = asyncio.Event(), door.apply_event

    async def locked(transfer_id, event):
        await free.wait()
        return await apply(transfer_id, event)

    monkeypatch.setattr(door, "apply_event", locked)
    await line.agent.say("sim_pode_passar")
    await until(lambda: len(line.clips) == 2, what="um momento")
    assert not door.of(DecisionMade)
    free.set()
    assert (await until(lambda: decision(door), what="the decision")).choice == Choice.ACCEPT
    assert len(line.clips) == 2


async def test_an_agent_whose_key_waits_for_the_database_hears_that_it_takes_a_moment(web, line, realtime, door):
    line.connect(await prepared(web, realtime))
    await line.hears_out()
    await bus.asend(bus.process_group(web.hub.process_id), {"type": "leg.moment", "uuid": "leg-b"})
    await until(lambda: len(line.clips) == 2, what="um momento")


MOMENTS = (
    "session.created", "session.updated", "conversation.item.added", "response.created", "response.output_item.added",
    "response.content_part.added", "response.output_audio.delta", "response.output_audio_transcript.delta",
    "response.output_audio.done", "response.output_audio_transcript.done", "response.output_item.done", "response.done",
    "input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped", "input_audio_buffer.committed",
    "conversation.item.input_audio_transcription.completed",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["drop", "stall"])
@pytest.mark.parametrize("moment", MOMENTS)
async def test_whenever_the_model_is_lost_the_agent_hears_what_the_keys_do(web, line, realtime, door, kind, moment):
    realtime.faults = [Fault(kind, before=moment)]
    line.connect(await web.claimed(1))
    speaking = asyncio.create_task(speaks_again_and_again(line))
    await until(lambda: not web.hub.legs[0].dialogue.has_model or decision(door), 30, what="the loss")
    if not decision(door):
        clips = len(line.clips)
        await until(lambda: len(line.clips) > clips - 1 and line.clips, 10, what="a word of ours")
        await until(lambda: web.hub.legs[0].dialogue.sound(20) or door.of(AnnouncementEnded), 10, what="its sound")
    speaking.cancel()
    assert len(door.of(DecisionMade)) <= 1


async def speaks_again_and_again(line):
    await line.hears_out()
    while True:
        await line.agent.say("sim_pode_passar")
        await line.agent.pause(3)


async def test_the_agent_is_told_that_the_caller_left(web, line, realtime, door):
    line.connect(await prepared(web, realtime))
    await line.hears(1.0)
    note = {"type": "announcer.note", "session": 1, "note": "caller_left"}
    await bus.asend(bus.process_group(web.hub.process_id), note)
    await until(lambda: line.stops and len(line.clips) == 2, what="the last words")
    await until(lambda: realtime.sessions[-1].close_code == 1000, what="the end of the model's session")


async def test_the_announcement_is_repeated_and_the_session_closed_on_request(web, line, realtime, door):
    line.connect(await prepared(web, realtime))
    await line.hears_out()
    group = bus.process_group(web.hub.process_id)
    await bus.asend(group, {"type": "announcer.note", "session": 1, "note": "repeat"})
    await until(lambda: len(door.of(AnnouncementEnded)) == 2, what="the second end")
    await bus.asend(group, {"type": "announcer.note", "session": 1, "note": "close"})
    await until(lambda: "disconnect" in line.ended and 1 in door.closed, what="the end")
    await until(lambda: not web.hub.legs, what="an empty hub")
