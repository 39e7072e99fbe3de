# ruff: noqa: T201  (figures are what it is for)
"""Measures the board in Chromium (make measure-console) and prints figures. Fails where a bar is not met.

change -> painted   50 live calls on the simulated FreeSWITCH, whose agents let it ring for 20 s each, so that two or
                    three rows a second change: from the end of a ringing on the Event Socket's wire (BACKGROUND_JOB)
                    to the frame after the row says who is rung next. All that lies between is the product's own.
click -> command    from the second press of "accept" to the first order of the put-through on the same wire
longest task        200 live transfers, 20 changes a second, 10 s; rows alone, told on the bus
page weight         all that a first visit to that board transfers
"""

import asyncio
import json
import threading
import time

import pytest
from django.db import connections

from calls import bus
from calls.models import Attempt, Switch, SwitchCommand, Transfer
from calls.transfer.states import State
from tests.console.browser import log_in, outside
from tests.console.rig import Rig, Wire
from tests.factories import make_company, make_transfer, make_user

pytestmark = pytest.mark.browser
expect = pytest.importorskip("playwright.sync_api").expect

PAINTED_P99_MS, COMMAND_P99_MS, LONGEST_TASK_MS = 250, 150, 50
RINGING, RING_SECONDS, WATCHED_SECONDS = 50, 20, 40
CLICKS, AT_ONCE = 24, 4
ACTS = ("calls.view_transfer", "calls.act_on_transfers")
# What a row says, and when the frame that shows it was done.
WATCH_ROWS = """() => {
    window.painted = {};
    const note = (row) => {
        const says = `${row.dataset.key} ${row.querySelector(".badge")?.textContent.replace(/\\s+/g, " ").trim()}`;
        if (says in window.painted) return;
        window.painted[says] = 0;
        requestAnimationFrame(() => setTimeout(() => { window.painted[says] = Date.now(); }));
    };
    new MutationObserver((changes) => {
        for (const row of new Set(changes.map((each) => each.target.closest?.("tr")).filter(Boolean))) note(row);
    }).observe(document.getElementById("live"), {subtree: true, childList: true, attributes: true});
}"""
WATCH_TASKS = """() => {
    window.tasks = [];
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) window.tasks.push(entry.duration);
    }).observe({type: "longtask", buffered: false});
}"""


@pytest.fixture(scope="module")
def rig(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), Rig() as running:
        yield running


@pytest.fixture
def page(rig, chromium):
    """The board of somebody who acts, on the rig's web process."""
    name = f"dora{time.time():.0f}"
    outside(make_user, name, *ACTS)
    context = chromium.new_context(locale="pt-BR", viewport={"width": 1360, "height": 900})
    log_in(context, rig.stack.url, name)
    page = context.new_page()
    page.goto(rig.stack.url + "/")
    yield page
    context.close()


