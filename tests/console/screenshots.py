"""Pictures of every page in both themes, into docs/images/ (make screenshots). Not a test: nothing is compared."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from calls.models import Department, Switch, Trial, Utterance
from calls.services import record
from calls.transfer.states import Outcome, State
from tests.factories import make_company, make_talk, make_transfer, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
FOLDER = Path(__file__).resolve().parents[2] / "docs/images"
INSIDE = {"caller": "inside", "attempts_made": 1, "attempt": "m"}
NAMES = ["Maria Souza", "João Lima", "Ana Paula Reis", "Carlos Prado", "Lívia Teixeira", "Rui Barros"]


def a_busy_hour(supervisor):
    """Rows of every kind; the one on whose page we look last."""
    now = timezone.now()
    suporte = Department.objects.get(slug="suporte")

    def live(state, seconds, name, **fields):
        return make_transfer(state, requested_at=now - timedelta(seconds=seconds), caller_name=name, **fields)

    live(State.CONNECTED, 312, NAMES[0], outcome=Outcome.ACCEPTED, memory=INSIDE | {"agent_member": 2})
    policy = {"policy": {"max_attempts": 3}}
    live(State.DIALLING, 83, NAMES[1], department=suporte, memory=INSIDE | policy | {"deadline_kind": "ring"},
         deadline=now + timedelta(seconds=18), attempts=[("2001", "busy"), ("2002", "")])  # fmt: skip
    hears = INSIDE | policy | {"agent_member": 2, "deadline_kind": "decision"}
    deciding = live(State.ANNOUNCING, 41, NAMES[2], memory=hears, deadline=now + timedelta(seconds=11))
    make_talk(deciding)
    Utterance.objects.create(transfer=deciding, who="agent", text="É sobre qual pedido?", at=now)
    live(State.INFORMING, 64, NAMES[3], memory=INSIDE, attempts=[("2001", "no_answer")])
    for number in range(14):
        outcome = list(Outcome)[number % len(Outcome)] if number % 2 else Outcome.ACCEPTED
        make_transfer(outcome=outcome, requested_at=now - timedelta(minutes=3 + 4 * number),
                      caller_name=NAMES[number % len(NAMES)])  # fmt: skip
    record(supervisor, "repeat", deciding)
    record(supervisor, "accept", deciding, refusal="A transferência já seguiu adiante.")
    return deciding


def two_trials():
    """One that ended as predicted, whose transfer is returned, and one that did not."""
    ended = [make_transfer(outcome=outcome, is_trial=True) for outcome in (Outcome.BUSY, Outcome.ACCEPTED)]
    slot = Switch.everything.create(slug="ensaio-1", is_trial=True)
    for transfer, then in zip(ended, ("busy", "accepts"), strict=True):
        now = timezone.now()
        Trial.objects.create(
            department=transfer.department, switch=slot, username="dora", transfer=transfer, temperament="accepts",
            then=then, predicted="accepted", realtime_url="ws://", began_at=now, seen_at=now, ended_at=now,
        )  # fmt: skip
    make_talk(ended[-1])
    return ended[-1]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_screenshots(open_page, server, theme):
    FOLDER.mkdir(exist_ok=True)
    make_company()
    Switch.objects.update(connected=True, lease_until=timezone.now() + timedelta(hours=1))
    transfer = a_busy_hour(make_user("bob", "calls.view_transfer"))
    tried = two_trials()
    make_user("dora", is_superuser=True, is_staff=True)

    def shoot(page, name):
        page.locator("#lost").wait_for(state="hidden")
        page.wait_for_timeout(1200)  # the fonts, the first push
        page.screenshot(path=FOLDER / f"{name}-{theme}.png")

    page = open_page("dora", color_scheme=theme, viewport={"width": 1360, "height": 860})
    shoot(page, "board")
    page.locator("#live summary").nth(1).click()
    page.locator("#live details[open] button:not(:disabled)").first.click()
    shoot(page, "acting")
    page.goto(f"{server.url}/transfers/{transfer.pk}/")
    shoot(page, "transfer")
    page.goto(f"{server.url}/transfers/{tried.pk}/")
    shoot(page, "trial")
    page.goto(f"{server.url}/trials/")
    shoot(page, "trials")
    page.goto(f"{server.url}/audit/")
    shoot(page, "audit")
    page.goto(f"{server.url}/wall/")
    page.set_viewport_size({"width": 1600, "height": 900})
    shoot(page, "wall")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{server.url}/")
    shoot(page, "phone")
