"""Keys inside a conference: the `caller-controls` groups of a profile.

A profile that names no group has the stock group `default`, which unmutes a muted caller on 0 and lets him leave on #.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from calls.simulator.conference import Member

STOCK_CONTROLS = {
    "0": "mute", "*": "deaf mute", "9": "energy up", "8": "energy equ", "7": "energy dn", "3": "vol talk up",
    "2": "vol talk zero", "1": "vol talk dn", "6": "vol listen up", "5": "vol listen zero", "4": "vol listen dn",
    "#": "hangup",
}  # fmt: skip
"""Digit → action, as the group `default` of FreeSWITCH's own conference.conf.xml."""

CONTROL_GROUPS = {"default": STOCK_CONTROLS, "none": {}}


def controls_for(variable: str, group: str) -> dict[str, str]:
    """The keys of one member: the variable `conference_controls` goes before the profile's `caller-controls`."""
    return CONTROL_GROUPS.get(variable or group or "default", {})


def act(member: "Member", action: str) -> None:
    """What one key does; volumes and energy are not simulated."""
    conference = member.conference
    if action == "hangup":
        # As `hup`, but without its event: on to what stands behind the conference.
        member.leaving.set()
    elif action in ("mute", "deaf mute") and not member.on_hold:
        muted = not member.can_speak
        (conference.unmute if muted else conference.mute)(member)
        if action == "deaf mute" and member.can_hear != muted:
            conference.set_hearing(member, muted)
