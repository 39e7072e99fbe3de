"""The tables of tests/README.md as data: what is written there is what is tested."""

from pathlib import Path
from typing import NamedTuple

README = Path(__file__).parent.parent / "README.md"


class Story(NamedTuple):
    """A row. `states` without the repetition of attempts' inner order; "-" is nothing."""

    name: str
    states: list[str]
    outcome: str
    decision: str
    ticket: bool
    talked: bool
    ends: str


def _rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading, code marks and the header taken away."""
    text = README.read_text(encoding="utf-8").split(f"## {heading}", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines[2:]]


def stories() -> dict[str, Story]:
    rows = {}
    for name, states, outcome, decision, ticket, talked, ends in _rows("Stories"):
        rows[name] = Story(name, states.split(" → "), outcome, decision, ticket == "yes", talked == "yes", ends)
    return rows


def temperaments() -> dict[str, tuple[str, str]]:
    """Temperament of the only agent -> outcome and reason ("-": none)."""
    return {name: (outcome, reason) for name, _, outcome, reason in _rows("Temperaments")}
