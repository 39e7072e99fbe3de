"""The day's transfers: what is on the page, for whom, and in how many queries."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from calls.console import board, rendered
from calls.models import Department, Transfer
from calls.rights import rights_of
from calls.transfer.states import Outcome, State
from tests.factories import make_talk, make_transfer

LIST = "/"
NOON = datetime(2026, 11, 23, 12, tzinfo=ZoneInfo("America/Sao_Paulo"))


def keys(response) -> list[str]:
    """The rows in their order, by the transfer's id."""
    return re.findall(r'data-key="t-(\w+)"', response.content.decode())


def text(response) -> str:
    """What can be read, without tags."""
    return " ".join(re.sub(r"<[^>]*>", " ", response.content.decode()).split())


@pytest.mark.parametrize("address", [LIST, "/wall/", "/wall/parts/"])
def test_who_is_not_logged_in_is_asked_to(vendas, address):
    response = Client().get(address)
    assert response.status_code == 302 and response["Location"].startswith("/login/")


@pytest.mark.parametrize("address", [LIST, "/wall/", "/wall/parts/"])
def test_who_may_not_see_transfers_is_refused(charlie, address):
    make_transfer(caller_name="Maria Souza")
    response = charlie.get(address)
    assert response.status_code == 403 and "Maria" not in response.content.decode()


def test_an_empty_day_says_so(alice):
    read = text(alice.get(LIST))
    assert "Nenhum cliente está sendo transferido" in read and "Nenhuma transferência terminou ainda" in read


def test_who_waits_longest_comes_first_and_of_the_ended_the_newest(alice):
    now = timezone.now()
    ended = [make_transfer(requested_at=now - timedelta(seconds=seconds)) for seconds in (20, 10)]
    live = [make_transfer(State.DIALLING, requested_at=now - timedelta(seconds=seconds)) for seconds in (40, 30)]
    wanted = [live[0], live[1], ended[1], ended[0]]
    assert keys(alice.get(LIST)) == [transfer.id.hex for transfer in wanted]


def test_what_needs_a_person_comes_before_what_waits_longer(alice):
    now = timezone.now()
    first = make_transfer(State.DIALLING, requested_at=now - timedelta(seconds=50))
    deciding = make_transfer(
        State.ANNOUNCING,
        requested_at=now - timedelta(seconds=30),
        deadline=now + timedelta(seconds=4),
        memory={"deadline_kind": "decision"},
    )
    waiting = make_transfer(State.DIALLING, requested_at=now - timedelta(seconds=70))
    assert keys(alice.get(LIST)) == [each.id.hex for each in (waiting, deciding, first)]
    assert alice.get(LIST).content.decode().count(" needs") == 2


def test_a_live_row_says_where_both_are_and_what_was_said_last(alice):
    transfer = make_transfer(State.ANNOUNCING, memory={"caller": "inside", "agent_member": 2})
    make_talk(transfer)
    read = text(alice.get(LIST))
    assert "Cliente: na conferência , mudo" in read and "Atendente: na conferência" in read
    assert "atendente: Posso sim, pode passar." in read and "Maria Souza está na linha" not in read


def test_a_row_says_all_in_words(alice):
    ticket = make_transfer(outcome=Outcome.NO_ANSWER, attempts=[("2001", "busy"), ("2002", "no_answer")]).ticket
    read = text(alice.get(LIST))
    for words in ("Maria Souza", "Vendas", "ninguém atendeu", "Bruno", "2 tentativas", ticket.protocol, "a enviar"):
        assert words in read, words


def test_a_ringing_row_says_which_of_how_many(alice):
    make_transfer(State.DIALLING, attempts=[("2001", "busy"), ("2002", "")], memory={"policy": {"max_attempts": 3}})
    assert "tocando 2 de 3" in text(alice.get(LIST))


def test_numbers_are_masked_without_the_permission(alice, bob):
    make_transfer(caller_number="5511987654321")
    assert "5511987654321" not in alice.get(LIST).content.decode()
    assert "•••• 4321" in alice.get(LIST).content.decode()
    assert "5511987654321" in bob.get(LIST).content.decode()


def test_a_short_number_is_masked_whole(alice):
    make_transfer(caller_number="2009", caller_name="")
    assert "2009" not in text(alice.get(LIST))


def test_a_number_can_be_searched_only_by_who_may_see_it(alice, bob):
    make_transfer(caller_number="5511987654321")
    assert keys(alice.get(LIST, {"text": "98765"})) == []
    assert len(keys(bob.get(LIST, {"text": "98765"}))) == 1


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
        ({"agent": "2002"}, 1),
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
    assert len(keys(alice.get(LIST, asked))) == found


def test_a_transfer_is_found_by_its_protocol(alice):
    ticket = make_transfer(outcome="busy").ticket
    make_transfer()
    assert keys(alice.get(LIST, {"text": ticket.protocol})) == [ticket.transfer.id.hex]


