"""The sentences that say that speech is processed: before the agent's announcement, before what the caller is told."""

import pytest

from calls.transfer import events as e
from calls.transfer.states import Source
from tests.services import world

pytestmark = pytest.mark.django_db
SAID = "esta conversa é transcrita"


@pytest.fixture
def company():
    world.connected_switch()
    return world.department("vendas", "2001", ticket_on=["rejected"])


def briefs(department, **fields):
    """Of the announcement and of the prompt."""
    type(department).objects.update(**fields)
    transfer = world.announcing("vendas", caller_name="Maria")
    world.tell(transfer, e.DecisionMade("", e.Choice.REJECT, Source.KEY))
    agent, caller = transfer.audio_sessions.order_by("id")
    return agent.brief["announcement_text"], caller.brief["text"]


def test_the_agent_hears_the_departments_notice_before_the_announcement(company):
    announcement, prompt = briefs(company, agent_notice=SAID)
    assert announcement.startswith("Esta conversa é transcrita. Olá")
    assert "transcrita" not in prompt


def test_the_caller_hears_his_before_the_protocol(company):
    announcement, prompt = briefs(company, caller_notice=SAID)
    assert prompt.startswith("Esta conversa é transcrita. No momento")
    assert "transcrita" not in announcement


def test_without_a_notice_nothing_is_said_of_it(company):
    announcement, prompt = briefs(company)
    assert announcement.startswith("Olá") and prompt.startswith("No momento")


def test_a_notice_that_cannot_be_rendered_stops_no_announcement(company):
    announcement, prompt = briefs(company, agent_notice="{broken", caller_notice="{protocol}")
    assert announcement.startswith("Olá") and prompt.startswith("No momento")
