"""The day's transfers: what is on the page, for whom, and in how many queries."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from calls.console import board
from calls.models import Department, Ticket
from calls.transfer.states import Outcome, State
from tests.factories import make_transfer

LIST = "/"
ROWS = "/transfers/rows/"
NOON = datetime(2026, 11, 23, 12, tzinfo=ZoneInfo("America/Sao_Paulo"))


def keys(response) -> list[str]:
    """The rows in their order, by the transfer's id."""
    return re.findall(r'data-key="t-(\w+)"', response.content.decode())


def text(response) -> str:
    """What can be read, without tags."""
    return " ".join(re.sub(r"<[^>]*>", " ", response.content.decode()).split())


@pytest.mark.parametrize("address", [LIST, ROWS])
def test_who_is_not_logged_in_is_asked_to(vendas, address):
    response = Client().get(address)
    assert response.status_code == 302 and response["Location"].startswith("/login/")


@pytest.mark.parametrize("address", [LIST, ROWS])
def test_who_may_not_see_transfers_is_refused(charlie, address):
    make_transfer(caller_name="Maria Souza")
    response = charlie.get(address)
    assert response.status_code == 403 and "Maria" not in response.content.decode()


def test_an_empty_day_says_so(alice):
    assert "Nenhuma transferência hoje ainda" in text(alice.get(LIST))


def test_live_transfers_come_first_then_the_newest(alice):
    now = timezone.now()
    ended = [make_transfer(requested_at=now - timedelta(seconds=seconds)) for seconds in (20, 10)]
    live = [make_transfer(State.DIALLING, requested_at=now - timedelta(seconds=seconds)) for seconds in (40, 30)]
    wanted = [live[1], live[0], ended[1], ended[0]]
    assert keys(alice.get(LIST)) == [transfer.id.hex for transfer in wanted]


def test_a_row_says_all_in_words(alice):
    ticket = make_transfer(outcome=Outcome.NO_ANSWER, attempts=[("2001", "busy"), ("2002", "no_answer")]).ticket
    read = text(alice.get(ROWS))
    for words in ("Maria Souza", "Vendas", "ninguém atendeu", "Bruno", "2 tentativas", ticket.protocol, "a enviar"):
        assert words in read, words


def test_a_ringing_row_says_which_of_how_many(alice):
    make_transfer(State.DIALLING, attempts=[("2001", "busy"), ("2002", "")], memory={"policy": {"max_attempts": 3}})
    assert "tocando 2 de 3" in text(alice.get(ROWS))


def test_numbers_are_masked_without_the_permission(alice, bob):
    make_transfer(caller_number="5511987654321")
    assert "5511987654321" not in alice.get(LIST).content.decode()
    assert "•••• 4321" in alice.get(LIST).content.decode()
    assert "5511987654321" in bob.get(LIST).content.decode()


def test_a_short_number_is_masked_whole(alice):
    make_transfer(caller_number="2009", caller_name="")
    assert "2009" not in text(alice.get(ROWS))


def test_a_number_can_be_searched_only_by_who_may_see_it(alice, bob):
    make_transfer(caller_number="5511987654321")
    assert keys(alice.get(ROWS, {"text": "98765"})) == []
    assert len(keys(bob.get(ROWS, {"text": "98765"}))) == 1


def test_what_callers_and_agents_say_is_never_markup(alice):
    make_transfer(outcome="rejected", caller_name="<script>x()</script>", reason='"><img src=x>')
    page = alice.get(LIST).content.decode()
    assert "<script>x()" not in page and "<img src=x" not in page


@pytest.mark.parametrize(
    "asked, found",
    [
        ({"department": "suporte"}, 1),
        ({"department": "nenhum"}, 0),
        ({"outcome": "rejected"}, 1),
        ({"outcome": "live"}, 1),
        ({"outcome": "no such outcome"}, 4),
        ({"text": "maria"}, 3),
        ({"text": "bruno"}, 1),
        ({"day": "2020-02-02"}, 0),
        ({"day": "tomorrow, perhaps"}, 4),
        ({"page": "99"}, 4),
        ({}, 4),
    ],
)
def test_filters_leave_what_fits(alice, asked, found):
    make_transfer(State.CONNECTED)
    make_transfer(outcome="rejected", caller_name="João Lima")
    make_transfer(department=Department.objects.get(slug="suporte"), attempts=[("2002", "accepted")])
    make_transfer(outcome="busy")
    assert len(keys(alice.get(ROWS, asked))) == found


