"""manage.py run_trial ID: started by a page (calls.trial.launch), for one trial."""

import asyncio
import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from calls.trial.run import run


class Command(BaseCommand):
    help = "Runs one trial of a department with simulated people. The pages start it; it is of no use by hand."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("trial", type=int)

    def handle(self, *args: Any, trial: int, **options: Any) -> None:
        asyncio.run(_run(trial))


async def _run(trial: int) -> None:
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    await run(trial, told)
