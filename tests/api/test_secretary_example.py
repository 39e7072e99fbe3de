"""docs/examples/secretary_tool.py, run as it stands against the product's web server."""

import asyncio
import importlib.util
import threading
import time
from pathlib import Path

import httpx
import pytest

from calls import services
from calls.models import Department, Ticket, Transfer
from calls.transfer import events as e
from calls.transfer.states import Source

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "secretary_tool.py"


@pytest.fixture
def secretary(address, key):
    """Starts the tool in a thread, as the secretary's own program would run it; result() is what she says."""
    spec = importlib.util.spec_from_file_location("secretary_tool", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    said: list[str] = []

    async def call(department: str) -> None:
        headers = {"Authorization": f"Bearer {key}"}
        async with httpx.AsyncClient(base_url=f"{address}/api/v1", headers=headers, timeout=30, trust_env=False) as hub:
            arguments = {"department": department, "summary": "quer comprar", "caller_name": "João"}
            said.append(await module.transfer_call(hub, "call-1", "fc_1", arguments, "+5511999"))

    def start(department: str = "vendas"):
        thread = threading.Thread(target=lambda: asyncio.run(call(department)), daemon=True)
        thread.start()

        def result() -> str:
            thread.join(15)
            assert said, "the tool did not come back"
            return said[0]

        return result

    return start


def the_transfer() -> Transfer:
    until = time.monotonic() + 5
    while (transfer := Transfer.objects.first()) is None:
        assert time.monotonic() < until, "no transfer was asked for"
        time.sleep(0.01)
    return transfer


def an_agent_hears_the_announcement(transfer: Transfer) -> str:
    """Step the transfer to where an agent decides; the attempt's mark."""
    services.apply_event(transfer.pk, e.DeadlinePassed("start"))
    services.apply_event(transfer.pk, e.CallerParked(1))
    mark = transfer.attempts.order_by("-number").first().mark
    for event in (
        e.AgentRinging(mark, "agent-1"),
        e.AgentAnswered(mark, "agent-1"),
        e.AgentJoined(mark, "agent-1", 2),
        e.AnnouncementStarted(mark),
        e.AnnouncementEnded(mark),
    ):
        services.apply_event(transfer.pk, event)
    return mark


def test_she_says_nothing_when_two_people_are_talking(secretary):
    result = secretary()
    transfer = the_transfer()
    mark = an_agent_hears_the_announcement(transfer)
    services.apply_event(transfer.pk, e.DecisionMade(mark, e.Choice.ACCEPT, Source.VOICE))
    services.apply_event(transfer.pk, e.PutThroughDone(mark))
    assert result() == ""
    transfer.refresh_from_db()
    assert (transfer.caller_number, transfer.caller_name, transfer.summary) == ("+5511999", "João", "quer comprar")


def test_she_says_the_protocol_when_nobody_took_the_call(secretary):
    Department.objects.update(max_attempts=1)
    result = secretary()
    transfer = the_transfer()
    mark = an_agent_hears_the_announcement(transfer)
    services.apply_event(transfer.pk, e.DecisionMade(mark, e.Choice.REJECT, Source.VOICE, reason="em reunião"))
    protocol = Ticket.objects.get().protocol
    assert result().endswith(f"Seu protocolo é {protocol}.")


def test_she_says_so_when_the_department_is_unknown(secretary):
    assert secretary("jurídico")() == "No momento não consegui falar com ninguém deste setor."
