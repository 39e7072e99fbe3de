"""The dialplan: contexts with numbered extensions, the inline dialplan, and variables expanded late."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence

from calls.simulator.parsing import inline_actions

Actions = Sequence[tuple[str, str]]

IVR_TONE = "tone_stream://%(1000,4000,350,440);loops=-1"
RETURN_TONE = "tone_stream://%(500,500,600);loops=-1"

DEFAULT_DIALPLAN: Mapping[str, Sequence[tuple[str, Actions]]] = {
    "public": [
        (
            "^(ivr|5000)$",
            [("answer", ""), ("set", "ivr_visits=${expr(${ivr_visits}+1)}"), ("playback", IVR_TONE)],
        ),
        (
            "^ivr_return$",
            [
                ("answer", ""),
                ("set", "returned_to_ivr=true"),
                ("set", "ivr_returns=${expr(${ivr_returns}+1)}"),
                ("playback", RETURN_TONE),
            ],
        ),
        ("^caller$", [("answer", ""), ("playback", "tone_stream://%(20000,0,300);loops=-1")]),
    ]
}
"""Context → extensions in order: a regular expression on the destination number, and the applications to run."""


class Dialplan:
    """Finds what to run for a destination. `contexts` is shaped as DEFAULT_DIALPLAN."""

    def __init__(self, contexts: Mapping[str, Sequence[tuple[str, Actions]]] | None = None):
        self._contexts = contexts if contexts is not None else DEFAULT_DIALPLAN

    def extensions(self, context: str) -> Sequence[tuple[str, Actions]] | None:
        """What a context holds, in order; None when there is none of that name."""
        return self._contexts.get(context)

    def hunt(self, destination: str, dialplan: str, context: str) -> Actions | None:
        """The applications for a destination, or None when no extension matches (the call is then hung up)."""
        if dialplan == "inline":
            return inline_actions(destination) if destination else None
        if dialplan != "XML":
            return None
        for pattern, actions in self._contexts.get(context, ()):
            if match := re.search(pattern, destination):
                return [(application, _fill(data, match)) for application, data in actions]
        return None


def _fill(data: str, match: re.Match[str]) -> str:
    def group(reference: re.Match[str]) -> str:
        number = int(reference[1])
        return (match[number] or "") if number <= match.re.groups else ""

    return re.sub(r"\$(\d)", group, data)


_CALL = re.compile(r"^(\w+)\((.*)\)$", re.S)


async def expand(text: str, variable: Callable[[str], str], api: Callable[[str], Awaitable[str]]) -> str:
    """Replaces `${name}` by a variable and `${command(args)}` by an api command's answer, innermost first."""
    out = ""
    while (start := text.find("${")) >= 0:
        end = _closing_brace(text, start + 2)
        if end < 0:
            break
        inner = await expand(text[start + 2 : end], variable, api)
        if call := _CALL.match(inner):
            value = await api(f"{call[1]} {call[2]}".strip())
        else:
            value = variable(inner)
        out += text[:start] + value
        text = text[end + 1 :]
    return out + text


def _closing_brace(text: str, position: int) -> int:
    depth = 1
    for index in range(position, len(text)):
        if text[index] == "{":
            depth += 1
        elif text[index] == "}":
            depth -= 1
            if depth == 0:
                return index
    return -1
