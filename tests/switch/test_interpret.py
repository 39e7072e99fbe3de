import re

import pytest

from calls.switch.index import Index
from calls.switch.interpret import Apply, BroadcastClip, PlayClip, TellAudio, interpret
from calls.switch.parsing import BlockReader, parse_event
from calls.transfer import commands as c
from calls.transfer import events as e
from tests.switch import recordings

TRANSFER = "the transfer"
NOW = 1_795_347_925_000


class Replay:
    """Feeds a recording: what was sent teaches the index as the runner does, what came is interpreted."""

    def __init__(self, name: str) -> None:
        self.index = Index()
        self.actions: list = []
        self.caller = ""
        self.agents: dict[str, int] = {}  # uuid -> which one
        for line in recordings.lines(name):
            if line.sent:
                self._sent(line.text)
            else:
                for block in BlockReader().feed(recordings.recounted(line.text)):
                    if event := parse_event(block):
                        self.actions += interpret(event, self.index, NOW)

    def _sent(self, text: str) -> None:
        if found := re.match(r"api uuid_transfer (\S+) '?(?:m:\^:.*\^)?conference:(\w+)@", text):
            self.caller = found[1]
            self.followed = self.index.follow(TRANSFER, "short", found[1], found[2])
        elif "bgapi originate {transferhub_attempt=" in text:
            mark, job = re.search(r"attempt=(\w+)", text)[1], re.search(r"Job-UUID: (\S+)", text)[1]
            number = re.search(r"(?:user/|transferhub_agent=)(\w+)[@^]", text)[1]
            self._learn(c.Dial(mark, job, (number,), "lab", "x", "x", 30, "", False))
        elif found := re.match(r"api uuid_audio_stream (\S+) start (\S+)", text):
            if self.caller:
                leg = "caller" if found[1] == self.caller else "agent"
                if "secretary" not in found[2]:
                    self._learn(c.StartStream(leg, found[1], found[2]))
        elif found := re.match(r"api uuid_setvar (\S+) api_hangup_hook", text):
            self._learn(c.PutThrough("", self.caller, found[1], 1, "x", "", ()))
        elif found := re.match(r"api conference \S+ hup uuid=(\S+)", text):
            if found[1] == self.caller:
                self._learn(c.SendHome(self.caller, "x", "x", ()))
            else:
                self._learn(c.LetGo(found[1], 1, "x"))

    def _learn(self, command) -> None:
        self.index.learn(self.followed, command)

    def story(self) -> list[str]:
        """The machine's events, short: name and cause."""
        words = []
        for action in self.actions:
            if isinstance(action, Apply):
                assert action.transfer_id == TRANSFER
                cause = getattr(action.event, "cause", "") or getattr(action.event, "reason", "")
                words.append(type(action.event).__name__ + (f"({cause})" if cause else ""))
        return words


IN = ["CallerParked"]
ANSWERED = ["AgentAnswered", "AgentJoined"]
HELD = ["AgentHeld", "AgentUnheld"]
LEFT = "AgentLeft(NORMAL_CLEARING)"
HOME = "CallerWentHome"

