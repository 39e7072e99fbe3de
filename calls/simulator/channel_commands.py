"""The api commands that name one channel: `uuid_…`."""

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from calls.simulator.audiostream import AudioStream, parse_rate
from calls.simulator.events import Event, channel_headers, variable_headers
from calls.simulator.parsing import split_words

if TYPE_CHECKING:
    from calls.simulator.channel import Channel
    from calls.simulator.switch import SimulatedSwitch

NO_CHANNEL = "-ERR No such channel!\n"
FAILED = "-ERR Operation Failed\n"

STREAM_USAGE = (
    "-USAGE: <uuid> [start | stop | send_text | pause | resume | graceful-shutdown ] [wss-url | path] "
    "[mono | mixed | stereo] [8000 | 16000] [metadata]\n"
)

ChannelCommand = Callable[["SimulatedSwitch", str], "str | Awaitable[str]"]


def _transfer(switch: "SimulatedSwitch", argument: str) -> str:
    words = split_words(argument)
    if not 2 <= len(words) <= 5:
        return "-USAGE: <uuid> [-bleg|-both] <dest-exten> [<dialplan>] [<context>]\n"
    if channel := switch.channels.get(words[0]):
        channel.transfer(*[word for word in words[1:] if word not in ("-bleg", "-both")])
        return "+OK\n"
    return NO_CHANNEL


def _setvar(switch: "SimulatedSwitch", argument: str) -> str:
    words = split_words(argument, limit=3)
    if len(words) < 2:
        return "-USAGE: <uuid> <var> [value]\n"
    channel = switch.channels.get(words[0])
    if channel is None:
        return NO_CHANNEL
    channel.set(words[1], words[2] if len(words) == 3 else "")
    return "+OK\n"


def _getvar(switch: "SimulatedSwitch", argument: str) -> str:
    words = split_words(argument)
    if len(words) < 2:
        return "-USAGE: <uuid> <var>\n"
    channel = switch.channels.get(words[0])
    return (channel.variable(words[1]) or "_undef_") if channel else NO_CHANNEL


def _exists(switch: "SimulatedSwitch", argument: str) -> str:
    return "true" if argument in switch.channels else "false"


def _kill(switch: "SimulatedSwitch", argument: str) -> str:
    uuid, _, cause = argument.partition(" ")
    if channel := switch.channels.get(uuid):
        channel.hangup(cause.strip() or "NORMAL_CLEARING")
        return "+OK\n"
    return NO_CHANNEL


def _dump(switch: "SimulatedSwitch", argument: str) -> str:
    if channel := switch.channels.get(argument.partition(" ")[0]):
        headers = channel_headers(channel) + variable_headers(channel)
        return Event("CHANNEL_DATA", headers, common=switch.common_headers()).text(encoded=False)
    return NO_CHANNEL


def _broadcast(switch: "SimulatedSwitch", argument: str) -> str:
    words = split_words(argument)
    if len(words) < 2:
        return "-USAGE: <uuid> <path> [aleg|bleg|holdb|both]\n"
    if channel := switch.channels.get(words[0]):
        channel.playback.broadcast(words[1])
        return "+OK Message sent\n"
    return "-ERR invalid uuid\n"


def _break(switch: "SimulatedSwitch", argument: str) -> str:
    if channel := switch.channels.get(argument.partition(" ")[0]):
        channel.playback.break_()
        return "+OK\n"
    return NO_CHANNEL


def _recv_dtmf(switch: "SimulatedSwitch", argument: str) -> str:
    uuid, _, digits = argument.partition(" ")
    if not digits:
        return "-USAGE: <uuid> <dtmf_data>\n"
    if channel := switch.channels.get(uuid):
        for digit in digits.partition("@")[0]:
            channel.press(digit, source="APP")
        return f"+OK {uuid} received DTMF {digits}.\n"
    return f"-ERR Cannot find session with uuid {uuid}\n"


def _send_dtmf(switch: "SimulatedSwitch", argument: str) -> str:
    """Out to whoever is at the far end: for a loopback that is its other half, for a telephone nobody who listens."""
    uuid, _, digits = argument.partition(" ")
    if not digits:
        return "-USAGE: <uuid> <dtmf_data>\n"
    channel = switch.channels.get(uuid)
    if channel is None:
        return f"-ERR Cannot find session with uuid {uuid}\n"
    if channel.peer and "other_loopback_leg_uuid" in channel.variables:
        for digit in digits.partition("@")[0]:
            channel.peer.press(digit, source="UNKNOWN")
    return f"+OK {uuid} sent DTMF {digits}.\n"


async def _audio_stream(switch: "SimulatedSwitch", argument: str) -> str:
    words = argument.split(" ", 5)
    if len(words) < 2:
        return STREAM_USAGE
    channel = switch.channels.get(words[0])
    if channel is None:
        return FAILED
    if words[1] == "stop":
        return "+OK Success\n" if await channel.stop_stream() else FAILED
    if words[1] == "send_text":
        return "+OK Success\n" if len(words) > 2 and channel.stream and channel.stream.send_text(words[2]) else FAILED
    if words[1] != "start" or len(words) < 4:
        return FAILED if words[1] in ("pause", "resume", "graceful-shutdown") else STREAM_USAGE
    rate = parse_rate(words[4]) if len(words) > 4 else 8000
    if channel.stream or channel.hung_up or not rate or not words[2].startswith(("ws://", "wss://")):
        return FAILED
    channel.stream = _stream(switch, channel, words[2], rate, words[5] if len(words) > 5 else None)
    channel.stream.start()
    return "+OK Success\n"


def _stream(switch: "SimulatedSwitch", channel: "Channel", url: str, rate: int, text: str | None) -> AudioStream:
    try:
        headers = json.loads(channel.variables.get("STREAM_EXTRA_HEADERS", "{}"))
    except ValueError:
        headers = {}

    def tell(kind: str, body: str) -> None:
        channel.fire("CUSTOM", subclass=f"mod_audio_stream::{kind}", body=body)

    return AudioStream(channel.leg, url, rate, text, headers, switch.tmp_dir, tell, speed=switch.clock.speed)


CHANNEL_COMMANDS: dict[str, ChannelCommand] = {
    "uuid_audio_stream": _audio_stream,
    "uuid_break": _break,
    "uuid_broadcast": _broadcast,
    "uuid_dump": _dump,
    "uuid_exists": _exists,
    "uuid_getvar": _getvar,
    "uuid_kill": _kill,
    "uuid_recv_dtmf": _recv_dtmf,
    "uuid_send_dtmf": _send_dtmf,
    "uuid_setvar": _setvar,
    "uuid_transfer": _transfer,
}
