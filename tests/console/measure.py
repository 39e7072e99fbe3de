# ruff: noqa: T201  (figures are what it is for)
"""Measures the board in Chromium (make measure-console) and prints figures. Fails where a bar is not met.

Change -> painted: from the moment the bus is told to the animation frame after the page has written it, with 50 live
transfers. Longest task: 200 live transfers, 20 changes a second, 10 s. Page weight: all that a first visit transfers.
"""

import json
import threading
import time

import pytest
from django.db import connections

from calls import bus
from calls.models import Transfer
from calls.transfer.states import State
from tests.console.browser import SOON_MS, outside
from tests.factories import make_company, make_transfer, make_user
from tests.services import world

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
expect = pytest.importorskip("playwright.sync_api").expect

PAINTED_P99_MS, LONGEST_TASK_MS = 250, 50
WATCH = """() => {
    window.painted = {};
    new MutationObserver((changes) => {
        const rows = new Set(changes.map((change) => change.target.closest?.("tr")).filter(Boolean));
        for (const row of rows) {
            const key = `${row.dataset.key} ${row.dataset.version}`;
            requestAnimationFrame(() => { window.painted[key] ??= Date.now(); });
        }
    }).observe(document.getElementById("live"), {subtree: true, childList: true, attributes: true});
    window.tasks = [];
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) window.tasks.push(entry.duration);
    }).observe({type: "longtask", buffered: false});
}"""


def change(transfer) -> float:
    """The next stage, told on the bus as services does; when, in Unix ms."""
    transfer.version += 1
    state = State.ANNOUNCING if transfer.version % 2 else State.DIALLING
    Transfer.objects.filter(pk=transfer.pk).update(state=state.value, version=transfer.version)
    at = time.time() * 1000
    message = {"type": "transfer.changed", "id": transfer.id.hex, "version": transfer.version, "state": state.value}
    bus.send(bus.BOARD, message)
    return at


def board_of(open_page, count):
    make_company()
    make_user("dora", "calls.view_transfer", "calls.act_on_transfers")
    transfers = [make_transfer(State.DIALLING, version=2) for _ in range(count)]
    page = open_page("dora", viewport={"width": 1360, "height": 900})
    expect(page.locator("#live tr")).to_have_count(count, timeout=SOON_MS)
    page.wait_for_timeout(2000)
    page.evaluate(WATCH)
    return page, transfers


def changes(transfers, per_second: float, seconds: float) -> tuple[dict[str, float], threading.Thread]:
    """`{row and version: when}`, filled by the thread, which has been started."""
    told: dict[str, float] = {}

    def run() -> None:
        began = time.monotonic()
        for number in range(int(per_second * seconds)):
            transfer = transfers[number % len(transfers)]
            at = change(transfer)
            told[f"t-{transfer.id.hex} {transfer.version}"] = at
            time.sleep(max(0.0, began + (number + 1) / per_second - time.monotonic()))
        connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return told, thread


def test_from_a_change_to_the_paint_with_50_live_transfers(open_page, capsys):
    page, transfers = board_of(open_page, 50)
    told, thread = changes(transfers, 10, 20)
    while thread.is_alive():
        page.wait_for_timeout(200)
    page.wait_for_timeout(1500)
    painted = page.evaluate("window.painted")
    waits = sorted(painted[key] - at for key, at in told.items() if key in painted)
    p50, p99 = waits[len(waits) // 2], waits[int(len(waits) * 0.99)]
    with capsys.disabled():
        print("\n" + json.dumps({"changes": len(told), "seen": len(waits), "p50_ms": round(p50), "p99_ms": round(p99)}))
    assert len(waits) > 0.9 * len(told)
    assert p99 < PAINTED_P99_MS


def test_no_long_task_with_200_live_transfers_and_20_changes_a_second(open_page, capsys):
    page, transfers = board_of(open_page, 200)
    _, thread = changes(transfers, 20, 10)
    while thread.is_alive():
        page.wait_for_timeout(200)
    tasks = page.evaluate("window.tasks")
    weight = page.evaluate(
        "[performance.getEntriesByType('navigation')[0], ...performance.getEntriesByType('resource')]"
        ".reduce((sum, each) => sum + each.transferSize, 0)"
    )
    with capsys.disabled():
        print("\n" + json.dumps({"long_tasks_ms": [round(task) for task in tasks], "page_bytes": weight}))
    assert max(tasks, default=0) <= LONGEST_TASK_MS


def test_from_a_click_to_the_command(open_page, capsys, transactional_db):
    """To the row in the outbox, which the switch process is woken for in the same moment."""
    world.connected_switch()
    world.department("vendas", *[str(3000 + n) for n in range(30)])
    make_user("dora", "calls.view_transfer", "calls.act_on_transfers")
    transfers = [outside(world.announcing, "vendas") for _ in range(20)]
    page = open_page("dora")
    expect(page.locator("#live tr")).to_have_count(20, timeout=SOON_MS)
    waits = []
    for transfer in transfers:
        row = page.locator(f"tr[data-key=t-{transfer.id.hex}]")
        row.locator("summary").click()
        button = row.locator("[data-action=accept]")
        button.click()
        clicked = button.evaluate("button => { const at = Date.now(); button.click(); return at; }")
        expect(row).to_contain_text("conectando", timeout=SOON_MS)
        command = transfer.commands.get(kind="PutThrough")
        waits.append(command.created_at.timestamp() * 1000 - clicked)
    waits.sort()
    with capsys.disabled():
        print("\n" + json.dumps({"click_to_outbox_p50_ms": round(waits[10]), "worst_ms": round(waits[-1])}))
    assert waits[-1] < 150