STORIES = {
    "accepted": [*IN, *ANSWERED, LEFT, HOME],
    "agent_answers_after_the_caller_left": [*IN, "AgentRinging", "CallerLeft(NORMAL_CLEARING)", "AgentAnswered", LEFT],
    "agent_hangs_up_during_announcement": [*IN, *ANSWERED, LEFT, *ANSWERED],
    "agent_holds": [*IN, *ANSWERED, *HELD, *HELD, "AgentHeld", "AgentLeft", "AgentUnheld"],
    "agent_leaves_after_acceptance": [*IN, *ANSWERED, LEFT, HOME],
    "agent_let_go_in_mid_clip": [*IN, *ANSWERED, "AgentLeft", HOME],
    "agent_refers": [*IN, "AgentRinging", *ANSWERED, *HELD, LEFT],
    "audio_socket_dropped": [*IN, *ANSWERED, "AnnouncerLost(audio_disconnect_1011)"],
    "audio_socket_refused": [*IN, *ANSWERED, "AnnouncerLost(audio_error_6)"],
    "busy": [*IN, "DialFailed(USER_BUSY)", HOME],
    "busy_then_rejected_then_accepted": [*IN, "DialFailed(USER_BUSY)", *ANSWERED, "AgentLeft", *ANSWERED, LEFT, HOME],
    "caller_hangs_up_during_announcement": [*IN, *ANSWERED, "CallerLeft(NORMAL_CLEARING)", LEFT],
    "caller_hangs_up_while_ringing": [
        *IN, "AgentRinging", "CallerLeft(ORIGINATOR_CANCEL)", "DialFailed(ORIGINATOR_CANCEL)",
    ],
    "caller_holds": [*IN, *ANSWERED, HOME],
    "caller_taken_back": [*IN, *ANSWERED, HOME, LEFT],
    "clips_and_barge_in": [*IN, *ANSWERED],
    "dead_man_timer": [*IN, *ANSWERED, HOME, LEFT],
    "declined": [*IN, "DialFailed(CALL_REJECTED)", HOME],
    "dtmf": [*IN, *ANSWERED, "DecisionMade", "DecisionMade"],
    "errors": [],
    "hold_music": [*IN, *ANSWERED],
    "loopback_agent": [*IN, "AgentRinging", *ANSWERED, "DecisionMade", LEFT, HOME],
    "no_answer": [*IN, "AgentRinging", "DialFailed(NO_ANSWER)", HOME],
    "not_registered": [*IN, "DialFailed(USER_NOT_REGISTERED)", HOME],
    "prompt_to_the_caller": [*IN, "CallerTold", HOME],
    "questions": [],
    "redirected_by_key": [*IN, *ANSWERED, "RedirectRequested", "AgentLeft", *ANSWERED],
    "rejected": [*IN, *ANSWERED, "AgentLeft", HOME],
    "slow_answer": [*IN, "AgentRinging", *ANSWERED],
    "supervisor_joins": [*IN, *ANSWERED],
    "supervisor_whispers": [*IN, *ANSWERED],
    "test_leg": [],
    "trap_comma_in_inline_flags": [*IN, HOME, "CallerLeft(DESTINATION_OUT_OF_ORDER)"],
    "trap_endconf_on_the_agent": [*IN, "CallerLeft(NORMAL_CLEARING)"],
    "trap_hook_in_originate_variables": [*IN, HOME, "DialFailed(USER_BUSY)"],
    "trap_hook_set_at_answer": [*IN, *ANSWERED, LEFT, HOME],
    "two_registrations": [*IN, "AgentRinging", *ANSWERED, LEFT, HOME],
    "two_registrations_refreshed": [*IN, "AgentRinging", *ANSWERED, LEFT, HOME],
    "unknown_extension": [*IN, "DialFailed(SUBSCRIBER_ABSENT)", HOME],
    "wrong_password": [],
}  # fmt: skip


def test_every_recording_has_its_story():
    assert set(STORIES) == set(recordings.NAMES)


@pytest.mark.parametrize("name", recordings.NAMES)
def test_a_recording_tells_its_story(name):
    assert Replay(name).story() == STORIES[name]


@pytest.mark.parametrize("name", recordings.NAMES)
def test_told_twice_changes_nothing(name):
    """After a reconnect FreeSWITCH may say again what we know."""
    replay = Replay(name)
    again = []
    for event in recordings.events(name):
        if event.name in ("BACKGROUND_JOB", "CHANNEL_HANGUP", "CHANNEL_PROGRESS"):
            again += [action for action in interpret(event, replay.index, NOW) if isinstance(action, Apply)]
    kinds = {type(action.event).__name__ for action in again}
    assert kinds <= {"AgentAnswered", "AgentLeft"}  # of an attempt before the last: late for the machine
    if name not in ("agent_hangs_up_during_announcement", "busy_then_rejected_then_accepted"):
        assert not kinds


def test_clips_are_played_to_the_agent_at_once_and_in_order():
    replay = Replay("clips_and_barge_in")
    played = [action for action in replay.actions if isinstance(action, PlayClip)]
    assert [action.path[-10:] for action in played] == [f"_{n}.tmp.wav" for n in range(4)]
    assert all(action.dialling.member == 274 for action in played)


def test_the_web_process_hears_of_every_clip():
    replay = Replay("clips_and_barge_in")
    notes = [action.message for action in replay.actions if isinstance(action, TellAudio)]
    told = [(note["what"], note["path"][-9]) for note in notes]
    assert {clip for what, clip in told if what == "ready"} == set("0123")
    assert {clip for what, clip in told if what == "start"} == set("0123")
    assert [clip for what, clip in told if what == "done"] == list("0123")
    assert all(note["at_ms"] == NOW and note["type"] == "playback" for note in notes)


def test_a_prompt_is_broadcast_to_the_caller_and_its_time_is_measured():
    replay = Replay("prompt_to_the_caller")
    (broadcast,) = [action for action in replay.actions if isinstance(action, BroadcastClip)]
    assert broadcast.followed.caller == replay.caller
    (told,) = [action.event for action in replay.actions if getattr(action, "event", None).__class__ is e.CallerTold]
    assert 1480 <= told.played_ms <= 1520
    what = [action.message["what"] for action in replay.actions if isinstance(action, TellAudio)]
    assert what == ["ready", "start", "done"]


