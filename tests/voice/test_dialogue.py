"""The announcer's side of a conversation, without sockets: the model's events, frames and reports in, effects out."""

import pytest

from calls.transfer.decision import ToolCall
from calls.transfer.events import AnnouncementEnded, AnnouncementStarted, Choice, DecisionMade
from calls.voice import effects as fx
from calls.voice import protocol as p
from calls.voice.clips import duration_ms
from tests.voice.line import BRIEF, SECOND, Line


@pytest.fixture
def line():
    return Line()


def test_the_announcement_is_asked_for_while_the_telephone_rings_word_for_word_and_without_tools(line):
    line.model_up()
    update, create = line.messages()
    assert update["type"] == "session.update"
    assert create["response"]["tool_choice"] == "none"
    assert f"Diga exatamente: «{BRIEF['announcement_text']}»" in create["response"]["instructions"]


def test_an_announcement_made_in_advance_is_one_clip_and_goes_out_at_once(line):
    line.prepared(5)
    (play,) = line.of(fx.Play, line.connected())
    assert duration_ms(play.pcm) == 5000


def test_an_announcement_in_the_making_goes_out_in_clips_as_it_comes(line):
    line.model_up()
    line.model(p.ResponseCreated("resp_1"), p.AudioDelta("resp_1", "item_1", SECOND))
    first = line.of(fx.Play, line.connected())
    assert first and duration_ms(first[0].pcm) <= 500
    line.model(p.AudioDelta("resp_1", "item_1", SECOND * 3), p.ResponseDone("resp_1", "completed"))
    assert sum(duration_ms(play.pcm) for play in line.of(fx.Play)) == 4000


def test_the_transfer_is_told_when_the_announcement_is_heard_and_when_it_is_over(line):
    line.prepared(5)
    line.connected()
    assert line.told() == []
    assert line.told(line.started()) == [AnnouncementStarted("mark")]
    line.waits(5000)
    assert line.told(line.played()) == [AnnouncementEnded("mark")]
    assert [(write.who, write.text) for write in line.of(fx.Write)] == [("announcer", BRIEF["announcement_text"])]


def test_an_alo_in_the_first_moments_neither_stops_the_announcement_nor_is_answered(line):
    line.prepared()
    line.connected()
    line.started()
    line.waits(300)
    new = line.says(500) + line.falls_silent() + line.waits(1000)
    assert not line.of(fx.Silence, new) and not line.messages(new) and not line.told(new)


def test_an_alo_before_the_announcement_is_audible_is_not_answered_either(line):
    line.model_up()
    line.connected()
    new = line.says(400) + line.falls_silent()
    assert not line.messages(new) and not line.of(fx.Silence, new)


def test_a_long_greeting_in_the_first_moments_interrupts(line):
    line.prepared()
    line.connected()
    line.started()
    line.waits(300)
    assert not line.of(fx.Silence, line.says(640))
    assert line.of(fx.Silence, line.says(100, noticed=False))


def test_speech_after_the_first_moments_silences_us_at_once_and_the_model_is_told_what_was_heard(line):
    line.prepared()
    line.connected()
    line.started()
    line.waits(2000)
    new = line.says(80)
    assert line.of(fx.Silence, new)
    (cut,) = line.messages(new)
    assert (cut["type"], cut["item_id"], cut["audio_end_ms"]) == ("conversation.item.truncate", "item_1", 2080)
    assert line.told(new) == [AnnouncementEnded("mark")]
    assert line.types(line.falls_silent()) == ["response.create"]


def test_an_announcement_heard_to_its_end_is_not_truncated(line):
    line.announced()
    assert line.messages(line.says(500)) == []


def test_an_answer_is_asked_for_when_the_agents_turn_is_over(line):
    line.announced()
    line.says(600)
    assert line.types(line.falls_silent()) == ["response.create"]


@pytest.mark.parametrize(
    ("call", "choice", "reason"),
    [
        (ToolCall("c", "accept_transfer"), Choice.ACCEPT, ""),
        (ToolCall("c", "reject_transfer", '{"reason": "em reunião"}'), Choice.REJECT, "em reunião"),
        (ToolCall("c", "voicemail_detected"), Choice.VOICEMAIL, ""),
    ],
)
def test_the_agents_answer_decides_once(line, call, choice, reason):
    line.announced()
    line.says(600)
    line.falls_silent()
    (decision,) = line.told(line.responds(2, calls=[call, call]))
    assert isinstance(decision, DecisionMade)
    assert (decision.choice, decision.reason) == (choice, reason)
    again = line.says(600) + line.falls_silent() + line.responds(3, calls=[ToolCall("d", "accept_transfer")])
    assert line.told(again) == [] and line.messages(again) == []


