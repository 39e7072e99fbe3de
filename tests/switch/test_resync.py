import json

import pytest

from calls.models import Switch
from calls.switch.index import Index
from calls.switch.lease import LEASE_SECONDS, MARGIN, Lease
from calls.switch.parsing import BlockReader
from calls.switch.resync import Known, Seen, carried, on_a_call, reconcile, seen
from calls.switch.sweep import leftovers
from calls.transfer import events as e
from calls.transfer.states import State
from tests.switch import recordings

A, B, ROOM, MARK, SHORT = "a-leg", "b-leg", "room", "mark", "abc123"
BOTH = {ROOM: {A: 1, B: 2}}
ALONE = {ROOM: {A: 1}}
IN_TALK = (State.ANNOUNCING, State.CONNECTING, State.CONNECTED)
OPEN = [state for state in State if state is not State.ENDED]


def known(state, **fields):
    return Known("id", SHORT, state, A, ROOM, **({"attempt": MARK, "agent": B} | fields))


def shown(channels=(A, B), members=BOTH, **fields):
    return Seen(frozenset(channels), members, **fields)


@pytest.mark.parametrize("state", OPEN)
def test_a_caller_who_is_gone_has_left(state):
    assert reconcile(known(state), shown((B,), {})) == [e.CallerLeft("LOST")]


@pytest.mark.parametrize("state", [s for s in OPEN if s not in (State.REQUESTED, State.PARKING)])
def test_a_caller_outside_his_conference_went_home(state):
    assert reconcile(known(state), shown(members={})) == [e.CallerWentHome()]


@pytest.mark.parametrize("state", [*IN_TALK, State.INFORMING, State.RETURNING])
def test_where_all_is_as_it_should_be_nothing_is_told(state):
    assert reconcile(known(state), shown()) == []


@pytest.mark.parametrize("state", IN_TALK)
def test_an_agent_who_is_gone_has_left(state):
    assert reconcile(known(state), shown((A,), ALONE)) == [e.AgentLeft(MARK, B, "LOST")]


def test_a_caller_not_yet_taken_over_is_left_alone():
    assert reconcile(known(State.REQUESTED), shown(members={})) == []


def test_parking_that_has_happened_is_told():
    assert reconcile(known(State.PARKING), shown(members=ALONE)) == [e.CallerParked(1)]


def test_parking_that_has_not_happened_is_waited_for():
    assert reconcile(known(State.PARKING), shown(members={})) == []


def test_parking_that_is_over_again_is_told():
    assert reconcile(known(State.PARKING), shown(members={}, way_home=frozenset({SHORT}))) == [e.CallerWentHome()]


def test_a_talk_that_began_and_ended_meanwhile_was_accepted():
    told = reconcile(known(State.CONNECTING), shown((A,), {}, talked=frozenset({SHORT})))
    assert told == [e.PutThroughDone(MARK), e.CallerWentHome()]


def test_a_half_done_putting_through_is_not_a_talk():
    assert reconcile(known(State.CONNECTING), shown(talked=frozenset({SHORT}))) == []


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"transferhub_id": SHORT, "transferhub_stop": "+OK Success"}, (True, False)),
        ({"transferhub_id": SHORT, "transferhub_outcome": "accepted"}, (False, True)),
        ({"transferhub_id": SHORT, "transferhub_outcome": "pending"}, (False, False)),
        ({"transferhub_id": "older", "transferhub_stop": "+OK", "transferhub_outcome": "accepted"}, (False, False)),
    ],
)
def test_what_the_callers_channel_carries_counts_for_its_own_transfer_alone(variables, told):
    assert carried(known(State.PARKING), variables) == told


def test_an_agent_who_joined_meanwhile_has_answered_and_joined():
    told = reconcile(known(State.DIALLING, agent=""), shown(marks={B: MARK}))
    assert told == [e.AgentAnswered(MARK, B), e.AgentJoined(MARK, B, 2)]


def test_a_telephone_that_still_rings_is_waited_for():
    assert reconcile(known(State.DIALLING, orders={"Dial": "done"}), shown(members=ALONE, marks={B: MARK})) == []


