"""A script's sender for whoever drives the script by hand: coroutine.send(reply) answers the line that came out."""

from collections.abc import Awaitable, Iterator
from typing import Any

from calls.switch import wording


class _Sent:
    def __init__(self, line: wording.Line) -> None:
        self.line = line

    def __await__(self) -> Any:
        return (yield self.line)


async def send(line: wording.Line) -> Awaitable[str]:
    """By then the model has carried it out and knows the reply: what may happen between two lines is tried all the
    same."""
    return _Reply(await _Sent(line))


class _Reply:
    def __init__(self, text: str) -> None:
        self._text = text

    def __await__(self) -> Iterator[Any]:
        return self._text
        yield
