"""The api commands, by name. Each takes (switch, argument) and returns FreeSWITCH's answer."""

import json
import re
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from calls.simulator import conference_commands, originate, reports
from calls.simulator.channel_commands import CHANNEL_COMMANDS
from calls.simulator.directory import REGISTERED_ONLY

if TYPE_CHECKING:
    from calls.simulator.switch import SimulatedSwitch

Command = Callable[["SimulatedSwitch", str], "str | Awaitable[str]"]

_SUM = re.compile(r"[+-]?\d+([+-]\d+)*")

MODULE_OF = {"conference": "mod_conference", "sofia_contact": "mod_sofia", "uuid_audio_stream": "mod_audio_stream"}
"""Commands that are not there without their module."""


async def run(switch: "SimulatedSwitch", line: str) -> str:
    """Carries out one api command line, as `api`, `bgapi`, timers, hooks and `${command(args)}` give it."""
    name, _, argument = line.strip().partition(" ")
    command = COMMANDS.get(name)
    if command is None or MODULE_OF.get(name, "mod_commands") not in switch.modules:
        return f"-ERR {name} Command not found!\n"
    answer = command(switch, argument.strip())
    return answer if isinstance(answer, str) else await answer


def _sched_api(switch: "SimulatedSwitch", argument: str) -> str:
    words = argument.split(" ", 2)
    try:
        when, group, command = words
        return f"+OK Added: {switch.timers.schedule(when, group, command)}\n"
    except ValueError:
        return "-ERR Invalid syntax. USAGE: [+@]<time> <group_name> <command_string>[&]\n"


def _sched_del(switch: "SimulatedSwitch", argument: str) -> str:
    return f"+OK Deleted: {switch.timers.delete(argument)}\n" if argument else "-USAGE: <task_id>\n"


def _hupall(switch: "SimulatedSwitch", argument: str) -> str:
    words = argument.split()
    cause, pairs = (words[0] if words else "MANAGER_REQUEST"), words[1:]
    wanted = dict(zip(pairs[::2], pairs[1::2], strict=False))
    for channel in list(switch.channels.values()):
        if all(channel.variables.get(name) == value for name, value in wanted.items()):
            channel.hangup(cause)
    if not wanted:
        return f"+OK hangup all channels with cause {cause}\n"
    more = "..." if len(wanted) > 1 else ""
    return f"+OK hangup all channels matching [{pairs[0]}]=[{pairs[1]}]{more} with cause: {cause}\n"


def _module_exists(switch: "SimulatedSwitch", argument: str) -> str:
    return "true" if argument in switch.modules else "false"


def _show(switch: "SimulatedSwitch", argument: str) -> str:
    return reports.show(switch, argument.split())


def _sofia_contact(switch: "SimulatedSwitch", argument: str) -> str:
    number, _, domain = argument.rpartition("/")[2].partition("@")
    if domain not in ("", switch.domain) or switch.directory.dial_string(number) != REGISTERED_ONLY:
        return "error/user_not_registered"
    contacts = [f"sofia/internal/sip:{number}@127.0.0.1:5080" for _ in switch.directory.telephones(number)]
    return ",".join(contacts) or "error/user_not_registered"


def _user_exists(switch: "SimulatedSwitch", argument: str) -> str:
    words = argument.split()
    if len(words) != 3:
        return "-USAGE: <key> <user> <domain>\n"
    return "true" if words[2] == switch.domain and switch.directory.knows(words[1]) else "false"


def _user_data(switch: "SimulatedSwitch", argument: str) -> str:
    user, _, wanted = argument.partition(" ")
    number, _, domain = user.partition("@")
    known = domain == switch.domain and switch.directory.knows(number)
    return switch.directory.dial_string(number) if known and wanted == "param dial-string" else ""


def _global_getvar(switch: "SimulatedSwitch", argument: str) -> str:
    values = {"core_uuid": switch.core_uuid, "hostname": "pbx", "local_ip_v4": "127.0.0.1", **switch.globals}
    if not argument:
        return "".join(f"{name}={value}\n" for name, value in values.items())
    return values.get(argument, "")


def _status(switch: "SimulatedSwitch", argument: str) -> str:
    return reports.status(switch)


def _uptime(switch: "SimulatedSwitch", argument: str) -> str:
    scale = {"us": 1e6, "ms": 1e3, "m": 1 / 60, "h": 1 / 3600, "d": 1 / 86400}.get(argument, 1)
    return f"{int((switch.clock.now() - switch.up_since) * scale)}\n"


def _version(switch: "SimulatedSwitch", argument: str) -> str:
    return f"FreeSWITCH Version {reports.VERSION}~64bit ( 64bit)\n"


def _xml_locate(switch: "SimulatedSwitch", argument: str) -> str:
    if argument == "configuration configuration name conference.conf":
        return reports.conference_xml(switch)
    context = argument.removeprefix("dialplan context name ")
    if context != argument and (extensions := switch.dialplan.extensions(context)) is not None:
        return reports.dialplan_xml(context, extensions)
    return "can't find anything\n"


def _strftime(switch: "SimulatedSwitch", argument: str) -> str:
    return time.strftime(argument or "%Y-%m-%d %T", time.localtime(switch.clock.now()))


def _strmicroepoch(switch: "SimulatedSwitch", argument: str) -> str:
    return str(int(switch.clock.now() * 1_000_000))


def _strepoch(switch: "SimulatedSwitch", argument: str) -> str:
    return str(int(switch.clock.now()))


def _expr(switch: "SimulatedSwitch", argument: str) -> str:
    # Sums of whole numbers: what a dialplan counts with.
    formula = argument.replace(" ", "")
    if not _SUM.fullmatch(formula):
        return "-ERR Error in expression\n"
    return str(sum(int(term) for term in re.findall(r"[+-]?\d+", formula)))


def _create_uuid(switch: "SimulatedSwitch", argument: str) -> str:
    return switch.new_uuid()


def _sim_ledger(switch: "SimulatedSwitch", uuid: str) -> str:
    """Not FreeSWITCH's: who this leg could hear, and when (seconds of media time). For tests and the demo."""
    spans = switch.media.ledger.heard(uuid)
    return json.dumps([{"start": s.start, "end": s.end, "talkers": sorted(s.talkers)} for s in spans])


COMMANDS: dict[str, Command] = {
    **CHANNEL_COMMANDS,
    "conference": conference_commands.run,
    "create_uuid": _create_uuid,
    "expr": _expr,
    "global_getvar": _global_getvar,
    "hupall": _hupall,
    "module_exists": _module_exists,
    "originate": originate.run,
    "sched_api": _sched_api,
    "sched_del": _sched_del,
    "show": _show,
    "sim_ledger": _sim_ledger,
    "sofia_contact": _sofia_contact,
    "status": _status,
    "strepoch": _strepoch,
    "strftime": _strftime,
    "strmicroepoch": _strmicroepoch,
    "uptime": _uptime,
    "user_data": _user_data,
    "user_exists": _user_exists,
    "version": _version,
    "xml_locate": _xml_locate,
}
