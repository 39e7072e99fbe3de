"""What a switch tells about itself: `show …`, `status`, `conference … json_list`, the conference profile as XML."""

import json
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

from calls.simulator.applications import APPLICATIONS
from calls.simulator.conference_controls import CONTROL_GROUPS

if TYPE_CHECKING:
    from calls.simulator.channel import Channel
    from calls.simulator.conference import Conference, Member
    from calls.simulator.switch import SimulatedSwitch

VERSION = "1.11.3-dev"

MODULES = [
    "mod_console",
    "mod_logfile",
    "mod_event_socket",
    "mod_sofia",
    "mod_loopback",
    "mod_commands",
    "mod_conference",
    "mod_db",
    "mod_dptools",
    "mod_expr",
    "mod_hash",
    "mod_dialplan_xml",
    "mod_sndfile",
    "mod_native_file",
    "mod_tone_stream",
    "mod_audio_stream",
]


def _json(value: object) -> str:
    # cJSON's way of printing: tabs, and a tab behind each colon.
    return json.dumps(value, indent="\t", separators=(",", ":\t"), ensure_ascii=False)


def conferences_as_json(conferences: Iterable["Conference"]) -> str:
    rows = [_conference_row(conference) for conference in conferences]
    return _json(rows) if rows else "[]"


def _conference_row(conference: "Conference") -> dict[str, object]:
    now = conference.switch.clock.now()
    return {
        "conference_name": conference.name,
        "member_count": conference.size,
        "ghost_count": 0,
        "rate": 8000,
        "run_time": int(now - conference.created_at),
        "conference_uuid": conference.uuid,
        **dict.fromkeys(("canvas_count", "max_bw_in", "force_bw_in", "video_floor_packets"), 0),
        **dict.fromkeys(("locked", "destruct", "wait_mod", "audio_always"), False),
        "running": True,
        "answered": True,
        "enforce_min": True,
        "bridge_to": False,
        "dynamic": True,
        "exit_sound": True,
        "enter_sound": True,
        **dict.fromkeys(("recording", "video_bridge", "video_floor_only", "video_rfc4579"), False),
        "variables": {},
        "members": [_member_row(member, now) for member in conference.members],
    }


def _member_row(member: "Member", now: float) -> dict[str, object]:
    profile = member.channel.profile
    return {
        "type": "caller",
        "id": member.id,
        "flags": {
            "can_hear": member.can_hear,
            "can_see": True,
            "can_speak": member.can_speak,
            "hold": member.on_hold,
            "mute_detect": False,
            "talking": member.talking,
            "has_video": False,
            "video_bridge": False,
            "has_floor": member.conference.floor is member,
            "is_moderator": member.moderator,
            "end_conference": member.endconf,
            "mandatory_member_end_conference": member.mandatory,
            "pass_digits": False,
        },
        "uuid": member.channel.uuid,
        "caller_id_name": profile.caller_name,
        "caller_id_number": profile.caller_number,
        "join_time": int(now - member.joined_at),
        "last_talking": 0,
        "energy": 100,
        **dict.fromkeys(("volume_in", "volume_out", "output-volume", "input-volume"), 0),
    }


def show(switch: "SimulatedSwitch", words: list[str]) -> str:
    """`show channels|registrations|modules|tasks [as json]`, `show channels count`."""
    tables: dict[str, Callable[[SimulatedSwitch], list[dict[str, str]]]] = {
        "application": _applications,
        "channels": _channels,
        "calls": _channels,
        "registrations": _registrations,
        "modules": _modules,
        "tasks": _tasks,
    }
    kind = words[0] if words else ""
    if kind not in tables:
        return "-USAGE: codec|endpoint|application|api|dialplan|file|timer|calls|channels|modules|tasks|registrations\n"
    rows = tables[kind](switch)
    if words[1:] == ["count"]:
        return f"\n{len(rows)} total.\n"
    if words[1:] == ["as", "json"]:
        if not rows:
            return '{"row_count": 0}\n'
        return json.dumps({"row_count": len(rows), "rows": rows}, separators=(",", ":"), ensure_ascii=False) + "\n"
    lines = [",".join(rows[0])] + [",".join(row.values()) for row in rows] if rows else []
    return "".join(f"{line}\n" for line in lines) + f"\n{len(rows)} total.\n"


def _channels(switch: "SimulatedSwitch") -> list[dict[str, str]]:
    return [_channel_row(channel) for channel in switch.channels.values()]