def figures(waits: list[float]) -> dict[str, int]:
    waits = sorted(waits)
    return {
        "measured": len(waits),
        "p50_ms": round(waits[len(waits) // 2]),
        "p99_ms": round(waits[min(len(waits) - 1, int(len(waits) * 0.99))]),
        "longest_ms": round(waits[-1]),
    }


def test_from_a_change_in_the_switch_to_the_paint(rig, page, capsys):
    stack = rig.stack
    limits = {"ring_seconds": RING_SECONDS, "total_seconds": 600, "max_attempts": 20, "prepare_announcement": False}
    department = rig.do(stack.department(*["no_answer"] * (2 * RINGING + 10), **limits))

    async def one(number: int):
        await asyncio.sleep(number * RING_SECONDS / RINGING)  # so that they do not all change in the same moment
        return await stack.request(await stack.caller("silent"), department=department)

    async def all_of_them():
        return await asyncio.gather(*map(one, range(RINGING)))

    transfers = rig.do(all_of_them())
    expect(page.locator("#live tr")).to_have_count(RINGING)
    page.evaluate(WATCH_ROWS)
    page.wait_for_timeout(WATCHED_SECONDS * 1000)
    painted = page.evaluate("window.painted")
    waits = outside(_waits, rig.wire, painted)
    for transfer in transfers:
        rig.do(stack.http.delete(f"/transfers/{transfer['id']}"))
    rig.do(stack.tidy(patience=60))
    told = {
        "change_to_paint": figures(waits),
        "live": RINGING,
        "changes_a_second": round(len(waits) / WATCHED_SECONDS, 1),
    }
    with capsys.disabled():
        print("\n" + json.dumps(told))
    assert len(waits) > RINGING
    assert told["change_to_paint"]["p99_ms"] < PAINTED_P99_MS


def _waits(wire: Wire, painted: dict[str, float]) -> list[float]:
    """For every row that came to say "tocando 3 de 20": since the end of the second ringing was told on the wire."""
    told = wire.times("event", rb"Event-Name: BACKGROUND_JOB\n(?:[^\n]+\n)*?Job-UUID: (\S+)")
    jobs = {row.arguments["attempt"]: row.arguments["job_uuid"] for row in SwitchCommand.objects.filter(kind="Dial")}
    waits = []
    for attempt in Attempt.objects.select_related("transfer__department"):
        most = attempt.transfer.department.max_attempts
        at = painted.get(f"t-{attempt.transfer_id.hex} ◑ tocando {attempt.number + 1} de {most}")
        over = told.get(jobs.get(attempt.mark, ""))
        if at and over:
            waits.append(at - over)
    return waits


PRESS_TWICE = """where => {
  const row = document.querySelector(where);
  row.querySelector("summary").click();
  const button = row.querySelector("[data-action=accept]");
  button.click();
  const at = Date.now();
  button.click();
  return at;
}"""


def test_from_a_click_to_the_command_on_the_wire(rig, page, capsys):
    stack = rig.stack
    department = rig.do(stack.department(*["silent"] * 3 * AT_ONCE, decision_seconds=60, total_seconds=600))
    waits = []
    for _ in range(CLICKS // AT_ONCE):

        async def announced():
            transfer = await stack.request(await stack.caller(), department=department)
            return await stack.reached(transfer, "announcing")

        for transfer in [rig.do(announced()) for _ in range(AT_ONCE)]:
            where = f"tr[data-key=t-{transfer['id'].replace('-', '')}]"
            row = page.locator(where)
            expect(row).to_contain_text("anunciando")
            # Both presses in one step: a push may put another button in the place of one that was looked up before.
            clicked = page.evaluate(PRESS_TWICE, where)
            expect(row).to_contain_text("conectado")
            agent = rig.do(stack.look(transfer))["agent_uuid"]
            waits.append(rig.wire.times("order", rb"uuid_setvar (\S+) api_hangup_hook")[agent] - clicked)
            rig.do(stack.http.delete(f"/transfers/{transfer['id']}"))
    told = {"click_to_command": figures(waits)}
    with capsys.disabled():
        print("\n" + json.dumps(told))
    assert told["click_to_command"]["p99_ms"] < COMMAND_P99_MS


# ---------------------------------------------------------------- rows alone
def change(transfer) -> None:
    """The next stage, told on the bus as services does."""
    transfer.version += 1
    state = State.ANNOUNCING if transfer.version % 2 else State.DIALLING
    Transfer.objects.filter(pk=transfer.pk).update(state=state.value, version=transfer.version)
    message = {"type": "transfer.changed", "id": transfer.id.hex, "version": transfer.version, "state": state.value}
    bus.send(bus.BOARD, message)


def changes(transfers, per_second: float, seconds: float) -> threading.Thread:
    def run() -> None:
        began = time.monotonic()
        for number in range(int(per_second * seconds)):
            change(transfers[number % len(transfers)])
            time.sleep(max(0.0, began + (number + 1) / per_second - time.monotonic()))
        connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.fixture
def rows_alone(rig):
    def made() -> list[Transfer]:
        department = make_company()
        Switch.objects.filter(slug="main").delete()  # nobody serves it: the page would alarm
        return [make_transfer(State.DIALLING, department=department, version=2) for _ in range(200)]

    transfers = outside(made)
    yield transfers
    outside(Transfer.objects.filter(pk__in=[each.pk for each in transfers]).delete)


def test_no_long_task_with_200_live_transfers_and_20_changes_a_second(rig, rows_alone, page, capsys):
    expect(page.locator("#live tr")).to_have_count(200)
    page.wait_for_timeout(2000)
    weight = page.evaluate(
        "[performance.getEntriesByType('navigation')[0], ...performance.getEntriesByType('resource')]"
        ".reduce((sum, each) => sum + each.transferSize, 0)"
    )
    page.evaluate(WATCH_TASKS)
    thread = changes(rows_alone, 20, 10)
    while thread.is_alive():
        page.wait_for_timeout(200)
    tasks = page.evaluate("window.tasks")
    with capsys.disabled():
        print("\n" + json.dumps({"long_tasks_ms": [round(task) for task in tasks], "page_bytes": weight}))
    assert max(tasks, default=0) <= LONGEST_TASK_MS
