"""The page of a switch's examination."""

import django_rq
import pytest
from django.urls import reverse

from calls import services
from calls.doctor.findings import ok, unfit
from calls.models import Switch
from tests.factories import make_user


@pytest.fixture
def address(vendas):
    return reverse("admin:calls_switch_exam", args=[Switch.objects.get().pk])


@pytest.fixture
def queue():
    queue = django_rq.get_queue()
    queue.connection.flushdb()
    yield queue
    queue.connection.flushdb()


def test_the_button_asks_the_worker_and_the_page_looks_again_until_it_is_done(
    root, address, queue, django_capture_on_commit_callbacks
):
    assert "nunca foi examinada" in root.get(address).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(2):  # an impatient click is no second examination
            assert root.post(address).status_code == 302
    assert [job.func_name for job in queue.jobs] == ["calls.jobs.examine_switch"]
    page = root.get(address).content.decode()
    assert 'http-equiv="refresh"' in page and "Examinar agora" not in page
    services.keep_exam(Switch.objects.get(), [ok("timers"), unfit("wrong_password", variable="THE_PASSWORD")], 0.4)
    page = root.get(address).content.decode()
    assert 'http-equiv="refresh"' not in page and "Examinar agora" in page
    assert "■ Não está apto" in page
    assert page.index("recusou a senha") < page.index("temporizadores")  # the worst first
    assert "THE_PASSWORD" in page


def test_whoever_may_only_look_gets_no_button(client, address, queue):
    client.force_login(make_user("viewer", "calls.view_switch", is_staff=True))
    assert "Examinar agora" not in client.get(address).content.decode()
    assert client.post(address).status_code == 403
    assert queue.jobs == []


def test_whoever_may_not_see_switches_sees_no_examination(stranger, address):
    assert stranger.get(address).status_code == 403


def test_the_list_and_the_form_of_switches_lead_to_it(root, address):
    listed = root.get(reverse("admin:calls_switch_changelist")).content.decode()
    form = root.get(reverse("admin:calls_switch_change", args=[Switch.objects.get().pk])).content.decode()
    assert address in listed and address in form
    assert root.get(reverse("admin:calls_switch_add")).status_code == 200
