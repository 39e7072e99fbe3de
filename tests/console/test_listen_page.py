"""A supervisor hears announcer and agent in a real browser, from a real web process; the test is FreeSWITCH's audio."""

import itertools
import math
import struct
import threading
import time
from datetime import timedelta

import pytest
from django.utils import timezone
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from calls.models import Supervision, Switch
from tests.console.browser import comes_true, outside
from tests.factories import make_company, make_user
from tests.services import world

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
expect = pytest.importorskip("playwright.sync_api").expect
TONE = struct.pack("<480h", *(int(9000 * math.sin(at / 6)) for at in range(480)))  # 20 ms at 24 kHz


class Leg(threading.Thread):
    """An agent who hums now and then; without a pause he would be taken for an answering machine."""

    def __init__(self, url):
        super().__init__(daemon=True)
        self.url, self.stopping = url, threading.Event()

    def run(self):
        with connect(self.url, proxy=None, max_size=None) as socket:  # a whole announcement is one message
            due = time.monotonic()
            for number in itertools.count():
                if self.stopping.is_set():
                    return
                try:
                    socket.send(TONE if number % 60 < 15 else bytes(960))
                except ConnectionClosed:
                    return
                due += 0.02
                time.sleep(max(0, due - time.monotonic()))


def announcer_of(transfer):
    """The address at which the web process waits for the agent's audio."""
    until = time.monotonic() + 15
    while time.monotonic() < until:
        outside(transfer.refresh_from_db)
        if url := transfer.memory.get("announcer_url"):
            return url
        time.sleep(0.05)
    raise AssertionError("no web process claimed the announcer")


def test_both_sides_sound_in_the_page_and_stop_when_he_stops(open_page, server):
    make_company()
    Switch.objects.update(connected=True, lease_until=timezone.now() + timedelta(hours=1))
    make_user("rita", "calls.view_transfer", "calls.listen")
    transfer = outside(lambda: world.announcing("vendas"))
    leg = Leg(announcer_of(transfer))
    leg.start()
    try:
        page = open_page("rita")
        page.goto(f"{server.url}/transfers/{transfer.pk}/")
        page.get_by_role("button", name="Ouvir o anúncio").click()
        meters = "[...document.querySelectorAll('#hear meter')].map((meter) => meter.value)"
        comes_true(page, f"{meters}.every((value) => value > 0.02)")
        expect(page.locator("body")).to_contain_text("rita: ouve o anúncio")
        page.get_by_role("button", name="Parar de ouvir").click()
        comes_true(page, f"{meters}.every((value) => value === 0)")
        until = time.monotonic() + 5
        while outside(lambda: Supervision.objects.filter(ended_at=None).exists()):
            assert time.monotonic() < until, "the end of listening was not written down"
            time.sleep(0.05)
    finally:
        leg.stopping.set()
        leg.join()
