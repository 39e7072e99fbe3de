"""The demo's callers, and the secretary who asks for a transfer on their behalf: one through the switch's Event Socket,
the other through our HTTP API, as in real life."""

import asyncio
import secrets
from dataclasses import dataclass
from typing import Any

import httpx

from calls.demo.esl import EventSocket

ANSWER_LIMIT = 10.0
"""Seconds within which a simulated call has to arrive."""


@dataclass(frozen=True)
class Person:
    name: str
    summary: str
    department: str


PEOPLE = (
    Person("Maria Souza", "quer um orçamento para vinte licenças", "vendas"),
    Person("João Pereira", "o sistema não abre desde hoje de manhã", "suporte"),
    Person("Paula Lima", "recebeu o boleto com o valor errado", "financeiro"),
    Person("Carlos Andrade", "quer renovar o contrato anual", "vendas"),
    Person("Beatriz Rocha", "esqueceu a senha e o e-mail não chega", "suporte"),
    Person("Rafael Costa", "precisa da segunda via da nota fiscal", "financeiro"),
    Person("Luciana Alves", "quer saber o prazo de entrega do pedido", "vendas"),
    Person("Antônio Ferreira", "a impressora não aparece na rede", "suporte"),
    Person("Camila Duarte", "pergunta se o pagamento de ontem já entrou", "financeiro"),
)


@dataclass(frozen=True)
class SimulatedCall:
    """A caller who sits in the menu: `uuid` is the A-leg."""

    uuid: str
    number: str


async def ring_in(esl: EventSocket, *, behaviour: str = "patient", **variables: Any) -> SimulatedCall:
    """Let a simulated caller ring in from outside and reach the menu. `esl` must be subscribed to CHANNEL_ANSWER.

    `behaviour` and `variables` are those of calls.simulator.callers (sim_talk_seconds, sim_menu_seconds …).
    Raises EslError, TimeoutError.
    """
    number = f"55119{secrets.randbelow(10**8):08d}"
    settings = {"sim_caller": behaviour, "origination_caller_id_number": number} | variables
    block = ",".join(f"{name}={value}" for name, value in settings.items())
    # The leg that originate names is the caller's own telephone; the one that came in is known by its number.
    answered = esl.expect(
        lambda event: (
            event.get("Event-Name") == "CHANNEL_ANSWER"
            and event.get("Call-Direction") == "inbound"
            and event.get("Caller-Caller-ID-Number") == number
        )
    )
    await esl.api(f"originate {{{block}}}sofia/phones/ivr@127.0.0.1 &playback(silence_stream://-1)")
    async with asyncio.timeout(ANSWER_LIMIT):
        return SimulatedCall((await answered)["Unique-ID"], number)


class Secretary:
    """The API's client. Close it after use, or use it as an asynchronous context manager."""

    def __init__(self, url: str, api_key: str):
        self._http = httpx.AsyncClient(
            base_url=f"{url}/api/v1", headers={"Authorization": f"Bearer {api_key}"}, timeout=40, trust_env=False
        )

    async def __aenter__(self) -> "Secretary":
        return self

    async def __aexit__(self, *_) -> None:
        await self._http.aclose()

    async def ask(self, call: SimulatedCall, person: Person, **more: Any) -> dict[str, Any]:
        """Ask for a transfer; the transfer as the API describes it. Raises httpx.HTTPError."""
        body = {
            "call_uuid": call.uuid,
            "department": person.department,
            "summary": person.summary,
            "caller": {"number": call.number, "name": person.name},
        }
        answer = await self._http.post("/transfers", json=body | more)
        answer.raise_for_status()
        return answer.json()

    async def result(self, transfer_id: str, patience: float) -> dict[str, Any]:
        """Wait by long poll until the transfer's state is "ended"; a web server that restarts is waited for.

        Raises TimeoutError, httpx.HTTPStatusError.
        """
        async with asyncio.timeout(patience):
            while True:
                try:
                    answer = await self._http.get(f"/transfers/{transfer_id}", params={"wait": 25})
                except httpx.TransportError:
                    await asyncio.sleep(0.5)
                    continue
                answer.raise_for_status()
                transfer = answer.json()
                if transfer["state"] == "ended":
                    return transfer
                if transfer["final"]:  # the outcome stands and the poll no longer waits, but the call goes on
                    await asyncio.sleep(0.5)
