"""Who may come near a call from the console, what is shown of it, and where the browser may listen."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from calls.console.actions import WORDS
from calls.console.near import for_browser
from calls.models import (
    AudioSession,
    Department,
    DepartmentScope,
    Extension,
    Supervision,
    SupervisorAction,
    SupervisorTelephone,
    WebProcess,
)
from calls.transfer.states import State
from tests.console.conftest import browser_of
from tests.factories import make_transfer
from tests.services import world

SEES = "calls.view_transfer"
JSON = {"Accept": "application/json"}


@pytest.fixture
def talk(vendas):
    world.Switch.objects.update(connected=True, lease_until=timezone.now() + timedelta(hours=1))
    from calls.transfer import events as e
    from calls.transfer.states import Source

    transfer = world.announcing("vendas")
    mark = world.attempt(transfer).mark
    return world.tell(transfer, e.DecisionMade(mark, e.Choice.ACCEPT, Source.KEY), e.PutThroughDone(mark))


def supervisor(*permissions):
    browser = browser_of("rita", SEES, *permissions)
    extension = Extension.objects.create(number="2009", name="Rita")
    SupervisorTelephone.objects.create(user_id=browser.session["_auth_user_id"], extension=extension)
    return browser


def press(browser, name, transfer, **body):
    return browser.post(reverse(f"console:{name}", args=[transfer.pk]), body, headers=JSON)


def page_of(browser, transfer):
    return browser.get(reverse("console:transfer", args=[transfer.pk])).content.decode()


@pytest.mark.parametrize("way", ["listen", "whisper", "join"])
def test_each_button_needs_its_own_right_and_a_forged_request_gets_403(talk, way):
    others = {f"calls.{each}" for each in ("listen", "whisper", "join")} - {f"calls.{way}"}
    browser = supervisor(*others)
    assert f'data-action="{way}"' not in page_of(browser, talk)
    assert press(browser, f"near-{way}", talk, confirmed="1").status_code == 403
    assert not Supervision.objects.exists()


def test_who_may_is_asked_first_and_then_rung(talk):
    browser = supervisor("calls.whisper")
    assert 'data-action="whisper"' in page_of(browser, talk)
    address = reverse("console:near-whisper", args=[talk.pk])
    asked = browser.post(address)
    assert asked.status_code == 200 and "Só o atendente ouve você" in asked.content.decode()
    assert not Supervision.objects.exists()
    done = browser.post(address, {"confirmed": "1"})
    assert done.status_code == 302
    assert Supervision.objects.get().mode == "whisper"
    assert "rita: sussurra ao atendente" in page_of(browser, talk)


def test_a_refusal_is_409_in_words(talk):
    browser = supervisor("calls.join")
    SupervisorTelephone.objects.all().delete()
    refused = press(browser, "near-join", talk, confirmed="1")
    assert refused.status_code == 409
    assert refused.json()["words"] == "Você não tem um ramal próprio definido; fale com um administrador."
    assert not SupervisorAction.objects.get(action="join").done


def test_he_leaves_by_a_button_of_its_own(talk):
    browser = supervisor("calls.join")
    assert press(browser, "near-join", talk, confirmed="1").status_code == 200
    assert press(browser, "near-leave_call", talk, confirmed="1").json()["done"]
    assert Supervision.objects.get().state == "over"


def test_another_departments_call_does_not_exist_for_him(talk):
    browser = supervisor("calls.join", "calls.listen")
    other = Department.objects.get(slug="suporte")
    DepartmentScope.objects.create(user_id=browser.session["_auth_user_id"], department=other)
    for name in ("near-join", "hear"):
        assert press(browser, name, talk, confirmed="1").status_code == 404


def test_strangers_and_gets_are_turned_away(talk, alice):
    for name in ("near-join", "hear"):
        address = reverse(f"console:{name}", args=[talk.pk])
        assert Client().post(address).status_code == 302
        assert alice.post(address).status_code == 403
        assert alice.get(address).status_code == 405


def test_the_ear_is_given_an_address_and_the_page_may_open_it(talk):
    browser = supervisor("calls.listen")
    assert press(browser, "hear", talk).status_code == 409  # the announcer is gone
    transfer = world.announcing("suporte")
    now = timezone.now()
    process = WebProcess.objects.create(
        id="web-1", audio_base_url="ws://10.0.0.7:8001", heartbeat_at=now, started_at=now
    )
    AudioSession.objects.filter(transfer=transfer).update(state=AudioSession.State.LIVE, process=process)
    answer = press(browser, "hear", transfer)
    assert re.fullmatch(r"ws://10\.0\.0\.7:8001/listen/\S+", answer.json()["url"])
    policy = browser.get(reverse("console:transfer", args=[transfer.pk])).headers["Content-Security-Policy"]
    assert "connect-src 'self' ws://10.0.0.7:8001" in policy
    assert [(each.action, each.done) for each in SupervisorAction.objects.order_by("id")] == [
        ("hear", False),
        ("hear", True),
    ]


@pytest.mark.parametrize(
    ("url", "secure", "reached_at"),
    [
        ("ws://10.0.0.7:8001/listen/t", False, "ws://10.0.0.7:8001/listen/t"),
        ("wss://web1.example/listen/t", True, "wss://web1.example/listen/t"),
        ("ws://10.0.0.7:8001/listen/t", True, "/listen/t"),
        ("ws://10.0.0.5:8088/8001/listen/t", True, "/8001/listen/t"),
        ("", True, ""),
    ],
)
def test_browsers_come_by_the_pages_own_address_where_the_switchs_is_of_no_use(url, secure, reached_at):
    assert for_browser(url, secure=secure) == reached_at


def test_who_may_not_listen_sees_no_button_for_it(alice, talk):
    assert 'id="hear"' not in page_of(alice, talk)
    assert 'id="hear"' in page_of(supervisor("calls.listen"), talk)


def test_the_board_shows_who_is_in_the_conversation(alice, talk):
    Supervision.objects.create(
        transfer=talk, username="rita", mode="whisper", state="inside", asked_at=timezone.now(), began_at=timezone.now()
    )
    assert "rita: sussurra ao atendente" in alice.get(reverse("console:transfers")).content.decode()


def test_when_somebody_came_is_told_in_the_departments_own_time(alice, talk):
    came = datetime(2026, 3, 4, 17, 5, 6, tzinfo=UTC)
    Supervision.objects.create(
        transfer=talk, username="rita", mode="join", state="over", asked_at=came, began_at=came,
        ended_at=came + timedelta(seconds=4),
    )  # fmt: skip
    assert "<time>14:05:06</time>–<time>14:05:10</time>" in page_of(alice, talk)


def test_another_extension_is_called_from_the_console(vendas):
    world.Switch.objects.update(connected=True, lease_until=timezone.now() + timedelta(hours=1))
    transfer = world.dialling("vendas")
    Extension.objects.create(number="2003", name="Carla")
    browser = browser_of("paula", SEES, "calls.act_on_transfers")
    found = re.search(r'formaction="([^"]*/redirect/[^"]*)"', page_of(browser, transfer))
    address = found[1].replace("&amp;", "&")
    refused = browser.post(address, {"confirmed": "1", "reason": "9999"}, headers=JSON)
    assert refused.status_code == 409 and refused.json()["words"] == "Nenhum ramal em uso tem esse número."
    assert browser.post(address, {"confirmed": "1", "reason": "2003"}, headers=JSON).json()["done"]
    assert world.rung(transfer)[-1] == ["2003"]
    assert [each.reason for each in SupervisorAction.objects.filter(action="redirect", done=True)] == ["2003"]


def test_every_way_has_a_word_in_the_audit():
    assert {"listen", "whisper", "join", "leave_call", "hear", "redirect"} <= set(WORDS)


def test_an_ended_transfer_offers_nothing(vendas):
    transfer = make_transfer(state=State.ENDED)
    assert 'class="near"' not in page_of(supervisor("calls.listen", "calls.join"), transfer)


def test_the_announcer_is_told_something_from_the_page(vendas):
    world.Switch.objects.update(connected=True, lease_until=timezone.now() + timedelta(hours=1))
    transfer = world.announcing("vendas")
    browser = browser_of("paula", SEES, "calls.act_on_transfers")
    assert reverse("console:tell", args=[transfer.pk]) in page_of(browser, transfer)
    asked = browser.post(reverse("console:tell", args=[transfer.pk]))
    assert "O que a anunciadora deve dizer?" in asked.content.decode()
    refused = press(browser, "tell", transfer, confirmed="1", reason="diga que é urgente")
    assert refused.status_code == 409  # no announcer is connected in this test
    assert SupervisorAction.objects.get(action="tell").reason == "diga que é urgente"


def test_who_may_only_see_tells_the_announcer_nothing(talk, alice):
    assert press(alice, "tell", talk, reason="oi").status_code == 403
    assert reverse("console:tell", args=[talk.pk]) not in page_of(alice, talk)
