"""Each broken promise is found, and named; a kept one is not."""

from dataclasses import replace

import pytest

from tests.chaos.judge import (
    DOUBLE,
    LOST,
    MISSING,
    ORPHANS,
    UNCONSENTED,
    UNTRUE,
    Acceptance,
    Agent,
    Caller,
    Case,
    Record,
    Verdict,
    judge,
)

T = 1_000_000.0
STAGES = (("parking", T, 12.0), ("dialling", T + 1, 18.0), ("announcing", T + 3, 21.0), ("connecting", T + 8, 30.0))
TALKED = Case(
    1,
    T,
    Record("abc", "ended", "accepted", False, 0, (Acceptance("mark", T + 8),), STAGES, T + 15),
    Caller(T + 1, T + 15, True, False, False, False, 1),
    (Agent("mark", T + 2, T + 3, T + 15, 3.0, 3.0),),
    unmuted_at=T + 8.1,
    now=T + 20,
)
REJECTED = Case(
    2,
    T,
    Record("def", "ended", "rejected", True, 1, (), STAGES[:3], T + 15),
    Caller(T + 1, T + 15, True, False, False, False, 1),
    (Agent("mark", T + 2, T + 3, T + 9),),
    now=T + 20,
)


def of(case, **changes):
    """The case with fields of it, of its record, its caller or its only agent changed."""
    parts = {name: getattr(case, name) for name in ("record", "caller")}
    agent = case.agents[0]
    for name, value in changes.items():
        if name in Case.__dataclass_fields__:
            case = replace(case, **{name: value})
        elif name in Agent.__dataclass_fields__:
            agent = replace(agent, **{name: value})
        else:
            part = "record" if name in Record.__dataclass_fields__ else "caller"
            parts[part] = replace(parts[part], **{name: value})
    return replace(case, agents=(agent,), **({} if "record" in changes else parts))


def kinds(case):
    return {violation.kind for violation in judge(case)}


@pytest.mark.parametrize("case", [TALKED, REJECTED], ids=["talked", "rejected"])
def test_a_transfer_as_it_should_be_has_nothing_to_be_said_against_it(case):
    assert list(judge(case)) == []


@pytest.mark.parametrize(
    ("case", "changes", "kind"),
    [
        (TALKED, {"record": None}, LOST),
        (TALKED, {"state": "connected", "ended_at": None}, LOST),
        (TALKED, {"alive": False}, LOST),
        (TALKED, {"in_conference": True}, LOST),
        (TALKED, {"returns": 0}, LOST),
        (TALKED, {"returns": 2}, LOST),
        (TALKED, {"in_at": None}, LOST),  # never taken, and yet he came back
        (REJECTED, {"out_at": T + 40, "ended_at": T + 40}, LOST),  # 37 s in a stage of 21
        (REJECTED, {"tickets": 2}, DOUBLE),
        (REJECTED, {"wants_ticket": False}, DOUBLE),
        (REJECTED, {"tickets": 0}, MISSING),
        (REJECTED, {"heard_caller": 0.02}, UNCONSENTED),
        (TALKED, {"unmuted_at": T + 7}, UNCONSENTED),
        (TALKED, {"heard_strangers": True}, UNCONSENTED),
        (TALKED, {"gone_at": None}, ORPHANS),
        (TALKED, {"gone_at": T + 26}, ORPHANS),
        (TALKED, {"outcome": "error", "wants_ticket": True, "tickets": 1}, UNTRUE),
        (TALKED, {"heard_caller": 0.0, "heard_by_caller": 0.0, "unmuted_at": None}, UNTRUE),
    ],
)
def test_a_broken_promise_is_found(case, changes, kind):
    assert kind in kinds(of(case, **changes))


def test_who_hangs_up_by_himself_is_not_lost_and_who_died_with_the_switch_is_nobodys_fault():
    assert kinds(of(TALKED, alive=False, left_by_himself=True)) == set()
    assert kinds(of(TALKED, alive=False, died_with_switch=True, returns=0)) == set()


def test_that_two_talked_may_die_with_the_switch_but_only_after_an_acceptance():
    died = of(TALKED, alive=False, died_with_switch=True, returns=0, outcome="caller_left")
    assert kinds(died) == set()
    assert kinds(of(died, died_with_switch=False, left_by_himself=True)) == {UNTRUE}
    assert UNTRUE in kinds(of(died, acceptances=()))


def test_a_caller_who_was_never_taken_stays_in_the_menu():
    assert kinds(of(REJECTED, in_at=None, out_at=None, returns=0)) == set()


def test_the_verdict_counts_transfers_and_names_them():
    verdict = Verdict()
    verdict.hear(of(REJECTED, tickets=0, in_conference=True))
    verdict.hear(TALKED)
    said = verdict.as_json()
    assert verdict.cases == 2 and (said[LOST], said[MISSING], said[UNCONSENTED]) == (1, 1, 0)
    assert {each["transfer"] for each in said["violations"]} == {"def"}
