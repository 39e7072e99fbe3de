"""The certificate: what was lived through and measured, as JSON and in words. Pure."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class Lived:
    """One story, once."""

    story: str
    problems: list[str]
    seconds: float
    log: list[str] = field(default_factory=list)
    """What the transfer went through, where there were problems."""


@dataclass
class Certificate:
    """`commands` and `measures`: values by name; milliseconds, but Hz where the name says pitch."""

    switch: str
    version: str
    at: str
    side_by_side: int
    stories: list[Lived] = field(default_factory=list)
    commands: dict[str, list[float]] = field(default_factory=dict)
    measures: dict[str, list[float]] = field(default_factory=dict)
    audio_stream: dict[str, Any] = field(default_factory=dict)
    left_over: list[str] = field(default_factory=list)
    interrupted: str = ""
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        return (
            bool(self.stories)
            and not (self.left_over or self.interrupted)
            and not any(lived.problems for lived in self.stories)
        )

    def as_json(self) -> dict[str, Any]:
        """As the fields, with distributions in place of values."""
        return asdict(self) | {
            "passed": self.passed,
            "commands": {name: spread(values) for name, values in self.commands.items() if values},
            "measures": {name: spread(values) for name, values in self.measures.items() if values},
        }

    def text(self) -> str:
        lines = [
            f"{'PASSED' if self.passed else 'FAILED'}  {self.switch}  {self.version}",
            f"{self.at}, {len(self.stories)} transfers, {self.side_by_side} side by side, {self.seconds:.0f} s",
            "",
            f"{'story':<22}{'lived':>6}{'well':>6}{'longest':>10}",
        ]
        for name in dict.fromkeys(lived.story for lived in self.stories):
            these = [lived for lived in self.stories if lived.story == name]
            well = sum(not lived.problems for lived in these)
            lines.append(f"{name:<22}{len(these):>6}{well:>6}{max(lived.seconds for lived in these):>8.1f} s")
            lines += [f"    {text}" for text in dict.fromkeys(p for lived in these for p in lived.problems)]
        lines += ["", _head("commands, ms"), *_table(self.commands), "", _head("heard, ms (pitch: Hz)")]
        lines += [*_table(self.measures), "", *self._edition()]
        lines += [f"left over: {line}" for line in self.left_over]
        if self.interrupted:
            lines.append(f"interrupted: {self.interrupted}")
        return "\n".join(lines)

    def _edition(self) -> list[str]:
        edition = self.audio_stream
        if not edition:
            return []
        rates = ", ".join(rate for rate, good in edition["rates"].items() if good) or "none"
        made = edition["file_ms"]
        clip = f"a file after {made} ms, heard at {edition['file_pitch']:g} Hz (500 sent)" if made else "nothing"
        return [
            f"mod_audio_stream: streams at {rates}",
            f"mod_audio_stream: of a WAV clip it makes {clip}",
            f"mod_audio_stream: raw frames sent to it are {'played' if edition['plays_raw_frames'] else 'not played'}",
        ]


def spread(values: Sequence[float]) -> dict[str, float]:
    """Count, median, 99th percentile (the largest of fewer than a hundred), smallest and largest."""
    ordered = sorted(values)
    return {
        "count": len(ordered),
        "p50": round(statistics.median(ordered), 1),
        "p99": ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))],
        "least": ordered[0],
        "most": ordered[-1],
    }


def _head(title: str) -> str:
    return f"{title:<30}{'count':>7}{'p50':>10}{'p99':>10}{'least':>10}{'most':>10}"


def _table(values: dict[str, list[float]]) -> list[str]:
    rows = ((name, spread(of)) for name, of in values.items() if of)
    return [
        f"{name:<30}{row['count']:>7}{row['p50']:>10.1f}{row['p99']:>10.1f}{row['least']:>10.1f}{row['most']:>10.1f}"
        for name, row in rows
    ]