def test_what_the_secretary_plays_to_her_caller_is_not_ours():
    index = Index()
    index.follow(TRANSFER, "short", "A", "room")
    play = event("mod_audio_stream::play", "A", body='{"file": "/tmp/secretary.wav"}')
    assert interpret(play, index, NOW) == []
    assert interpret(event("mod_audio_stream::disconnect", "A", body="{}"), index, NOW) == []


# ---------------------------------------------------------------- made up: what was not recorded
def event(name, uuid="", body="", **headers):
    custom = f"Event-Name: CUSTOM\nEvent-Subclass: {name}\n" if "::" in name else f"Event-Name: {name}\n"
    lines = "".join(f"{key.replace('_', '-')}: {value}\n" for key, value in headers.items())
    variable = f"variable_transferhub_attempt: {headers.pop('mark')}\n" if "mark" in headers else ""
    text = f"{custom}Unique-ID: {uuid}\n{lines}{variable}Content-Length: {len(body)}\n\n{body}"
    (block,) = BlockReader().feed(f"Content-Length: {len(text)}\nContent-Type: text/event-plain\n\n{text}".encode())
    return parse_event(block)


@pytest.fixture
def index():
    index = Index()
    followed = index.follow(TRANSFER, "short", "A", "room")
    index.learn(followed, c.Dial("m1", "j1", ("2001", "2002"), "lab", "room", "default", 30, "", False))
    return index


def fed(index, *happened):
    return [action.event for one in happened for action in interpret(one, index, NOW) if isinstance(action, Apply)]


def leg(name, uuid, number="2001", **headers):
    return event(name, uuid, mark="m1", Caller_Destination_Number=number, **headers)


def job(body):
    return event("BACKGROUND_JOB", "", body, Job_UUID="j1")


def member(action, uuid, **headers):
    return event("conference::maintenance", uuid, Conference_Name="room", Action=action, Member_ID=7, **headers)


def test_the_losers_of_a_fork_are_nobodys_leaving(index):
    told = fed(
        index,
        leg("CHANNEL_CREATE", "b1", "2001"),
        leg("CHANNEL_CREATE", "b2", "2002"),
        leg("CHANNEL_PROGRESS", "b1"),
        leg("CHANNEL_PROGRESS", "b2"),
        leg("CHANNEL_HANGUP", "b1", Hangup_Cause="LOSE_RACE"),
        job("+OK b2\n"),
        member("add-member", "b2"),
    )
    assert told == [e.AgentRinging("m1", "b1"), e.AgentAnswered("m1", "b2"), e.AgentJoined("m1", "b2", 7, "2002")]


def test_an_agent_who_joins_before_the_job_is_told_has_answered(index):
    told = fed(index, leg("CHANNEL_CREATE", "b1"), member("add-member", "b1"), job("+OK b1\n"))
    assert told == [e.AgentAnswered("m1", "b1"), e.AgentJoined("m1", "b1", 7, "2001")]


def test_an_agent_who_joins_before_anything_is_known_of_his_leg_has_joined_all_the_same(index):
    told = fed(index, member("add-member", "b1"), job("+OK b1\n"), leg("CHANNEL_CREATE", "b1"))
    assert told == [e.AgentAnswered("m1", "b1"), e.AgentJoined("m1", "b1", 7)]


def test_an_agent_who_hung_up_before_the_job_is_told_has_answered_and_left(index):
    told = fed(index, leg("CHANNEL_CREATE", "b1"), leg("CHANNEL_HANGUP", "b1", Hangup_Cause="X"), job("+OK b1\n"))
    assert told == [e.AgentAnswered("m1", "b1"), e.AgentLeft("m1", "b1", "X")]


def test_an_agent_leaves_once(index):
    told = fed(
        index,
        job("+OK b1\n"),
        member("add-member", "b1"),
        leg("CHANNEL_HANGUP", "b1", Hangup_Cause="NORMAL_CLEARING"),
        member("del-member", "b1", Hangup_Cause="NORMAL_CLEARING"),
    )
    assert [type(one).__name__ for one in told] == ["AgentAnswered", "AgentJoined", "AgentLeft"]


def test_a_caller_who_hangs_up_left_once_and_did_not_go_home(index):
    told = fed(
        index,
        member("add-member", "A"),
        event("CHANNEL_HANGUP", "A", Hangup_Cause="NORMAL_CLEARING"),
        member("del-member", "A", Hangup_Cause="NORMAL_CLEARING"),
    )
    assert told == [e.CallerParked(7), e.CallerLeft("NORMAL_CLEARING")]


@pytest.mark.parametrize(
    ("digit", "expected"),
    [
        ("1", [e.DecisionMade("m1", e.Choice.ACCEPT, e.Source.KEY)]),
        ("2", [e.DecisionMade("m1", e.Choice.REJECT, e.Source.KEY)]),
        ("0", [e.RepeatRequested("m1", e.Source.KEY)]),
        ("5", []),
        ("#", []),
    ],
)
def test_the_agents_keys(index, digit, expected):
    fed(index, job("+OK b1\n"), member("add-member", "b1"))
    assert fed(index, event("DTMF", "b1", DTMF_Digit=digit)) == expected