@pytest.mark.parametrize("fate", ["claimed", "done", "failed"])
def test_a_dialling_without_a_leg_is_lost(fate):
    told = reconcile(known(State.DIALLING, orders={"Dial": fate}), shown((A,), ALONE))
    assert told == [e.DialFailed(MARK, "LOST")]


def test_a_dialling_that_was_not_sent_yet_is_not_lost():
    assert reconcile(known(State.DIALLING, orders={"Dial": "waiting"}), shown((A,), ALONE)) == []


def test_a_leg_of_an_older_attempt_is_not_the_agent():
    told = reconcile(known(State.DIALLING, orders={"Dial": "done"}), shown(marks={B: "older"}))
    assert told == [e.DialFailed(MARK, "LOST")]


def test_between_two_attempts_nothing_is_lost():
    assert reconcile(known(State.DIALLING, attempt=""), shown((A,), ALONE)) == []


# ---------------------------------------------------------------- what is left of those that are over
def remembered(over_at):
    index = Index()
    followed = index.follow("id", SHORT, A, ROOM)
    followed.over_at = over_at
    followed.nets |= {"dial0", "announce1"}
    return index


def test_what_is_left_of_a_transfer_that_is_over_is_removed():
    lines = leftovers(remembered(over_at=1.0), shown(strays=frozenset({B})))
    assert [line.text for line in lines] == [
        f"conference {ROOM} hup uuid={A}",
        f"uuid_kill {B}",
        f"sched_del th_{SHORT}_announce1",
        f"sched_del th_{SHORT}_dial0",
    ]


def test_the_nets_of_a_transfer_under_way_stand():
    assert leftovers(remembered(over_at=0.0), shown()) == []


# ---------------------------------------------------------------- what the switch shows
def reply(name, part):
    return next(b.reply for b in BlockReader().feed(recordings.received(name)) if part in b.reply)


def test_what_a_real_switch_shows_is_read():
    found = seen(reply("errors", '"rows"'), reply("accepted", "[{"), {})
    assert len(found.channels) == 2
    ((room, members),) = found.members.items()
    assert room.startswith("transfer_") and sorted(members.values()) == [252, 253]


def test_an_idle_switch_shows_nothing():
    found = seen('{"row_count": 0}\n', "[]", {})
    assert not found.channels and not found.members


def channels(**row):
    row = {"uuid": "x", "direction": "outbound", "dest": "", "cid_num": "", "state": "CS_EXECUTE"} | row
    return json.dumps({"row_count": 1, "rows": [row]})


@pytest.mark.parametrize(
    ("row", "busy"),
    [
        ({"direction": "outbound", "dest": "2001"}, True),  # somebody called him
        ({"direction": "inbound", "cid_num": "2001", "dest": "5000"}, True),  # he called somebody
        ({"direction": "inbound", "presence_id": "2001@lab"}, True),
        ({"direction": "inbound", "dest": "2001", "cid_num": "5511"}, False),  # a caller on his way to him: not his leg
        ({"direction": "outbound", "dest": "20011"}, False),
        ({"direction": "outbound", "dest": "2001", "state": "CS_REPORTING"}, False),  # hung up already
    ],
)
def test_who_is_on_a_call(row, busy):
    assert bool(on_a_call(channels(**row), "2001")) is busy


def test_nobody_is_on_a_call_of_an_idle_switch():
    assert not on_a_call('{"row_count": 0}\n', "2001")


# ---------------------------------------------------------------- the lease
def test_a_lease_that_was_not_renewed_in_time_ends_by_itself_before_another_process_gets_it():
    now = [0.0]
    lease = Lease(Switch(slug="main"), "me", clock=lambda: now[0])
    assert lease.fence is None
    lease._granted(7, now[0])
    assert lease.fence == 7
    now[0] = LEASE_SECONDS - MARGIN + 0.01
    assert lease.fence is None


def test_a_lease_counts_from_the_moment_it_was_asked_for():
    now = [100.0]
    lease = Lease(Switch(slug="main"), "me", clock=lambda: now[0])
    lease._granted(7, 100.0 - LEASE_SECONDS)  # the database took that long to answer
    assert lease.fence is None
