"""The text below the field is the text that will be heard."""

import json

import pytest
from django.urls import reverse

from tests.factories import make_user

ADDRESS = "admin:calls_department_preview"


def ask(browser, template: str, field: str = "instructions", language: str = "pt-BR"):
    body = {"field": field, "template": template, "department": "Vendas", "language": language}
    return browser.post(reverse(ADDRESS), json.dumps(body), content_type="application/json")


def test_placeholders_are_filled_in_with_an_example(root):
    answer = ask(root, "Oi {agent}, {caller} quer falar com {department}. {summary}").json()
    assert answer["text"].startswith("Oi Ana, Maria Souza quer falar com Vendas. Quer mudar o endereço")


def test_an_empty_text_shows_our_own(root):
    assert "Você pode atender agora?" in ask(root, "").json()["text"]
    assert "Can you take the call now?" in ask(root, "", language="en").json()["text"]


def test_a_protocol_is_shown_as_it_is_spoken(root):
    assert ask(root, "Anote: {protocol}", "ticket_text").json()["text"] == "Anote: dois, zero, dois, seis, um"


def test_a_placeholder_that_does_not_exist_is_explained(root):
    problem = ask(root, "Oi {agente}").json()["problem"]
    assert "{agente}" in problem and "{agent}" in problem


@pytest.mark.parametrize("template", ["{", "}", "{agent.name}", "{agent!r}", "{agent:>9}", "{0}"])
def test_nothing_but_plain_placeholders_is_rendered(root, template):
    assert "problem" in ask(root, template).json()


@pytest.mark.parametrize("body", ["", "[]", "{}", '"text"'])
def test_a_body_that_makes_no_sense_is_a_bad_request(root, body):
    assert root.post(reverse(ADDRESS), body, content_type="application/json").status_code == 400


def test_only_people_who_may_see_departments_get_a_preview(client, stranger):
    assert ask(stranger, "").status_code == 403
    client.force_login(make_user("dora", "calls.view_department", is_staff=True))
    assert ask(client, "").status_code == 200


def test_a_preview_is_asked_for_by_post(root):
    assert root.get(reverse(ADDRESS)).status_code == 405
