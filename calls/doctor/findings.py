"""What the doctor can find: a code, how bad it is, and values. The words are in words.py. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any


class Level(IntEnum):
    """The numbers are exit statuses."""

    OK = 0
    WARNING = 1
    UNFIT = 2

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Finding:
    """`values` fill the placeholders of the code's words: texts and numbers, JSON as they are."""

    level: Level
    code: str
    values: dict[str, Any] = field(default_factory=dict)


def ok(code: str, **values: Any) -> Finding:
    return Finding(Level.OK, code, values)


def warning(code: str, **values: Any) -> Finding:
    return Finding(Level.WARNING, code, values)


def unfit(code: str, **values: Any) -> Finding:
    return Finding(Level.UNFIT, code, values)


def worst(findings: Iterable[Finding]) -> Level:
    """OK when there are none."""
    return max((finding.level for finding in findings), default=Level.OK)


def to_json(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    return [{"level": each.level.word, "code": each.code, "values": each.values} for each in findings]


def from_json(rows: Iterable[dict[str, Any]]) -> list[Finding]:
    return [Finding(Level[row["level"].upper()], row["code"], row["values"]) for row in rows]
