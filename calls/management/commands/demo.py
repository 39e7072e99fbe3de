"""manage.py demo"""

import asyncio
import os

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from calls.demo import state, valkey
from calls.demo.callers import Secretary
from calls.demo.run import CannotStart, Demo, run_until_told
from calls.demo.supervisor import PartFailed
from calls.demo.traffic import ring_for_ever


class Command(BaseCommand):
    help = (
        "Everything at once on this machine: web server, switch process, worker, and, where the environment names no "
        "real one, a Valkey, a simulated FreeSWITCH with callers, a simulated Realtime API and a simulated OmniPlay."
    )
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument("--port", type=int, default=int(os.environ.get("PORT") or 8000))
        parser.add_argument("--host", default=os.environ.get("DEMO_HOST") or "127.0.0.1")

    def handle(self, *args, port: int, host: str, **options):
        every = _seconds("DEMO_EVERY", 6.0)
        failure: list[Exception] = []

        async def main(told: asyncio.Event) -> None:
            try:
                async with Demo(settings.VAR_DIR, host=host, port=port, say=self._say) as demo:
                    self._welcome(demo)
                    await self._go_on(demo, every)
            except (CannotStart, state.AlreadyRunning, valkey.NoValkey, PartFailed) as error:
                failure.append(error)

        run_until_told(main)
        if failure:
            raise CommandError(str(failure[0]))
        self._say("Stopped.")

    async def _go_on(self, demo: Demo, every: float) -> None:
        if not demo.plan.simulates_switch or not every:
            await asyncio.Event().wait()
        async with Secretary(demo.plan.url, demo.secrets["api_key"]) as secretary:
            await ring_for_ever(demo.plan.esl, secretary, every, self._say)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

    def _welcome(self, demo: Demo) -> None:
        url, key = demo.plan.url, demo.secrets["api_key"]
        self._say(f"""
TransferHub is running.

  Transfers   {url}/
  Admin       {url}/admin/
  API         {url}/api/v1/docs
  User        admin
  Password    {demo.secrets["admin_password"]}
  API key     {key}
  Event Socket of the switch   {demo.plan.esl.address}

The same for scripts: {demo.var / state.STATE}. Logs: {demo.var / "log"}. Stop with Ctrl-C.
""")


def _seconds(name: str, default: float) -> float:
    try:
        return max(0.0, float(os.environ.get(name) or default))
    except ValueError as error:
        raise CommandError(f"{name} must be a number of seconds.") from error