def test_a_yes_nobody_gave_decides_nothing_and_the_agent_is_asked_again_without_tools(line):
    line.announced()
    line.says(100, noticed=False)  # a knock, which only the model takes for speech
    line.model(p.SpeechStarted("turn", 0))
    line.falls_silent()
    new = line.responds(2, calls=[ToolCall("c", "accept_transfer")])
    assert line.told(new) == []
    output, create = line.messages(new)
    assert output["item"]["call_id"] == "c"
    assert "Você pode atender agora?" in create["response"]["instructions"]
    assert create["response"]["tool_choice"] == "none"


def test_an_answer_the_agent_speaks_into_decides_nothing_and_the_rest_of_it_is_not_heard(line):
    line.announced()
    line.says(600)
    line.falls_silent()
    line.model(p.ResponseCreated("resp_2"))
    assert line.types(line.says(100)) == ["response.cancel"]
    late = line.model(
        p.AudioDelta("resp_2", "item_2", SECOND),
        p.ResponseDone("resp_2", "completed", calls=(ToolCall("c", "accept_transfer"),)),
    )
    assert line.told(late) == [] and not line.of(fx.Play, late)
    assert line.types(line.falls_silent()) == ["response.create"]


def test_responses_are_asked_for_one_at_a_time(line):
    line.announced()
    line.says(600)
    line.falls_silent()
    line.model(p.ResponseCreated("resp_2"))
    line.says(600)
    assert line.types(line.falls_silent()) == []  # the cancelled one is not done yet
    assert line.types(line.model(p.ResponseDone("resp_2", "cancelled"))) == ["response.create"]


def test_a_response_cancelled_before_it_was_created_is_cancelled_when_it_is(line):
    line.announced()
    line.says(600)
    line.falls_silent()
    assert line.types(line.says(100)) == []
    assert line.types(line.model(p.ResponseCreated("resp_2"))) == ["response.cancel"]


def test_a_clip_that_reaches_the_switch_after_the_silence_is_silenced_too(line):
    line.announced()
    line.says(600)
    line.falls_silent()
    line.responds(2, seconds=1)
    line.says(100)
    assert line.of(fx.Silence, line.playback("ready", "/tmp/leg_1.tmp.wav"))


def test_a_long_speech_is_voicemail_without_any_model(line):
    line.model_lost("refused")
    line.synthesised("fallback", SECOND)
    line.connected()
    (decision,) = [event for event in line.told(line.says(4200, noticed=False)) if isinstance(event, DecisionMade)]
    assert decision.choice == Choice.VOICEMAIL


def test_a_model_that_is_lost_while_it_rings_is_replaced_by_words_and_keys(line):
    line.model_up()
    left, asked = line.model_lost("refused")
    assert isinstance(left, fx.LeaveModel)
    assert BRIEF["announcement_text"] in asked.text and "tecle um" in asked.text
    line.synthesised("fallback", SECOND)
    (play,) = line.of(fx.Play, line.connected())
    assert play.pcm == SECOND
    assert line.told(line.started()) == [AnnouncementStarted("mark")]


def test_a_model_that_is_lost_in_mid_sentence_is_replaced_at_once(line):
    line.prepared()
    line.connected()
    line.started()
    line.waits(1000)
    new = line.model_lost("closed 1006")
    assert line.of(fx.Silence, new) and BRIEF["announcement_text"] in line.of(fx.Synthesise, new)[0].text
    assert line.told(new) == []
    assert line.of(fx.Play, line.synthesised("fallback", SECOND) + line.waits(420))


def test_who_has_heard_the_announcement_is_only_told_the_keys(line):
    line.announced()
    (asked,) = line.of(fx.Synthesise, line.model_lost("closed 1006"))
    assert "Maria" not in asked.text and "tecle um" in asked.text


@pytest.mark.parametrize("happened", ["patience_over", "nothing"])
def test_without_a_word_of_the_model_in_time_the_keys_decide(line, happened):
    line.model_up()
    line.connected()
    if happened == "patience_over":
        assert line.of(fx.LeaveModel, line.patience_over())
    else:
        assert not line.of(fx.LeaveModel, line.waits(1000))


