from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calls import validators
from calls.simulator.parsing import split_words
from calls.switch import wording
from calls.switch.safe import LONGEST_TEXT, WordingError, clean_text
from calls.switch.wording import Line, OnError, Setting, script
from calls.transfer import commands as c
from tests.switch import recordings

A = "78a6d7ea-4920-4bb6-ba7a-e3f1e1e906fd"
B = "181e5859-5562-4764-845e-41d1cc4b74ad"
ROOM = "transfer_78a6d7ea_1795347925"
HOME = "ivr_return XML public"
JOB = "d27d3b15-f5c2-4d02-a900-0996a1d6cc9c"
SETTING = Setting(short_id="78a6d7ea", caller_member=279)
S = "7a953f3e-ddb9-4c7b-8dd2-b54ba5583815"

COMMANDS = {
    "park": c.Park(A, ROOM, "default", HOME, 10, False, {"transferhub_id": "78a6d7ea", "transferhub_protocol": ""}),
    "net": c.ArmNet(A, ROOM, "dial", 60, ("park",)),
    "dial": c.Dial("e2ca44f8", JOB, ("2001",), "lab", ROOM, "default", 30, "5511999990000", False),
    "cancel": c.CancelDial("e2ca44f8"),
    "stream": c.StartStream("agent", B, "ws://127.0.0.1:8765/audio/accepted", "e2ca44f8"),
    "hold": c.HoldCaller(A, ROOM, "tone_stream://%(200,300,800);loops=-1"),
    "through": c.PutThrough("e2ca44f8", A, B, 253, ROOM, HOME, ("dial",)),
    "let_go": c.LetGo(B, 253, ROOM),
    "supervisor": c.DialSupervisor("5e1f0a2b", JOB, "2009", "lab", ROOM, "default", 25),
    "whisper": c.SetSupervision("5e1f0a2b", S, 281, ROOM, "whisper"),
    "supervisor_out": c.LetSupervisorGo("5e1f0a2b", S, ROOM),
    "home": c.SendHome(A, ROOM, HOME, ("dial",), {"transferhub_outcome": "busy"}),
}


def texts(command, setting=SETTING):
    return [line.text for line in script(command, setting)]


def sent(name):
    """What was sent in a recording, without the verb and the Job-UUID header."""
    lines = [line.text.strip().split("\n")[0].split(" ", 1) for line in recordings.lines(name) if line.sent]
    return [line[1] for line in lines if line[0] in ("api", "bgapi")]


def test_every_command_of_the_machine_has_words():
    names = {command.__name__ for command in c.SwitchCommand.__subclasses__()}
    assert {type(command).__name__ for command in COMMANDS.values()} == names
    for command in COMMANDS.values():
        assert script(command, SETTING)


def test_nothing_happens_to_the_caller_before_one_last_line_that_does_it_all():
    """As recorded, but for the net and the end of the secretary's stream, which his own dialplan sees to."""
    recorded = [text for text in sent("accepted")[:3] if text.startswith(("uuid_getvar", "uuid_setvar"))]
    assert recorded
    lines = script(COMMANDS["park"], SETTING)
    assert [line.step for line in lines] == ["bond", *["variables"] * 3, "return", "transfer"]
    assert {*recorded} <= {line.text for line in lines}
    begun = f"uuid_transfer {A} 'm:^:set:transferhub_quiet=${{uuid_audio_stream(${{uuid}} stop)}}^set:transferhub_net="
    net = f"${{sched_api(+10 th_78a6d7ea_park conference {ROOM} hup uuid={A})}}^set:conference_controls=none^"
    assert lines[-1].text.startswith(begun + net)


def test_the_sign_of_a_former_way_home_goes_before_the_transfers_name_comes():
    texts_ = texts(COMMANDS["park"])
    unset, named = f"uuid_setvar {A} transferhub_stop", f"uuid_setvar {A} transferhub_id 78a6d7ea"
    assert texts_.index(unset) < texts_.index(named)


def test_a_net_is_worded_as_it_was_recorded_and_stands_before_the_old_one_goes():
    assert texts(COMMANDS["net"]) == sent("accepted")[3:5]


