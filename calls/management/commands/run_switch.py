"""manage.py run_switch [--switch SLUG]: the process between one FreeSWITCH and the transfers."""

import asyncio
import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from calls.models import Switch
from calls.switch.runner import SwitchProcess
from transferhub import env

FROM_ENVIRONMENT = "padrao"


class Command(BaseCommand):
    help = "Connects one FreeSWITCH with the transfers. One process acts at a time; a second one stands by."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--switch", default="", help="short name of the switch, when there are several")

    def handle(self, *args: Any, **options: Any) -> None:
        switch = self._switch(options["switch"])
        password = env.secret(switch.password_variable)
        if not password and switch.password_variable == "FREESWITCH_PASSWORD":
            password = settings.FREESWITCH_PASSWORD
        if not password:
            raise CommandError(f"Set {switch.password_variable} to the Event Socket password of {switch.slug}.")
        self.stdout.write(f"run_switch: {switch.slug} at {switch.host}:{switch.port}")
        asyncio.run(_run(SwitchProcess(switch, password)))

    def _switch(self, slug: str) -> Switch:
        if not Switch.objects.exists():
            Switch.objects.create(slug=FROM_ENVIRONMENT, name="FreeSWITCH")
        # The row made from the environment follows it; all others belong to the administrator.
        Switch.objects.filter(slug=FROM_ENVIRONMENT).update(
            host=settings.FREESWITCH_HOST,
            port=settings.FREESWITCH_PORT,
            domain=settings.FREESWITCH_DOMAIN,
            conference_profile=settings.FREESWITCH_PROFILE,
        )
        usable = list(Switch.objects.filter(enabled=True))
        if slug:
            usable = [switch for switch in usable if switch.slug == slug]
            if not usable:
                raise CommandError(f"No switch in use is called {slug}.")
        if not usable:
            raise CommandError("No switch is in use: turn one on in the administration.")
        if len(usable) > 1:
            names = ", ".join(switch.slug for switch in usable)
            raise CommandError(f"There are several switches ({names}): say --switch and one of them.")
        return usable[0]


async def _run(process: SwitchProcess) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, process.stop)
    await process.run()
