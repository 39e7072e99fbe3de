import asyncio

import pytest

from calls.switch.lanes import Lanes
from calls.switch.scripts import Ran, decode, out_of_date, result_event, run
from calls.switch.wording import OnError, Setting, WordingError, script
from calls.transfer import commands as c
from calls.transfer import events as e
from calls.transfer.states import State
from tests.switch.test_wording import COMMANDS, SETTING, A, Line

GONE = "-ERR No such channel!"


async def said(reply: str) -> str:
    return reply


class Switch:
    """Answers +OK to everything but what is in `answers`, by step."""

    def __init__(self, **answers: str) -> None:
        self.answers = answers
        self.sent: list[str] = []

    async def __call__(self, line: Line) -> asyncio.Task[str]:
        self.sent.append(line.step)
        return asyncio.create_task(said(self.answers.get(line.step, line.good[0] if line.good else "true")))


async def outcome(kind, setting=SETTING, **answers):
    switch = Switch(**answers)
    ran = await run(script(COMMANDS[kind], setting), switch)
    return ran, result_event(COMMANDS[kind], ran), switch.sent


async def test_a_script_that_goes_well_sends_all_its_lines():
    ran, told, sent = await outcome("park")
    assert ran.ok and told is None
    assert sent[0] == "bond" and sent[-1] == "transfer"


async def test_a_bad_reply_ends_a_script_where_it_matters():
    ran, _, sent = await outcome("park", **{"return": "-ERR"})
    assert (ran.ok, ran.step, sent[-1]) == (False, "return", "return")


async def test_a_bad_reply_is_ignored_where_it_does_not_matter():
    ran, _, sent = await outcome("through", stream="-ERR Operation Failed", unhold="-ERR")
    assert ran.ok and sent[-1] == "stream"


async def test_the_callers_unmute_waits_for_the_hook_and_for_nothing_whose_failure_is_forgiven():
    sent, replies = [], asyncio.Event()

    async def reply(step):
        if step not in ("hook", "return"):
            await replies.wait()
        return "+OK"

    async def slow(line):
        sent.append(line.step)
        return asyncio.create_task(reply(line.step))

    running = asyncio.create_task(run(script(COMMANDS["through"], SETTING), slow))
    async with asyncio.timeout(5):
        while "unmute" not in sent:  # noqa: ASYNC110
            await asyncio.sleep(0)
    assert not running.done()
    replies.set()
    assert (await running).ok


async def test_a_noted_reply_is_the_result_but_the_rest_is_sent():
    ran, _, sent = await outcome("cancel", cancel="-ERR")
    assert (ran.ok, ran.step, sent) == (False, "cancel", ["cancel"])


async def test_who_is_not_in_the_conference_when_he_is_sent_home_keeps_his_nets():
    """He may come in only now: his first net is then all that he has."""
    ran, _, sent = await outcome("home", hup="-ERR Conference x not found", exists="true")
    assert (ran.step, sent) == ("exists", ["variables", "return", "hup", "exists"])


async def test_only_the_first_line_of_a_reply_counts():
    async def talkative(line):
        return asyncio.create_task(said("-ERR one\nsecret two\n"))

    ran = await run((Line("x", "y"),), talkative)
    assert ran.reply == "-ERR one"


async def test_what_the_connection_raises_is_not_swallowed():
    async def broken(line):
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await run((Line("x", "y", OnError.IGNORE),), broken)


@pytest.mark.parametrize(
    ("kind", "answers", "told"),
    [
        ("park", {"bond": GONE}, e.ParkFailed("no_such_call")),
        ("park", {"bond": "a-partner"}, e.ParkFailed("bridged")),
        ("park", {"variables": GONE}, e.ParkFailed("no_such_call")),
        ("park", {"transfer": "-ERR x"}, e.ParkFailed("-ERR x")),
        ("park", {"transfer": GONE}, e.ParkFailed("no_such_call")),
        ("dial", {"originate": "-ERR x"}, e.DialFailed("e2ca44f8", "ERROR")),
        ("dial", {}, None),
        ("cancel", {"cancel": "-ERR x"}, None),
        ("stream", {"start": "-ERR Operation Failed"}, e.AnnouncerLost("e2ca44f8", "stream_refused")),
        ("through", {}, e.PutThroughDone("e2ca44f8")),
        ("through", {"hook": GONE}, e.PutThroughFailed("e2ca44f8", GONE)),
        ("through", {"unmute": "-ERR x"}, None),  # the caller is gone: his own event tells
        ("through", {"stream": "-ERR x", "clips": "-ERR x", "unhold": "-ERR x"}, e.PutThroughDone("e2ca44f8")),
        ("let_go", {"hup": "-ERR x"}, None),
        ("home", {}, None),
        ("home", {"hup": "-ERR x", "exists": "true"}, e.CallerWentHome()),
        ("home", {"hup": "-ERR x", "exists": "false"}, e.CallerLeft("NO_SUCH_CALL")),
    ],
)
async def test_what_the_machine_is_told_of_a_result(kind, answers, told):
    assert (await outcome(kind, **answers))[1] == told