def test_a_transfer_is_found_by_its_protocol(alice):
    ticket = make_transfer(outcome="busy").ticket
    make_transfer()
    assert keys(alice.get(ROWS, {"text": ticket.protocol})) == [ticket.transfer.id.hex]


@time_machine.travel(NOON, tick=False)
def test_the_day_is_the_companys_own(alice):
    before_midnight, after = NOON.replace(hour=0) - timedelta(minutes=1), NOON.replace(hour=0)
    make_transfer(requested_at=before_midnight)
    today = make_transfer(requested_at=after)
    assert keys(alice.get(ROWS)) == [today.id.hex]
    assert keys(alice.get(ROWS, {"day": "2026-11-22"})) != [today.id.hex]


@time_machine.travel(NOON, tick=False)
def test_what_still_lives_since_yesterday_is_on_todays_page(alice):
    old = make_transfer(State.CONNECTED, requested_at=NOON - timedelta(hours=20))
    assert keys(alice.get(ROWS)) == [old.id.hex]


@time_machine.travel(NOON, tick=False)
def test_times_are_of_the_departments_zone(alice, vendas):
    vendas.timezone = "America/Manaus"
    vendas.save()
    make_transfer(requested_at=NOON)
    assert "11:00:00" in text(alice.get(ROWS))


def test_many_transfers_are_shown_page_by_page(alice):
    now = timezone.now()
    for n in range(board.PER_PAGE + 3):
        make_transfer(requested_at=now - timedelta(milliseconds=n))
    first, second = alice.get(LIST), alice.get(LIST, {"page": 2})
    assert len(keys(first)) == board.PER_PAGE and len(keys(second)) == 3
    assert not set(keys(first)) & set(keys(second))
    assert "página 2 de 2" in text(second)


def test_more_transfers_need_no_more_queries(alice, django_assert_num_queries):
    make_transfer(outcome="busy", attempts=[("2001", "busy"), ("2002", "busy")])
    alice.get(LIST)
    with django_assert_num_queries(
        9
    ):  # session, user, permissions (2), count, transfers, attempts, numbers, departments
        alice.get(LIST)
    for outcome in Outcome:
        make_transfer(outcome=outcome, attempts=[("2001", "busy"), ("2002", "")])
    with django_assert_num_queries(9):
        alice.get(LIST)


def test_the_numbers_of_the_day_leave_trials_out(alice):
    make_transfer(State.DIALLING)
    make_transfer()
    make_transfer(outcome="busy")
    make_transfer(is_trial=True)
    assert "1 em andamento 2 encerradas 1 aceitas 1 com chamado" in text(alice.get(ROWS))


def test_a_fragment_that_did_not_change_is_not_sent_again(alice):
    transfer = make_transfer(State.DIALLING)
    first = alice.get(ROWS)
    same = alice.get(ROWS, headers={"If-None-Match": first["ETag"]})
    assert same.status_code == 304 and same.content == b""
    assert int(same["X-Server-Time"]) > 1_600_000_000_000
    Ticket.objects.create(transfer=transfer, protocol="2611220001", created_at=timezone.now())
    assert alice.get(ROWS, headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_the_fragment_is_the_very_html_of_the_first_page(alice):
    make_transfer(State.ANNOUNCING)
    row = re.search(r"<tr data-key=\"t-.*?</tr>", alice.get(ROWS).content.decode(), re.S).group()
    assert row in alice.get(LIST).content.decode()


def test_each_row_carries_its_version(alice):
    transfer = make_transfer(State.DIALLING, version=7)
    assert f'data-key="t-{transfer.id.hex}" data-version="7"' in alice.get(ROWS).content.decode()


def test_the_page_refreshes_what_its_own_filters_show(alice):
    page = alice.get(LIST, {"department": "suporte"}).content.decode()
    assert f'data-live-url="{reverse("console:transfers-fragment")}?department=suporte&amp;page=1"' in page


def test_pages_answer_to_reading_alone(alice):
    assert alice.post(LIST).status_code == 405


def test_logging_in_leads_to_the_list_and_out_again(vendas, charlie):
    browser = Client()
    answer = browser.post(reverse("login"), {"username": "charlie", "password": "senha"})
    assert answer["Location"] == reverse("console:transfers")
    assert browser.post(reverse("logout"))["Location"] == reverse("login")
    wrong = browser.post(reverse("login"), {"username": "charlie", "password": "wrong"})
    assert wrong.status_code == 200 and 'role="alert"' in wrong.content.decode()
