"""manage.py run_switch [--switch SLUG]: the process between one FreeSWITCH and the transfers."""

import asyncio
import gc
import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from calls.switch.chosen import NoSwitch, choose, password_of
from calls.switch.runner import SwitchProcess


class Command(BaseCommand):
    help = "Connects one FreeSWITCH with the transfers. One process acts at a time; a second one stands by."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--switch", default="", help="short name of the switch, when there are several")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            switch = choose(options["switch"])
            password = password_of(switch)
        except NoSwitch as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"run_switch: {switch.slug} at {switch.host}:{switch.port}")
        gc.collect()
        gc.freeze()  # what start-up made is never scanned again: a full collection would hold up every caller
        asyncio.run(_run(SwitchProcess(switch, password)))


async def _run(process: SwitchProcess) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, process.stop)
    await process.run()
