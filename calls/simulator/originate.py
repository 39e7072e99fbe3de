"""The api command `originate`: rings one or several legs, keeps one winner, and sends it to an application."""

import asyncio
import math
from typing import TYPE_CHECKING

from calls.simulator.endpoints import Unreachable, make_legs
from calls.simulator.parsing import atoi, split_words, take_block

if TYPE_CHECKING:
    from calls.simulator.channel import Channel
    from calls.simulator.switch import SimulatedSwitch

USAGE = (
    "-USAGE: <call url> <exten>|&<application_name>(<app_args>) [<dialplan>] [<context>] [<cid_name>] [<cid_num>] "
    "[<timeout_sec>]\n"
)
DEFAULT_TIMEOUT = 60


async def run(switch: "SimulatedSwitch", argument: str) -> str:
    """Answers `+OK <uuid>` when somebody answered, or `-ERR <cause>`."""
    words = split_words(argument)
    if not 2 <= len(words) <= 7:
        return USAGE
    words += ["XML", "default", "", "", ""][len(words) - 2 :]
    dial, extension, dialplan, context, name, number, timeout = words
    variables, dial = take_block(dial, "{", "}")
    if name:
        variables.setdefault("origination_caller_id_name", name)
    if number:
        variables.setdefault("origination_caller_id_number", number)
    seconds = atoi(variables.get("originate_timeout", timeout)) or DEFAULT_TIMEOUT
    winner, cause = await _ring(switch, dial, variables, seconds)
    if winner is None:
        return f"-ERR {cause}\n"
    if extension.startswith("&"):
        application, _, data = extension[1:].partition("(")
        winner.execute([(application, data.partition(")")[0])])
    else:
        winner.transfer(extension, dialplan, context)
    return f"+OK {winner.uuid}\n"


async def _ring(
    switch: "SimulatedSwitch", dial: str, variables: dict[str, str], seconds: int
) -> tuple["Channel | None", str]:
    """`,` rings together, `|` one group after another."""
    cause = "DESTINATION_OUT_OF_ORDER"
    for group in dial.split("|"):
        legs: list[Channel] = []
        for part in _split_legs(group):
            own, url = take_block(part, "[", "]")
            try:
                legs += make_legs(switch, url, variables | own)
            except Unreachable as error:
                cause = error.cause
        if legs:
            winner, cause = await _race(switch, legs, seconds, variables.get("ignore_early_media") == "true")
            if winner:
                return winner, cause
    return None, cause


def _split_legs(group: str) -> list[str]:
    parts, depth = [""], 0
    for char in group:
        depth += (char == "[") - (char == "]")
        if char == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return parts


async def _race(
    switch: "SimulatedSwitch", legs: list["Channel"], seconds: int, ignore_early_media: bool
) -> tuple["Channel | None", str]:
    news = asyncio.Event()
    for leg in legs:
        leg.on_change.append(news.set)
    wanted = ("answered",) if ignore_early_media else ("answered", "early")
    # Whole seconds are compared: the limit may come up to a second early.
    due = math.floor(switch.clock.now()) + seconds
    winner, cause = None, ""
    while winner is None and not cause:
        news.clear()
        winner = next((leg for leg in legs if leg.answer_state in wanted), None)
        if winner is None and all(leg.hung_up for leg in legs):
            cause = max(legs, key=lambda leg: leg.hung_up_at).hangup_cause
        elif winner is None:
            try:
                left = (due - switch.clock.now()) / switch.clock.speed
                await asyncio.wait_for(news.wait(), max(0.0, left))
            except TimeoutError:
                cause = "NO_ANSWER"
    for leg in legs:
        leg.on_change.remove(news.set)
        if leg is not winner:
            leg.hangup("LOSE_RACE" if winner else cause)
    return winner, cause