def _channel_row(channel: "Channel") -> dict[str, str]:
    profile = channel.profile
    return {
        "uuid": channel.uuid,
        "direction": channel.direction,
        "created": time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(channel.created_at)),
        "created_epoch": str(int(channel.created_at)),
        "name": channel.name,
        "state": channel.state,
        "cid_name": profile.caller_name,
        "cid_num": profile.caller_number,
        "ip_addr": "127.0.0.1" if channel.direction == "inbound" else "",
        "dest": profile.destination,
        "application": channel.application[0],
        "application_data": channel.application[1],
        "dialplan": profile.dialplan,
        "context": profile.context,
        **{f"{way}_codec": "PCMU" for way in ("read", "write")},
        "secure": "",
        "hostname": "pbx",
        "presence_id": channel.variables.get("presence_id", ""),
        "presence_data": "",
        "accountcode": "",
        "callstate": channel.call_state,
        "callee_name": profile.callee_name,
        "callee_num": profile.callee_number,
        "callee_direction": "",
        "call_uuid": channel.variables.get("call_uuid", ""),
        "initial_cid_name": profile.original_name,
        "initial_cid_num": profile.original_number,
        "initial_dest": channel.initial.destination,
        "initial_dialplan": channel.initial.dialplan,
        "initial_context": channel.initial.context,
    }


def _registrations(switch: "SimulatedSwitch") -> list[dict[str, str]]:
    return [
        {
            "reg_user": number,
            "realm": switch.domain,
            "token": f"token-{number}",
            "url": f"sofia/internal/{number}@127.0.0.1:5080",
            "expires": str(int(switch.clock.now()) + 3600),
            "network_ip": "127.0.0.1",
            "network_port": "5080",
            "network_proto": "udp",
            "hostname": "pbx",
            "metadata": "",
        }
        for number in switch.directory.registered()
    ]


def _modules(switch: "SimulatedSwitch") -> list[dict[str, str]]:
    return [
        {"type": "generic", "name": name.removeprefix("mod_"), "ikey": name, "filename": f"/usr/lib/{name}.so"}
        for name in switch.modules
    ]


def _applications(switch: "SimulatedSwitch") -> list[dict[str, str]]:
    return [{"name": name, "description": "", "syntax": "", "ikey": "mod_dptools"} for name in sorted(APPLICATIONS)]


def _tasks(switch: "SimulatedSwitch") -> list[dict[str, str]]:
    return [
        {
            "task_id": str(task.id),
            "task_desc": "sched_api_function",
            "task_group": task.group,
            "task_runtime": str(task.due),
            "hostname": "pbx",
        }
        for task in switch.timers.tasks.values()
    ]


def status(switch: "SimulatedSwitch") -> str:
    up = int((switch.clock.now() - switch.up_since) * 1_000_000)
    parts = []
    for name, size in (("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1)):
        count, up = divmod(up, size * 1_000_000)
        parts.append(f"{count} {name}{'' if count == 1 else 's'}")
    return (
        f"UP 0 years, {', '.join(parts)}, {up // 1000} milliseconds, {up % 1000} microseconds\n"
        f"FreeSWITCH (Version {VERSION}  64bit) is ready\n"
        f"{switch.sessions} session(s) since startup\n"
        f"{len(switch.channels)} session(s) - peak {switch.peak}, last 5min {switch.peak} \n"
        f"0 session(s) per Sec out of max 500, peak 0, last 5min 0 \n"
        "2000 session(s) max\nmin idle cpu 0.00/95.00\nCurrent Stack Size/Max 240K/8192K\n"
    )


def conference_xml(switch: "SimulatedSwitch") -> str:
    """`xml_locate configuration configuration name conference.conf`: profiles and control groups."""
    groups = "".join(
        f"      <group name={quoteattr(name)}>\n"
        + "".join(f"        <control action={quoteattr(a)} digits={quoteattr(d)}/>\n" for d, a in controls.items())
        + "      </group>\n"
        for name, controls in CONTROL_GROUPS.items()
    )
    profiles = "".join(
        f"      <profile name={quoteattr(name)}>\n"
        + "".join(f"        <param name={quoteattr(n)} value={quoteattr(v)}/>\n" for n, v in params.items())
        + "      </profile>\n"
        for name, params in switch.profiles.items()
    )
    return (
        '<configuration name="conference.conf">\n    <advertise/>\n'
        f"    <caller-controls>\n{groups}    </caller-controls>\n"
        f"    <profiles>\n{profiles}    </profiles>\n</configuration>\n"
    )


def dialplan_xml(context: str, extensions: Iterable[tuple[str, Iterable[tuple[str, str]]]]) -> str:
    """`xml_locate dialplan context name …`; our extensions have no names of their own, so they are numbered."""
    body = "".join(
        f'    <extension name="extension {number}">\n'
        f'    <condition field="destination_number" expression={quoteattr(pattern)}>\n'
        + "".join(f"      <action application={quoteattr(a)} data={quoteattr(d)}></action>\n" for a, d in actions)
        + "    </condition>\n    </extension>\n"
        for number, (pattern, actions) in enumerate(extensions, 1)
    )
    return f"<context name={quoteattr(context)}>\n{body}</context>\n"
