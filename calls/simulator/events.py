"""Events as FreeSWITCH writes them: header order as recorded, percent-encoded values, an optional second body."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from calls.simulator.channel import Channel
    from calls.simulator.conference import Conference, Member

Headers = list[tuple[str, str]]

CONFERENCE = "conference::maintenance"

# What a real FreeSWITCH leaves unencoded, beside letters, digits and "_.-~".
_PLAIN = "$'(),/!*"

STATE_NUMBERS = {
    "CS_NEW": 0, "CS_INIT": 1, "CS_ROUTING": 2, "CS_EXECUTE": 4, "CS_CONSUME_MEDIA": 7, "CS_HANGUP": 10,
    "CS_REPORTING": 11,
}  # fmt: skip


@dataclass
class Event:
    """One event; `subclass` only for CUSTOM. `text()` is the block that follows the outer Content-Length."""

    name: str
    headers: Headers
    subclass: str | None = None
    body: str | None = None
    common: Headers = field(default_factory=list)

    def text(self, encoded: bool = True) -> str:
        head: Headers = [("Event-Subclass", self.subclass)] if self.subclass else []
        lines = head + [("Event-Name", self.name)] + self.common + self.headers
        text = "".join(f"{name}: {quote(value, safe=_PLAIN) if encoded else value}\n" for name, value in lines)
        if self.body is None:
            return text + "\n"
        return f"{text}Content-Length: {len(self.body.encode())}\n\n{self.body}"

    def get(self, name: str) -> str | None:
        return next((value for header, value in self.common + self.headers if header == name), None)


def flag(value: bool) -> str:
    return "true" if value else "false"


def channel_headers(channel: "Channel") -> Headers:
    """What every event about a channel carries; the variables come on top in some (`variable_headers`)."""
    profile = channel.profile
    headers = [
        ("Channel-State", channel.state),
        ("Channel-Call-State", channel.call_state),
        ("Channel-State-Number", str(STATE_NUMBERS.get(channel.state, 0))),
        ("Channel-Name", channel.name),
        ("Unique-ID", channel.uuid),
        ("Call-Direction", channel.direction),
        ("Presence-Call-Direction", channel.direction),
        ("Channel-HIT-Dialplan", flag(channel.hit_dialplan)),
        *_given([("Channel-Presence-ID", channel.variables.get("presence_id", ""))]),
        ("Channel-Call-UUID", channel.variables.get("call_uuid") or channel.uuid),
        ("Answer-State", channel.answer_state),
        *_given([("Hangup-Cause", channel.hangup_cause)]),
    ]
    headers += _given(
        [
            ("Caller-Direction", channel.direction),
            ("Caller-Logical-Direction", channel.direction),
            ("Caller-Username", profile.username),
            ("Caller-Dialplan", profile.dialplan),
            ("Caller-Caller-ID-Name", profile.caller_name),
            ("Caller-Caller-ID-Number", profile.caller_number),
            ("Caller-Orig-Caller-ID-Name", profile.original_name),
            ("Caller-Orig-Caller-ID-Number", profile.original_number),
            ("Caller-Callee-ID-Name", profile.callee_name),
            ("Caller-Callee-ID-Number", profile.callee_number),
            ("Caller-Network-Addr", "127.0.0.1"),
            ("Caller-ANI", profile.original_number),
            ("Caller-Destination-Number", profile.destination),
            ("Caller-Unique-ID", channel.uuid),
            ("Caller-Source", profile.source),
            ("Caller-Transfer-Source", profile.transfer_source),
            ("Caller-Context", profile.context),
            ("Caller-RDNIS", profile.rdnis),
            ("Caller-Channel-Name", channel.name),
            ("Caller-Profile-Index", str(profile.index)),
        ]
    )
    times = ("Created", channel.created_at), ("Answered", channel.answered_at), ("Hangup", channel.hung_up_at)
    return headers + [(f"Caller-Channel-{word}-Time", str(int(at * 1_000_000))) for word, at in times]


def _given(headers: Headers) -> Headers:
    return [(name, value) for name, value in headers if value]


def variable_headers(channel: "Channel") -> Headers:
    return [(f"variable_{name}", value) for name, value in channel.variables.items()]


def conference_headers(conference: "Conference") -> Headers:
    return [
        ("Conference-Name", conference.name),
        ("Conference-Domain", "127.0.0.1"),
        ("Conference-Size", str(conference.size)),
        ("Conference-Ghosts", "0"),
        ("Conference-Profile-Name", conference.profile_name),
        ("Conference-Unique-ID", conference.uuid),
    ]


def member_headers(member: "Member") -> Headers:
    conference = member.conference
    return [
        *conference_headers(conference),
        ("Floor", flag(conference.floor is member)),
        *channel_headers(member.channel),
        ("Video", "false"),
        ("Hear", flag(member.can_hear)),
        ("See", "true"),
        ("Speak", flag(member.can_speak)),
        ("Talking", flag(member.talking)),
        ("Mute-Detect", "false"),
        ("Hold", flag(member.on_hold)),
        ("Member-ID", str(member.id)),
        ("Member-Type", "moderator" if member.moderator else "member"),
        ("Member-Ghost", "false"),
        ("Energy-Level", "100"),
        ("Current-Energy", "6481" if member.talking else "0"),
    ]