def test_dialling_is_worded_as_it_was_recorded():
    (line,) = script(COMMANDS["dial"], SETTING)
    recorded = sent("accepted")[5].replace("'Secretaria Virtual'", "5511999990000")
    assert line.text == recorded
    assert line.job_uuid == JOB


def test_putting_through_is_worded_as_it_was_recorded():
    recorded = sent("agent_leaves_after_acceptance")
    begin = next(i for i, text in enumerate(recorded) if "api_hangup_hook" in text)
    agent, room = recorded[begin].split()[1], recorded[begin].split()[4]
    caller = recorded[begin + 1].split()[1]
    command = c.PutThrough("be6d11e5", caller, agent, 298, room, "caller XML public", ("dial",))
    assert sorted(texts(command, Setting("6e461932"))) == sorted(recorded[begin : begin + 7])


def test_the_nets_go_only_when_the_two_talk():
    steps = [line.step for line in script(COMMANDS["through"], SETTING)]
    assert steps.index("unmute") < steps.index("disarm")


def test_the_hook_is_the_condition_of_all_the_rest():
    first, *rest = script(COMMANDS["through"], SETTING)
    assert first.step == "hook" and first.on_error == OnError.ABORT
    assert "unmute" in [line.step for line in rest]


def test_letting_go_is_worded_as_it_was_recorded():
    recorded = sent("rejected")
    begin = next(i for i, text in enumerate(recorded) if " stop all " in text)
    agent = recorded[begin + 1].split()[1]
    room = recorded[begin].split()[1]
    assert texts(c.LetGo(agent, 255, room)) == recorded[begin : begin + 3]


def test_who_never_joined_has_no_clips_to_stop_and_is_hung_up_by_his_uuid():
    lines = script(c.LetGo(B, 0, ROOM), SETTING)
    assert [line.step for line in lines] == ["stream", "hup"]
    assert lines[-1].otherwise[0].text == f"uuid_kill {B}"


def test_going_home_carries_the_outcome_and_leaves_by_the_conference():
    lines = script(COMMANDS["home"], SETTING)
    assert [line.text for line in lines] == [
        f"uuid_setvar {A} transferhub_outcome busy",
        f"uuid_setvar {A} transferhub_return {HOME}",
        f"conference {ROOM} hup uuid={A}",
        "sched_del th_78a6d7ea_dial",
    ]
    assert [line.text for line in lines[2].otherwise] == [f"uuid_exists {A}"]


def test_nothing_takes_a_caller_out_of_where_he_is_but_the_one_line_that_parks_him():
    """A transfer in a timer, a hook or an order home would tear him out of the menu, or of a later transfer."""
    for name, command in COMMANDS.items():
        lines = [*script(command, SETTING), *(x for line in script(command, SETTING) for x in line.otherwise)]
        assert name == "park" or not any("uuid_transfer" in line.text for line in lines)


def test_a_prompt_that_plays_is_cut_before_he_goes_home():
    assert f"uuid_break {A} all" not in texts(COMMANDS["home"])
    lines = texts(COMMANDS["home"], replace(SETTING, prompt_playing=True))
    assert lines.index(f"uuid_break {A} all") < lines.index(f"conference {ROOM} hup uuid={A}")


def test_a_fork_rings_all_in_one_originate():
    (line,) = script(replace(COMMANDS["dial"], numbers=("2001", "2002", "2003")), SETTING)
    assert "}user/2001@lab,user/2002@lab,user/2003@lab '" in line.text


def test_without_a_domain_the_switch_uses_its_own():
    (line,) = script(replace(COMMANDS["dial"], domain=""), SETTING)
    assert "}user/2001 '" in line.text


def test_an_anonymous_caller_shows_no_number():
    (line,) = script(replace(COMMANDS["dial"], caller_number=""), SETTING)
    assert "caller_id" not in line.text


@pytest.mark.parametrize(("rate", "word"), [(8000, "8k"), (16000, "16k"), (24000, "24000")])
def test_the_stream_runs_at_the_rate_of_the_settings(rate, word):
    (line,) = script(COMMANDS["stream"], replace(SETTING, audio_rate=rate))
    assert line.text.endswith(f" start ws://127.0.0.1:8765/audio/accepted mono {word}")


