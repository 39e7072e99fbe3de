"""The dialplan applications: `async (channel, data)`. A cancelled one is left because the channel goes elsewhere."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from calls.simulator.parsing import split_words

if TYPE_CHECKING:
    from calls.simulator.channel import Channel

Application = Callable[["Channel", str], Awaitable[None]]

APPLICATIONS: dict[str, Application] = {}


def application(name: str) -> Callable[[Application], Application]:
    def register(run: Application) -> Application:
        APPLICATIONS[name] = run
        return run

    return register


@application("set")
async def _set(channel: "Channel", data: str) -> None:
    name, _, value = data.partition("=")
    channel.set(name.strip(), "" if value == "_undef_" else value)


@application("export")
async def _export(channel: "Channel", data: str) -> None:
    name, _, value = data.removeprefix("nolocal:").partition("=")
    channel.set(name.strip(), value)


@application("unset")
async def _unset(channel: "Channel", data: str) -> None:
    channel.set(data.strip(), "")


@application("answer")
async def _answer(channel: "Channel", data: str) -> None:
    channel.answer()


@application("pre_answer")
async def _pre_answer(channel: "Channel", data: str) -> None:
    channel.pre_answer()


@application("ring_ready")
async def _ring_ready(channel: "Channel", data: str) -> None:
    channel.ring()


@application("sleep")
async def _sleep(channel: "Channel", data: str) -> None:
    await channel.switch.clock.sleep(float(data or 0) / 1000)


@application("playback")
async def _playback(channel: "Channel", data: str) -> None:
    channel.pre_answer()
    await channel.playback.run(data)


@application("park")
async def _park(channel: "Channel", data: str) -> None:
    channel.pre_answer()
    channel.fire("CHANNEL_PARK")
    await asyncio.Event().wait()


@application("hangup")
async def _hangup(channel: "Channel", data: str) -> None:
    channel.hangup(data.strip() or "NORMAL_CLEARING")


@application("respond")
async def _respond(channel: "Channel", data: str) -> None:
    causes = {"486": "USER_BUSY", "603": "CALL_REJECTED", "480": "NO_USER_RESPONSE", "404": "UNALLOCATED_NUMBER"}
    channel.hangup(causes.get(data.split(" ")[0], "NORMAL_CLEARING"))


@application("transfer")
async def _transfer(channel: "Channel", data: str) -> None:
    words = split_words(data)
    # Without a destination the application complains and ends: the channel runs on, to the end of its extension.
    if words and len(words) <= 3:
        channel.transfer(*words)


@application("conference")
async def _conference(channel: "Channel", data: str) -> None:
    await channel.switch.join_conference(channel, data)


@application("info")
@application("log")
async def _nothing(channel: "Channel", data: str) -> None:
    """Only writes a log in a real FreeSWITCH."""
