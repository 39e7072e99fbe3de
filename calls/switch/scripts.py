"""Carrying out a script: its lines in order, judged by their replies; and what the result means for the machine."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, fields
from typing import Any

from calls.switch.safe import WordingError
from calls.switch.wording import Line, OnError
from calls.transfer import commands as c
from calls.transfer import events as e
from calls.transfer.states import State

Sender = Callable[[Line], Awaitable[Awaitable[str]]]
"""Puts a line on the wire; what comes of that is awaited for the reply."""
NO_CALL = "-ERR No such channel!"


@dataclass(frozen=True, slots=True)
class Ran:
    """How a script went. `step` and `reply` are of the line that decided: the first bad one, else one that was sent
    instead of a bad one, else the last."""

    ok: bool
    step: str
    reply: str  # first line of FreeSWITCH's answer


async def run(script: Iterable[Line], send: Sender) -> Ran:
    """Send the lines in order, and wait for a reply only where it decides whether the next is sent. Raises what `send`
    raises (the connection's end)."""
    sent: list[tuple[Line, Awaitable[str]]] = []
    results: dict[int, Ran] = {}
    for number, line in enumerate(script):
        sent.append((line, await send(line)))
        if line.on_error == OnError.ABORT or line.otherwise:
            results[number] = ran = await _ran(*sent[-1], send)
            if line.on_error == OnError.ABORT and not ran.ok:
                break
    for number, (line, reply) in enumerate(sent):
        if number not in results:
            results[number] = await _ran(line, reply, send)
    return _judged([(line, results[number]) for number, (line, _) in enumerate(sent)])


def _judged(results: list[tuple[Line, Ran]]) -> Ran:
    noted: Ran | None = None
    detour: Ran | None = None
    ran = Ran(True, "", "")
    for line, ran in results:
        if ran.ok:
            detour = ran if ran.step != line.step else detour
        elif line.on_error == OnError.ABORT:
            return ran
        elif line.on_error == OnError.NOTE:
            noted = noted or ran
    return noted or detour or Ran(True, ran.step, ran.reply)


async def _ran(line: Line, reply: Awaitable[str], send: Sender) -> Ran:
    text = (await reply).strip().split("\n", 1)[0][:200]
    if text.startswith(line.good):
        return Ran(True, line.step, text)
    if line.otherwise:
        return await run(line.otherwise, send)
    return Ran(False, line.step, text)


def decode(kind: str, arguments: dict[str, Any]) -> c.SwitchCommand:
    """The command that was stored as JSON. Raises WordingError for one that is none (an outbox of a newer version)."""
    made = getattr(c, kind, None)
    if not (isinstance(made, type) and issubclass(made, c.SwitchCommand)):
        raise WordingError("kind")
    known = {field.name for field in fields(made)}
    values = {
        name: tuple(value) if isinstance(value, list) else value for name, value in arguments.items() if name in known
    }
    try:
        return made(**values)
    except TypeError as error:
        raise WordingError("arguments") from error


def out_of_date(command: c.SwitchCommand, state: State, attempt: str) -> bool:
    """The transfer has moved on since the command was written (the switch was away): sending it would do harm.

    What lets somebody go or takes him home is never out of date.
    """
    match command:
        case c.Park():
            return state is not State.PARKING
        case c.Dial():
            return state is not State.DIALLING or attempt != command.attempt
        case c.StartStream(leg="agent"):
            return state not in (State.DIALLING, State.ANNOUNCING) or attempt != command.attempt
        case c.StartStream():
            return state is not State.INFORMING
        case c.PutThrough():
            return state is not State.CONNECTING or attempt != command.attempt
        case c.DialSupervisor() | c.SetSupervision():
            return state is not State.CONNECTED
        case c.ArmNet() | c.HoldCaller():
            return state is State.ENDED
    return False


def result_event(command: c.SwitchCommand, ran: Ran) -> e.Event | None:
    """What the machine is told of a command's result; None where the switch's own events tell it."""
    reason = ran.reply or ran.step
    match command:
        case c.Park() if not ran.ok:
            return e.ParkFailed(_park_reason(ran))
        case c.Dial() if not ran.ok:
            return e.DialFailed(command.attempt, "ERROR")
        case c.StartStream(leg="agent") if not ran.ok:
            return e.AnnouncerLost(command.attempt, "stream_refused")
        case c.StartStream(leg="caller") if not ran.ok:
            return e.PromptFailed("stream_refused")
        case c.PutThrough() if ran.ok:
            return e.PutThroughDone(command.attempt)
        case c.PutThrough() if ran.step in ("hook", "wording"):
            return e.PutThroughFailed(command.attempt, reason)
        case c.SendHome() if ran.step == "exists":  # not in the conference, so nobody will tell of his leaving it
            return e.CallerWentHome() if ran.reply == "true" else e.CallerLeft("NO_SUCH_CALL")
    return None


def _park_reason(ran: Ran) -> str:
    if ran.reply == NO_CALL or (ran.step == "bond" and ran.reply == "false"):
        return "no_such_call"
    if ran.step == "bond":
        return "bridged"
    return ran.reply or ran.step