def test_a_rate_that_freeswitch_has_not_is_refused():
    with pytest.raises(WordingError):
        script(COMMANDS["stream"], replace(SETTING, audio_rate=44100))


def test_a_stream_that_is_refused_is_stopped_and_started_again():
    (line,) = script(COMMANDS["stream"], SETTING)
    assert [again.step for again in line.otherwise] == ["stop", "start"]
    assert [again.step for again in script(replace(COMMANDS["stream"], restart=True), SETTING)] == ["stop", "start"]


def test_a_bridged_caller_is_refused_unless_allowed():
    assert script(COMMANDS["park"], SETTING)[0].good == ("_undef_",)
    allowed = script(replace(COMMANDS["park"], allow_bridged=True), SETTING)[0]
    assert allowed.text == f"uuid_exists {A}"


@pytest.mark.parametrize("home", ["5000", "park: inline", "m:^:set:foo=bar^park inline", "ivr XML public"])
def test_all_kinds_of_destination_are_accepted(home):
    assert f"uuid_setvar {A} transferhub_return {home}" in texts(replace(COMMANDS["park"], return_to=home))


@pytest.mark.parametrize("home", ["", " ", "ivr XML", "a b c d", "set:a=b c inline", "x\ny", "ivr XML ${context}"])
def test_a_destination_that_would_hang_the_caller_up_is_refused(home):
    with pytest.raises(WordingError):
        script(replace(COMMANDS["park"], return_to=home), SETTING)


NASTY = (
    st.text()
    | st.text(alphabet="\n\r\t '\"\\{}$^|,;&()=@:/ab1\u2028\x00\x85\ud800")
    | st.sampled_from(
        ["", " ", "a\n\napi fsctl shutdown now", "${system(reboot)}", "a b", "a'b", "x}y", "%0a", "a\\nb"]
    )
)


def with_field(command, name, value):
    return replace(command, **{name: (value,) if isinstance(getattr(command, name), tuple) else value})


STRINGS = [
    (kind, field.name)
    for kind, command in COMMANDS.items()
    for field in fields(command)
    if isinstance(getattr(command, field.name), str | tuple) and field.name != "leg"
]


def shape(lines):
    """What must not depend on values: how many words each line has, and which signs stand in it how often."""
    flat = [part for line in lines for part in (line, *line.otherwise)]
    return [(line.step, line.text.split(" ")[0], *(line.text.count(sign) for sign in "{}'$\\\n\r\"&")) for line in flat]


@pytest.mark.parametrize(("kind", "field"), STRINGS)
def test_no_value_leaves_its_argument(kind, field):
    plain = shape(script(COMMANDS[kind], SETTING))

    @settings(max_examples=20, deadline=None)
    @given(NASTY)
    def holds(value):
        try:
            lines = script(with_field(COMMANDS[kind], field, value), SETTING)
        except WordingError:
            return
        assert all(line.text.isprintable() for line in lines)
        if value or field not in ("after_call_to", "caller_number", "supervisor"):  # absent ones leave their part out
            assert shape(lines) == plain
            if field not in ("return_to", "after_call_to"):  # "EXT" and "EXT XML CONTEXT" differ in blanks
                words = [len(split_words(line.text)) for line in lines]
                assert words == [len(split_words(line.text)) for line in script(COMMANDS[kind], SETTING)]

    holds()


@settings(max_examples=60, deadline=None)
@given(
    st.from_regex(validators.EXTENSION, fullmatch=True),
    st.from_regex(validators.CALL_UUID, fullmatch=True),
    st.from_regex(validators.NAME, fullmatch=True),
    st.from_regex(validators._RETURN_INLINE, fullmatch=True)
    | st.from_regex(validators._RETURN_EXTENSION, fullmatch=True),
)
def test_whatever_the_forms_accept_can_be_sent(number, uuid, name, home):
    """And stays one argument for FreeSWITCH's own way of taking a line apart."""
    (dial,) = script(replace(COMMANDS["dial"], numbers=(number,), domain=name, caller_number=number), SETTING)
    assert len(split_words(dial.text)) == 4
    park = script(replace(COMMANDS["park"], caller=uuid, return_to=home), SETTING)
    assert split_words(park[4].text, 4) == ["uuid_setvar", uuid, "transferhub_return", home]
    assert split_words(park[-1].text, 3)[1] == uuid


