"""What boards are told of the legs in a conference: who speaks, is muted, is on hold."""

import pytest

from calls.switch.index import Index
from calls.switch.interpret import TellBoard, interpret
from calls.switch.parsing import SwitchEvent
from calls.transfer import commands as c

ROOM = "transfer_abc_1"


@pytest.fixture
def index():
    index = Index()
    followed = index.follow("the transfer", "abc", "a-leg", ROOM)
    index.learn(followed, c.Dial("mark", "job", ("2001",), "lab", ROOM, "default", 25, "", False))
    dialling = index.by_mark("mark")
    index.answered(dialling, "b-leg")
    return index


def told(index, action, uuid):
    headers = {"Action": action}
    headers |= {"Conference-Name": ROOM, "Unique-ID": uuid}
    event = SwitchEvent("conference::maintenance", headers)
    return [each.message for each in interpret(event, index, 0) if isinstance(each, TellBoard)]


@pytest.mark.parametrize(
    "action, what, on",
    [
        ("start-talking", "talking", True),
        ("stop-talking", "talking", False),
        ("mute-member", "muted", True),
        ("unmute-member", "muted", False),
        ("hold-member", "held", True),
        ("unhold-member", "held", False),
    ],
)
@pytest.mark.parametrize("uuid, leg", [("a-leg", "caller"), ("b-leg", "agent")])
def test_what_a_member_does_is_told_with_the_leg_it_is(index, action, what, on, uuid, leg):
    assert told(index, action, uuid) == [
        {"type": "leg.state", "id": "the transfer", "leg": leg, "what": what, "on": on}
    ]


def test_a_member_who_is_neither_caller_nor_agent_is_not_on_the_board(index):
    assert told(index, "start-talking", "supervisor") == []