async def test_a_prompt_whose_stream_is_refused_has_failed():
    command = c.StartStream("caller", A, "ws://x/y")
    ran = await run(script(command, SETTING), Switch(start="-ERR Operation Failed"))
    assert result_event(command, ran) == e.PromptFailed("stream_refused")


async def test_a_stream_that_is_in_the_way_is_replaced():
    replies = iter(["-ERR Operation Failed", "+OK Success", "+OK Success"])

    async def switch(line):
        return asyncio.create_task(said(next(replies)))

    assert (await run(script(COMMANDS["stream"], SETTING), switch)).ok


async def test_nobody_is_hurt_when_the_hook_cannot_be_set():
    _, _, sent = await outcome("through", hook=GONE)
    assert sent == ["hook"]


@pytest.mark.parametrize("kind", COMMANDS)
def test_refused_values_are_told_like_a_failure(kind):
    told = result_event(COMMANDS[kind], Ran(False, "wording", "number"))
    expected = {
        "park": e.ParkFailed, "dial": e.DialFailed, "stream": e.AnnouncerLost, "through": e.PutThroughFailed,
    }  # fmt: skip
    assert type(told) is expected.get(kind, type(None))


@pytest.mark.parametrize("kind", COMMANDS)
def test_a_command_comes_back_from_the_outbox_as_it_went_in(kind):
    import json
    from dataclasses import asdict

    command = COMMANDS[kind]
    stored = json.loads(json.dumps(asdict(command)))
    assert decode(type(command).__name__, stored) == command
    assert decode(type(command).__name__, stored | {"of_a_newer_version": 1}) == command


@pytest.mark.parametrize("kind", ["Command", "ClaimAgent", "os", "__class__", ""])
def test_what_is_no_command_of_the_switch_is_refused(kind):
    with pytest.raises(WordingError):
        decode(kind, {})


def test_a_command_with_missing_arguments_is_refused():
    with pytest.raises(WordingError):
        decode("Park", {"caller": A})


MARK = "e2ca44f8"


@pytest.mark.parametrize(
    ("kind", "fits"),
    [
        ("park", {State.PARKING}),
        ("dial", {State.DIALLING}),
        ("stream", {State.DIALLING, State.ANNOUNCING}),
        ("through", {State.CONNECTING}),
        ("net", set(State) - {State.ENDED}),
        ("hold", set(State) - {State.ENDED}),
        ("cancel", set(State)),
        ("let_go", set(State)),
        ("home", set(State)),
    ],
)
def test_when_a_command_is_out_of_date(kind, fits):
    assert {state for state in State if not out_of_date(COMMANDS[kind], state, MARK)} == fits


@pytest.mark.parametrize("kind", ["dial", "stream", "through"])
def test_a_command_of_an_older_attempt_is_out_of_date(kind):
    assert all(out_of_date(COMMANDS[kind], state, "a later one") for state in State)


def test_a_setting_has_what_the_lab_has():
    assert Setting("x").audio_rate == 24000


# ---------------------------------------------------------------- lanes
async def test_a_lane_keeps_its_order_and_lanes_go_side_by_side():
    lanes, done, gate = Lanes("test"), [], asyncio.Event()

    def job(key, number):
        async def work():
            if key == "slow":
                await gate.wait()
            done.append((key, number))

        return work

    for number in range(3):
        lanes.put("slow", job("slow", number))
        lanes.put("quick", job("quick", number))
    assert not await lanes.drained(0.05)
    assert done == [("quick", 0), ("quick", 1), ("quick", 2)]
    gate.set()
    assert await lanes.drained(1)
    assert done[3:] == [("slow", 0), ("slow", 1), ("slow", 2)]
    assert lanes.busy == 0


async def test_a_job_that_fails_does_not_stop_its_lane(caplog):
    lanes, done = Lanes("test"), []

    async def fails():
        raise RuntimeError("by design")

    async def works():
        done.append(1)

    lanes.put("a", fails)
    lanes.put("a", works)
    assert await lanes.drained(1)
    assert done == [1] and "lane.failed" in caplog.text


async def test_a_lane_can_be_cancelled_and_used_again():
    lanes, done = Lanes("test"), []

    async def for_ever():
        await asyncio.Event().wait()

    async def works():
        done.append(1)

    lanes.put("a", for_ever)
    await asyncio.sleep(0)
    await lanes.cancel()
    lanes.put("a", works)
    assert await lanes.drained(1) and done == [1]
