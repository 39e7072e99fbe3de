"""manage.py sim_call --department vendas --agent accepts"""

import asyncio
import fcntl
import json
from typing import Any

import httpx
from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from calls.demo import company, state
from calls.demo.callers import PEOPLE, Person, Secretary, SimulatedCall, ring_in
from calls.demo.esl import EslError, EventSocket

PATIENCE = 300.0
"""Seconds that --wait waits for the end."""


class Command(BaseCommand):
    help = (
        "One more simulated caller of the running demo asks for a transfer to an agent of the given temperament; "
        "prints the transfer's id. The agent's telephone is one that no other transfer uses."
    )
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument("--department", default="vendas")
        parser.add_argument(
            "--agent", default="accepts", help="a temperament, for example accepts, rejects or voicemail"
        )
        parser.add_argument("--caller", default="patient", help="patient, impatient:S, hangs_up_after:S, holds, silent")
        parser.add_argument("--wait", action="store_true", help="until the transfer has ended; prints its outcome too")
        parser.add_argument("--json", action="store_true", help="print the transfer as the API describes it")

    def handle(self, *args, **options):
        try:
            running = state.read_state(settings.VAR_DIR)
            transfer = asyncio.run(self._call(running, options))
        except (state.NotRunning, ValueError, EslError, TimeoutError) as error:
            raise CommandError(str(error) or "The simulated call took too long.") from error
        except httpx.HTTPStatusError as error:
            raise CommandError(f"The API said {error.response.status_code}: {error.response.text}") from error
        except (OSError, httpx.HTTPError) as error:
            raise CommandError(
                f"The demo does not answer ({type(error).__name__}): start it with `make run`."
            ) from error
        if options["json"]:
            self.stdout.write(json.dumps(transfer, ensure_ascii=False, indent=2))
        else:
            self.stdout.write(transfer["id"])
            if options["wait"]:
                self.stdout.write(transfer["outcome"])

    async def _call(self, running: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
        where = running["esl"]
        # A wrong temperament is said before a caller rings in for nothing.
        await sync_to_async(company.free_spare)(options["agent"])
        esl = await EventSocket.connect(where["host"], where["port"], where["password"], "CHANNEL_ANSWER")
        try:
            call = await ring_in(esl, behaviour=options["caller"], sim_menu_seconds=4)
            async with Secretary(running["url"], running["api_key"]) as secretary:
                transfer = await self._ask(secretary, call, options)
                if options["wait"]:
                    transfer = await secretary.result(transfer["id"], PATIENCE)
                return transfer
        finally:
            await esl.close()

    async def _ask(self, secretary: Secretary, call: SimulatedCall, options: dict[str, Any]) -> dict[str, Any]:
        person = next((p for p in PEOPLE if p.department == options["department"]), PEOPLE[0])
        person = Person(person.name, person.summary, options["department"])
        # From choosing the telephone until the transfer that uses it exists, so that two of us never choose the same.
        with (settings.VAR_DIR / "sim_call.lock").open("a") as turn:
            await asyncio.to_thread(fcntl.flock, turn, fcntl.LOCK_EX)
            agent = await sync_to_async(company.free_spare)(options["agent"])
            return await secretary.ask(call, person, destination=agent.number)