def test_a_failed_announcement_is_replaced(line):
    line.model_up()
    assert line.of(fx.LeaveModel, line.responds(1, status="failed"))


def test_a_model_that_does_not_answer_is_replaced(line):
    line.announced()
    line.says(600)
    line.falls_silent()
    assert not line.of(fx.LeaveModel, line.waits(4900))
    assert [leave.reason for leave in line.of(fx.LeaveModel, line.waits(300))] == ["response_overdue"]


def test_a_model_that_hears_nothing_is_asked_for_a_sign_of_life(line):
    line.announced()
    assert line.types(line.says(2000, noticed=False)) == ["conversation.item.retrieve"]
    assert [leave.reason for leave in line.of(fx.LeaveModel, line.waits(2100))] == ["no_sign_of_life"]


def test_a_model_that_only_takes_noise_for_noise_stays(line):
    line.announced()
    line.says(2000, noticed=False)
    line.model_sign()
    assert not line.of(fx.LeaveModel, line.waits(4000))


def test_the_announcement_is_repeated_whole_and_told_again(line):
    line.announced(5)
    (play,) = line.of(fx.Play, line.repeat())
    assert duration_ms(play.pcm) == 5000
    assert line.told(line.started()) == [AnnouncementStarted("mark")]
    line.waits(5000)
    assert line.told(line.played()) == [AnnouncementEnded("mark")]


def test_a_repeat_in_mid_sentence_is_not_the_end_of_the_announcement(line):
    line.prepared()
    line.connected()
    line.started()
    line.waits(1000)
    new = line.repeat()
    assert line.of(fx.Silence, new) and line.told(new) == []


def test_what_follows_a_silence_waits_until_the_silence_is_there_which_would_take_it_too(line):
    line.prepared()
    line.connected()
    line.started()
    line.waits(1000)
    assert not line.of(fx.Play, line.repeat())
    assert line.of(fx.Play, line.playback("done", "/tmp/leg_0.tmp.wav"))
    assert line.told(line.started()) == [AnnouncementStarted("mark")]
    line.waits(1000)
    line.repeat()
    assert not line.of(fx.Play, line.repeat() + line.waits(380))  # of two, one is heard
    assert len(line.of(fx.Play, line.waits(40))) == 1


def test_an_announcement_the_agent_put_on_hold_is_made_again_afterwards(line):
    line.prepared()
    line.connected()
    line.started()
    assert line.of(fx.Silence, line.hold(True))
    line.waits(100)  # its frames are back before the message that says so
    assert line.told() == [AnnouncementStarted("mark")]
    assert line.of(fx.Play, line.hold(False) + line.waits(420))


def test_when_the_caller_leaves_we_stop_in_mid_sentence_and_say_so(line):
    line.prepared()
    line.connected()
    line.started()
    line.waits(1000)
    new = line.caller_left()
    assert line.of(fx.Silence, new) and line.of(fx.LeaveModel, new)
    assert "desligou" in line.of(fx.Synthesise, new)[0].text
    assert line.of(fx.Play, line.synthesised("caller_left", SECOND) + line.waits(420))
    assert line.told(line.says(5000)) == []


def test_both_sides_are_written_down_and_an_empty_transcript_is_not(line):
    line.announced()
    line.model(p.Transcript("announcer", "item_1", "Olá"), p.Transcript("announcer", "item_2", "Claro, é a Maria."))
    line.model(p.Transcript("agent", "turn", "Quem fala?"), p.Transcript("agent", "turn2", ""))
    assert [(write.who, write.text) for write in line.of(fx.Write)] == [
        ("announcer", BRIEF["announcement_text"]),
        ("announcer", "Claro, é a Maria."),
        ("agent", "Quem fala?"),
    ]


def test_a_last_turn_without_its_transcript_is_waited_for():
    line = Line(transcribe="gpt-transcribe").announced()
    line.says(600)
    line.falls_silent()
    assert line.dialogue.awaits_transcript
    line.model(p.Transcript("agent", "turn", ""))
    assert not line.dialogue.awaits_transcript


def test_the_tokens_of_all_responses_are_summed(line):
    line.announced()
    line.says(600)
    line.falls_silent()
    line.responds(2)
    assert line.dialogue.usage == {"total_tokens": 20}