@time_machine.travel(NOON, tick=False)
def test_the_day_is_the_companys_own(alice):
    before_midnight, after = NOON.replace(hour=0) - timedelta(minutes=1), NOON.replace(hour=0)
    make_transfer(requested_at=before_midnight)
    today = make_transfer(requested_at=after)
    assert keys(alice.get(LIST)) == [today.id.hex]
    assert keys(alice.get(LIST, {"day": "2026-11-22"})) != [today.id.hex]
    assert "data-socket" not in alice.get(LIST, {"day": "2026-11-22"}).content.decode()


@time_machine.travel(NOON, tick=False)
def test_what_still_lives_since_yesterday_is_on_todays_page(alice):
    old = make_transfer(State.CONNECTED, requested_at=NOON - timedelta(hours=20))
    assert keys(alice.get(LIST)) == [old.id.hex]


@time_machine.travel(NOON, tick=False)
def test_times_are_of_the_departments_zone(alice, vendas):
    vendas.timezone = "America/Manaus"
    vendas.save()
    make_transfer(requested_at=NOON)
    assert "11:00:00" in text(alice.get(LIST))


def test_many_transfers_are_shown_page_by_page(alice):
    now = timezone.now()
    for n in range(board.PER_PAGE + 3):
        make_transfer(requested_at=now - timedelta(milliseconds=n))
    first, second = alice.get(LIST), alice.get(LIST, {"page": 2})
    assert len(keys(first)) == board.PER_PAGE and len(keys(second)) == 3
    assert not set(keys(first)) & set(keys(second))
    assert "página 2 de 2" in text(second)


def test_more_transfers_need_no_more_queries(alice, django_assert_num_queries, monkeypatch):
    monkeypatch.setattr(rendered, "FRESH_SECONDS", 0)
    make_transfer(outcome="busy", attempts=[("2001", "busy"), ("2002", "busy")])
    make_transfer(State.ANNOUNCING)
    alice.get(LIST)
    # session, user, permissions (2), scopes, count, numbers (2), departments, agents; live: which, rows, attempts,
    # supervisors, last said; ended: which, rows, attempts, supervisors
    with django_assert_num_queries(19):
        alice.get(LIST)
    for outcome in Outcome:
        make_transfer(outcome=outcome, attempts=[("2001", "busy"), ("2002", "")])
        make_transfer(State.ANNOUNCING)
    with django_assert_num_queries(19):
        alice.get(LIST)


def test_what_was_rendered_for_one_is_the_row_of_all_to_whom_it_looks_the_same(alice, bob, django_assert_num_queries):
    """Nobody gets a row that was rendered for other rights or in another language, nor an old version."""
    transfer = make_transfer(State.DIALLING)
    of_alice, of_bob = (rights_of(User.objects.get(username=name)) for name in ("alice", "bob"))
    read = board.keys(Transfer.objects.all())
    [masked] = rendered.rows(read, of_alice)
    with django_assert_num_queries(0):
        assert rendered.rows(read, of_alice) == [masked]
    [whole] = rendered.rows(read, of_bob)
    assert "5511987654321" in whole.html and "5511987654321" not in masked.html
    with translation.override("en"):
        assert "ringing" in rendered.rows(read, of_alice)[0].html
    Transfer.objects.update(version=transfer.version + 1, state=State.CONNECTED.value)
    assert "conectado" in rendered.rows(board.keys(Transfer.objects.all()), of_alice)[0].html


def test_the_numbers_of_the_day_leave_trials_out(alice):
    make_transfer(State.DIALLING)
    make_transfer()
    make_transfer(outcome="busy")
    make_transfer(outcome="caller_left")
    make_transfer(is_trial=True)
    read = text(alice.get(LIST))
    assert "1 esperando 0 conversando 3 encerradas 33 % aceitas 0:14 mediana até a conversa 1 desistiram" in read


def test_who_waits_by_the_numbers_stands_in_the_walls_queue(alice):
    for state in State:
        make_transfer(state)
    wall = alice.get("/wall/").content.decode()
    queue = wall[wall.index('class="queue"') :].count("<li")
    assert f"{queue} esperando 1 conversando" in text(alice.get(LIST))


def test_each_row_carries_its_version(alice):
    transfer = make_transfer(State.DIALLING, version=7)
    assert f'data-key="t-{transfer.id.hex}" data-version="7"' in alice.get(LIST).content.decode()


def test_the_page_listens_for_what_its_own_filters_show(alice):
    page = alice.get(LIST, {"department": "suporte"}).content.decode()
    assert 'data-socket="/ws/board/?department=suporte"' in page


def test_pages_answer_to_reading_alone(alice):
    assert alice.post(LIST).status_code == 405


def test_logging_in_leads_to_the_list_and_out_again(vendas, charlie):
    browser = Client()
    answer = browser.post(reverse("login"), {"username": "charlie", "password": "senha"})
    assert answer["Location"] == reverse("console:transfers")
    assert browser.post(reverse("logout"))["Location"] == reverse("login")
    wrong = browser.post(reverse("login"), {"username": "charlie", "password": "wrong"})
    assert wrong.status_code == 200 and 'role="alert"' in wrong.content.decode()
