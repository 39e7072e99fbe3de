"""The api command `conference …`: its sub-commands, how they address a member, and their answers."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from calls.simulator import reports
from calls.simulator.parsing import atoi, split_words
from calls.simulator.playback import UNPLAYABLE

if TYPE_CHECKING:
    from calls.simulator.conference import Conference, Member
    from calls.simulator.switch import SimulatedSwitch

MEMBERS = "<[member_id|all]|last|non_moderator>"


def run(switch: "SimulatedSwitch", argument: str) -> str:
    """Carries out `conference <argument>`."""
    words = split_words(argument)
    if not words:
        return "Conference command, not specified.\nTry 'help'\n"
    if words[0] == "json_list":
        return reports.conferences_as_json(switch.conferences.values())
    if words[0] == "list":
        lists = (f"+OK Conference {c.name} ({c.size} members)\n{_list(c)}" for c in switch.conferences.values())
        return "".join(lists) or "+OK No active conferences.\n"
    conference = switch.conferences.get(words[0])
    if conference is None:
        return f"-ERR Conference {words[0]} not found\n"
    if len(words) == 1:
        return "Conference command, not specified.\nTry 'help'\n"
    command, rest = words[1].lower(), words[2:]
    if command in _MEMBER_COMMANDS:
        return _for_members(conference, command, rest)
    if command in _COMMANDS:
        return _COMMANDS[command](conference, rest)
    return f"-ERR Conference command '{words[1]}' not found.\n"


# Commands of the whole conference


def _list(conference: "Conference", _words: Sequence[str] = ()) -> str:
    return "".join(_line(member) for member in conference.members)


def _line(member: "Member") -> str:
    held = member.on_hold
    states = {
        "hear": member.can_hear and not held,
        "speak": member.can_speak and not held,
        "talking": member.talking and not held,
        "hold": held,
        "floor": member.conference.floor is member,
        "moderator": member.moderator,
    }
    channel = member.channel
    status = "|".join(name for name, holds in states.items() if holds)
    who = f"{channel.profile.caller_name};{channel.profile.caller_number}"
    return f"{member.id};{channel.name};{channel.uuid};{who};{status};0;0;100\n"


def _json_list(conference: "Conference", _words: list[str]) -> str:
    return reports.conferences_as_json([conference])


def _count(conference: "Conference", _words: list[str]) -> str:
    return f"{conference.size}"


def _play(conference: "Conference", words: list[str]) -> str:
    usage = "play <file_path> [async|<member_id> [nomux]]"
    if len(words) < 2:
        return usage
    path, target = words[:2]
    # Only the numeric id is sure to work here on every version: the member commands alone promise `uuid=`.
    member = conference.member(atoi(target))
    if member is None:
        return f"-ERR Member: {target} not found.\n"
    try:
        conference.room.play(member.id, path)
    except UNPLAYABLE:
        return f"-ERR (play) File: {path} not found.\n"
    member.clips.append(path)
    return f"+OK (play) Playing file {path} to member {member.id}\n"


def _stop(conference: "Conference", words: list[str]) -> str:
    if not words or words[0].lower() not in ("all", "current", "async"):
        return "stop <[current|all|async|last]> [<member_id>]"
    if len(words) == 1:
        return "+OK Stopped 0 files.\n"
    member = conference.member(atoi(words[1]))
    if member is None:
        return f"-ERR Member: {words[1]} not found.\n"
    return f"+OK Stopped {conference.room.stop(member.id)} files.\n"


def _relate(conference: "Conference", words: list[str]) -> str:
    if len(words) < 3:
        return "relate <member_id>[,<member_id>] <other_member_id>[,<other_member_id>] [nospeak|nohear|clear]"
    action = words[2]
    pairs = [(atoi(one), atoi(other)) for one in words[0].split(",") for other in words[1].split(",")]
    return "".join(_relate_pair(conference, one, other, action) for one, other in pairs)


def _relate_pair(conference: "Conference", one: int, other: int, action: str) -> str:
    if not (conference.member(one) and conference.member(other)):
        return f"-ERR relationship {one}->{other} not found.\n"
    if action == "clear":
        conference.room.relate(one, other, clear=True)
        return f"+OK relationship {one}->{other} cleared.\n"
    nohear, nospeak = "nohear" in action or None, "nospeak" in action or None
    conference.room.relate(one, other, nohear=nohear, nospeak=nospeak)
    return f"+OK {one}->{other} {action} set\n"


_COMMANDS: dict[str, Callable[["Conference", list[str]], str]] = {
    "list": _list,
    "json_list": _json_list,
    "count": _count,
    "play": _play,
    "stop": _stop,
    "relate": _relate,
}


# Commands to members


def _for_members(conference: "Conference", command: str, words: list[str]) -> str:
    """`uuid=<uuid>`, an id, `all`, `last` or `non_moderator`.

    A bare uuid goes through atoi: its leading digits are taken for an id. One that begins with a letter is nobody.
    """
    target = words[0] if words else ""
    data = " ".join(words[1:])
    do = _MEMBER_COMMANDS[command]
    if number := atoi(target):
        member = conference.member(number)
        return do(member, data) if member else f"-ERR Non-Existant ID {number}\n"
    if target.lower() == "all":
        return "".join(do(member, data) for member in list(conference.members))
    if target.lower() == "non_moderator":
        return "".join(do(member, data) for member in list(conference.members) if not member.moderator)
    if target.lower() == "last":
        return do(max(conference.members, key=lambda member: member.id), data) if conference.members else ""
    if "=" in target:
        name, _, value = target.partition("=")
        member = next((m for m in conference.members if m.channel.variables.get(name) == value), None)
        return do(member, data) if member else "-ERR Non-Existant member\n"
    return f"{command} {MEMBERS}"


def _mute(member: "Member", _data: str) -> str:
    member.conference.mute(member)
    return f"+OK mute {member.id}\n"


def _unmute(member: "Member", _data: str) -> str:
    member.conference.unmute(member)
    return f"+OK unmute {member.id}\n"


def _tmute(member: "Member", data: str) -> str:
    return (_mute if member.can_speak else _unmute)(member, data)


def _deaf(member: "Member", _data: str) -> str:
    member.conference.set_hearing(member, False)
    return f"+OK deaf {member.id}\n"


def _undeaf(member: "Member", _data: str) -> str:
    member.conference.set_hearing(member, True)
    return f"+OK undeaf {member.id}\n"


def _hold(member: "Member", data: str) -> str:
    try:
        member.conference.hold(member, data)
    except UNPLAYABLE:
        member.conference.hold(member, "")  # held all the same, in silence
    return f"+OK hold {member.id}\n"


def _unhold(member: "Member", _data: str) -> str:
    member.conference.unhold(member)
    return f"+OK unhold {member.id}\n"


def _kick(member: "Member", _data: str) -> str:
    member.conference.let_go(member, kicked=True)
    return f"+OK kicked {member.id}\n"


def _hup(member: "Member", _data: str) -> str:
    member.conference.let_go(member)
    return f"+OK hup {member.id}\n"


def _dtmf(member: "Member", data: str) -> str:
    if not data:
        return "-ERR Invalid input!\n"
    member.conference.fire_member("dtmf-member", member, [("Digits", data)])
    return f"+OK sent {data} to {member.id}\n"


_MEMBER_COMMANDS: dict[str, Callable[["Member", str], str]] = {
    "mute": _mute,
    "unmute": _unmute,
    "tmute": _tmute,
    "deaf": _deaf,
    "undeaf": _undeaf,
    "hold": _hold,
    "unhold": _unhold,
    "kick": _kick,
    "hup": _hup,
    "dtmf": _dtmf,
}