def test_keys_of_others_and_of_two_who_talk_are_nobodys_business(index):
    followed = index.transfers[TRANSFER]
    assert fed(index, event("DTMF", "A", DTMF_Digit="1")) == []
    assert fed(index, event("DTMF", "stranger", DTMF_Digit="1")) == []
    fed(index, job("+OK b1\n"))
    assert fed(index, event("DTMF", "b1", DTMF_Digit="1")) == []  # not in the conference yet
    fed(index, member("add-member", "b1"))
    index.learn(followed, c.PutThrough("m1", "A", "b1", 7, "room", "", ()))
    assert fed(index, event("DTMF", "b1", DTMF_Digit="2")) == []


def test_the_agents_hold_is_told_to_machine_announcer_and_boards(index):
    fed(index, job("+OK b1\n"))
    actions = interpret(event("CHANNEL_HOLD", "b1"), index, NOW)
    assert [type(action).__name__ for action in actions] == ["TellAudio", "Apply", "TellBoard"]
    assert actions[0].message == {"type": "leg.hold", "uuid": "b1", "on": True}
    assert fed(index, event("CHANNEL_UNHOLD", "b1")) == [e.AgentUnheld("m1", "b1")]
    assert fed(index, event("CHANNEL_HOLD", "A")) == []


def test_a_stream_that_we_stopped_or_that_ended_normally_is_not_lost(index):
    followed = index.transfers[TRANSFER]
    fed(index, job("+OK b1\n"), member("add-member", "b1"))
    lost = event("mod_audio_stream::disconnect", "b1", '{"message": {"code": 1006}}')
    assert fed(index, lost) == []  # never started
    index.learn(followed, c.StartStream("agent", "b1", "ws://x/y", "m1"))
    assert fed(index, event("mod_audio_stream::disconnect", "b1", '{"message": {"code": 1000}}')) == []
    assert fed(index, lost, lost) == [e.AnnouncerLost("m1", "audio_disconnect_1006")]
    index.learn(followed, c.StartStream("agent", "b1", "ws://x/y", "m1"))
    index.learn(followed, c.LetGo("b1", 7, "room"))
    assert fed(index, lost) == []


def test_a_prompt_whose_stream_is_lost_has_failed(index):
    index.learn(index.transfers[TRANSFER], c.StartStream("caller", "A", "ws://x/y"))
    refused = event("mod_audio_stream::error", "A", '{"message": {"code": 6, "error": "refused"}}')
    assert fed(index, refused, refused) == [e.PromptFailed("audio_error_6")]


def test_a_clip_after_the_agent_was_let_go_is_not_played(index):
    fed(index, job("+OK b1\n"), member("add-member", "b1"))
    index.learn(index.transfers[TRANSFER], c.StartStream("agent", "b1", "ws://x/y", "m1"))
    made = event("mod_audio_stream::play", "b1", '{"file": "/tmp/x.wav"}')
    assert PlayClip in {type(action) for action in interpret(made, index, NOW)}
    index.learn(index.transfers[TRANSFER], c.LetGo("b1", 7, "room"))
    assert interpret(made, index, NOW) == []


def test_a_torn_prompt_counts_only_the_time_that_passed(index):
    index.learn(index.transfers[TRANSFER], c.StartStream("caller", "A", "ws://x/y"))
    interpret(event("mod_audio_stream::play", "A", '{"file": "/tmp/x.wav"}'), index, NOW)
    path = {"Playback_File_Path": "/tmp/x.wav"}
    told = fed(
        index,
        event("PLAYBACK_STOP", "A", Playback_File_Path="/tmp/music.wav"),
        event("PLAYBACK_START", "A", Event_Date_Timestamp=1_000_000, **path),
        event("PLAYBACK_STOP", "A", Event_Date_Timestamp=1_400_000, Playback_Status="done", **path),
    )
    assert told == [e.CallerTold(400)]


def test_a_callers_second_transfer_gets_his_events(index):
    index.follow("second", "short2", "A", "room2")
    (action,) = interpret(event("CHANNEL_HANGUP", "A", Hangup_Cause="X"), index, NOW)
    assert action.transfer_id == "second"
    index.forget(TRANSFER)
    assert index.by_caller("A").id == "second"
    assert index.by_leg("b1") is index.by_job("j1") is index.by_mark("m1") is index.by_conference("room") is None


def test_events_of_strangers_mean_nothing():
    for name in recordings.NAMES:
        index = Index()
        assert [action for one in recordings.events(name) for action in interpret(one, index, NOW)] == []