@settings(max_examples=100, deadline=None)
@given(NASTY)
def test_free_text_arrives_as_it_was_cleaned(text):
    lines = script(replace(COMMANDS["park"], variables={"transferhub_summary": text}), SETTING)
    words = split_words(lines[2].text, 4)
    assert words[:3] == ["uuid_setvar", A, "transferhub_summary"]
    assert "".join(words[3:]) == clean_text(text)


@settings(max_examples=100, deadline=None)
@given(NASTY)
def test_clean_text_expands_to_nothing_and_is_stable(text):
    cleaned = clean_text(text)
    assert not set(cleaned) & set("{}\\'\n\r\t\x00")
    assert cleaned == cleaned.strip() == clean_text(cleaned)
    assert len(cleaned) <= LONGEST_TEXT
    cleaned.encode()  # no lone surrogate, which could not be sent


def test_clean_text_leaves_people_and_money_readable():
    assert clean_text("  João D'Ávila,\n pediu R$ 50 (cinquenta) ${system(x)}") == (
        "João D\u2019Ávila, pediu R$ 50 (cinquenta) $(system(x))"
    )


@pytest.mark.parametrize("name", ["TRANSFERHUB_X", "api_hangup_hook", "transferhub_x y", "transferhub_", ""])
def test_only_our_own_variables_are_set(name):
    with pytest.raises(WordingError):
        script(replace(COMMANDS["park"], variables={name: "x"}), SETTING)


@pytest.mark.parametrize("path", ["/tmp/a b.wav", "a.wav", "/tmp/a'.wav", "/tmp/${x}.wav", "/tmp/a.wav\n", ""])
def test_a_clip_with_a_strange_path_is_not_played(path):
    with pytest.raises(WordingError):
        wording.play_to_member(ROOM, path, 253)
    with pytest.raises(WordingError):
        wording.broadcast(A, path)


def test_clips_are_worded_as_they_were_recorded():
    recorded = sent("clips_and_barge_in")
    play = next(text for text in recorded if " play " in text)
    room, path = play.split()[1], play.split()[3]
    assert wording.play_to_member(room, path, 274).text == play
    assert wording.stop_clips(room, 274).text in recorded


@pytest.mark.parametrize("member", [0, -1, True, "all", 1 << 31])
def test_clips_are_never_for_everybody(member):
    with pytest.raises(WordingError):
        wording.stop_clips(ROOM, member)


@pytest.mark.parametrize("text", ["", "a\nb", "a\rb", "a\x00b", "x" * 5000])
def test_a_line_is_one_line(text):
    with pytest.raises(WordingError):
        Line("step", text)


def test_the_error_never_repeats_the_value():
    with pytest.raises(WordingError) as caught:
        script(replace(COMMANDS["dial"], numbers=("secret number",)), SETTING)
    assert "secret" not in str(caught.value)


def trial(text):
    return Setting(short_id="78a6d7ea", trial_leg=lambda number: text)


def test_in_a_trial_a_leg_of_the_switch_itself_is_dialled_and_nothing_else_differs():
    leg = "m:^:set:transferhub_agent=2001^ring_ready^sleep:400^answer^park"
    (real,), (tried,) = texts(COMMANDS["dial"]), texts(COMMANDS["dial"], trial(leg))
    assert tried == real.replace("user/2001@lab", f"loopback/{leg}/default/inline")


@pytest.mark.parametrize(
    "leg",
    ["", "m:^:bridge:user/2001", "m:^:answer^system:reboot", "m:^:answer,park", "m:^:answer/public/XML", "answer",
     "m:^:set:api_hangup_hook=x", "m:^:set:transferhub_agent=${a}", "m:^:park\n", "m:^:answer park"],
)  # fmt: skip
def test_a_trial_leg_that_could_do_more_than_ring_answer_and_wait_is_refused(leg):
    with pytest.raises(WordingError, match="trial_leg"):
        script(COMMANDS["dial"], trial(leg))
