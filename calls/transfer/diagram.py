"""The state diagram in Mermaid, drawn from the machine's table, so that the README cannot drift from it."""

from calls.transfer.machine import TABLE
from calls.transfer.states import State, Verdict


def mermaid() -> str:
    """One arrow for each pair of states, labelled with the events that may lead along it."""
    arrows: dict[tuple[State, State], list[str]] = {}
    for state, row in TABLE.items():
        for event, rule in row.items():
            if rule.verdict is Verdict.MOVED:
                for target in rule.to - {state}:
                    arrows.setdefault((state, target), []).append(event.__name__)
    order = list(State)
    lines = ["stateDiagram-v2", f"    [*] --> {State.REQUESTED.value}"]
    for source, target in sorted(arrows, key=lambda pair: (order.index(pair[0]), order.index(pair[1]))):
        events = "<br>".join(sorted(arrows[source, target]))
        lines.append(f"    {source.value} --> {target.value} : {events}")
    lines.append(f"    {State.ENDED.value} --> [*]")
    return "\n".join(lines)
