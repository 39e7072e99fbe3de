"""What the measurements say, each figure with its bar. Pure.

Machines, and one machine's minutes, differ by half: beside every time on a core stands its ratio to the picows relay of
the same rounds, and the short form judges ratios alone.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

BASELINE = Path(__file__).with_name("baseline.json")
WORSE = 3 / 2
"""The short form fails when the same core carries a third less than at the baseline."""
SEEN_AT_LEAST = 0.8
"""Of the answers; those of the last moments are not over when the measuring ends."""
Run = dict[str, Any]


@dataclass(frozen=True)
class Figure:
    """`bar` None: told without being judged. `most`: the bar is the largest good value, else the smallest."""

    name: str
    value: float | None
    unit: str
    bar: float | None = None
    most: bool = True

    @property
    def passed(self) -> bool:
        if self.bar is None:
            return True
        return self.value is not None and (self.value <= self.bar if self.most else self.value >= self.bar)

    def __str__(self) -> str:
        value = "not measured" if self.value is None else f"{self.value:.4g}"
        bar = "" if self.bar is None else f"{'at most' if self.most else 'at least'} {self.bar:.4g}"
        mark = "" if self.bar is None else "ok" if self.passed else "BAD"
        return f"{mark:3} {self.name:62} {value:>12} {self.unit:12} {bar}"


class Rounds:
    """Medians over the rounds of one relay at one number of calls."""

    def __init__(self, runs: Iterable[Run]) -> None:
        self._runs = list(runs)

    def of(self, relay: str, n: int, *keys: str) -> float | None:
        values = []
        for run in self._runs:
            if (run["relay"], run["n"]) == (relay, n):
                value: Any = run
                for key in keys:
                    value = value[key]
                if value is not None:
                    values.append(value)
        return median(values) if values else None

    def cpu(self, relay: str, n: int) -> float | None:
        """ms on a core per second of one stream."""
        return self.of(relay, n, "cpu_ms_per_stream_s")

    def cpu_ratio(self, relay: str, peer: str, n: int) -> float | None:
        return _ratio(self.cpu(relay, n), self.cpu(peer, n))


def of_rounds(rounds: Rounds, few: int, many: int) -> list[Figure]:
    """CPU, latency and memory. `few` and `many` calls, as they were run."""
    bars = {("product", many): 6.0, ("product, picows", many): 5.0}
    found = [
        Figure(f"CPU of {relay}, {n} calls", rounds.cpu(relay, n), "ms/stream-s", bars.get((relay, n)))
        for n in (few, many)
        for relay in ("product", "product, picows", "picows", "stock Channels")
        if (relay, n) in bars or rounds.cpu(relay, n) is not None
    ]
    found += [
        Figure(f"CPU against the picows relay, {few} calls", rounds.cpu_ratio("product", "picows", few), "times"),
        Figure(f"CPU against stock Channels, {few} calls", rounds.cpu_ratio("product", "stock Channels", few), "times"),
    ]
    for relay in ("product", "product, picows"):
        name = f"CPU of {relay} against the picows relay, {many} calls"
        found.append(Figure(name, rounds.cpu_ratio(relay, "picows", many), "times"))
    for relay in ("product", "product, picows"):
        beyond = memory(rounds, relay, many)
        up, limit = (rounds.of(each, many, "up", "p99") for each in (relay, "picows"))
        found += [
            Figure(f"{relay}: uplink p99 added, {many} calls", up, "ms", 10),
            Figure(f"{relay}: the same against the picows relay", _ratio(up, limit), "times", 3),
            Figure(f"{relay}: delta to clip p99, {many} calls", rounds.of(relay, many, "down", "p99"), "ms", 20),
            Figure(f"{relay}: memory beyond the audio held, {many} calls", beyond, "kB/stream", 250),
        ]
    return found


def of_live_calls(database: str, result: Run | None, judged: bool) -> list[Figure]:
    """How long people wait for us; `result` None: it could not be measured. Nor is it where many never got there:
    those who did are the quick ones."""
    found = []
    for name, key, p50, p99 in (("first words", "first_words", 60, 150), ("decision to unmute", "put_through", 15, 60)):
        whole = result is not None and result[key]["count"] >= SEEN_AT_LEAST * result["answers"]
        values = result[key] if result is not None and whole else {"p50": None, "p99": None}
        found += [
            Figure(f"{database}: {name}, {part}", values[part], "ms", bar if judged else None)
            for part, bar in (("p50", p50), ("p99", p99))
        ]
    return found


def memory(rounds: Rounds, relay: str, n: int) -> float | None:
    """kB per stream without 110 kB for each second of audio that waits or is being played."""
    used = rounds.of(relay, n, "memory_kb_per_stream")
    if used is None:
        return None
    held = (rounds.of(relay, n, "unsent_s_per_stream") or 0) + (rounds.of(relay, n, "playing_s_per_stream") or 0)
    return used - 110 * held


def shortly(rounds: Rounds, n: int) -> dict[str, float]:
    """The ratios that the short form holds against the baseline. Not to the picows relay: on a busy machine it comes to
    handle many frames at a time, and its share falls by half."""
    peer = "stock Channels"
    ratios = {f"{relay} / {peer}": rounds.cpu_ratio(relay, peer, n) for relay in ("product", "product, picows")}
    return {name: round(ratio, 3) for name, ratio in ratios.items() if ratio is not None}


def against_baseline(ratios: dict[str, float], baseline: dict[str, float]) -> list[Figure]:
    return [
        Figure(f"CPU, {name}", ratios.get(name), "times", round(before * WORSE, 3)) for name, before in baseline.items()
    ]


def written(figures: list[Figure], runs: list[Run]) -> str:
    """The contents of var/bench.json."""
    rows = [asdict(figure) | {"passed": figure.passed} for figure in figures]
    whole = {"passed": all(figure.passed for figure in figures), "figures": rows, "runs": runs}
    return json.dumps(whole, indent=1) + "\n"


def _ratio(value: float | None, other: float | None) -> float | None:
    return value / other if value is not None and other else None
