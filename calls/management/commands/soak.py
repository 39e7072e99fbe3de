"""manage.py soak"""

import asyncio
import json
import os
import shutil
import sys

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from calls.demo import soak, state, valkey
from calls.demo.ports import free_port
from calls.demo.run import CannotStart, Demo, run_until_told
from calls.demo.supervisor import PartFailed

FOLDER = settings.BASE_DIR / "var" / "soak"
RESULT = settings.BASE_DIR / "var" / "soak.json"
EMBEDDED = ("DATABASE_URL", "REDIS_URL", "FREESWITCH_HOST", "OPENAI_API_KEY", "OPENAI_API_KEY_FILE", "OMNIPLAY_URL")


class Command(BaseCommand):
    help = (
        "200 simulated transfers, 20 at a time, on embedded parts of their own, with limits divided by 5. Prints a "
        "table, writes var/soak.json, and fails when an outcome is not what the agent's temperament predicts."
    )
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument("--transfers", type=int, default=200)
        parser.add_argument("--at-once", type=int, default=20)
        parser.add_argument("--seed", type=int, default=1, help="decides the order of the temperaments")

    def handle(self, *args, transfers: int, at_once: int, seed: int, **options):
        if settings.VAR_DIR != FOLDER:
            self._begin_again_on_embedded_parts()
        reports: list[soak.Report] = []
        failure: list[Exception] = []

        async def main(told: asyncio.Event) -> None:
            try:
                extra = {"LIMITS_DIVISOR": str(soak.DIVISOR)}
                async with Demo(FOLDER, port=free_port(), say=self._say, extra=extra) as demo:
                    self._say(f"{transfers} transfers, {at_once} at once; logs in {FOLDER / 'log'}")
                    key = demo.secrets["api_key"]
                    reports.append(
                        await soak.run(demo.plan.esl, demo.plan.url, key, transfers, at_once, self._say, seed)
                    )
            except (CannotStart, state.AlreadyRunning, valkey.NoValkey, PartFailed) as error:
                failure.append(error)

        run_until_told(main)
        if failure:
            raise CommandError(str(failure[0]))
        if not reports:
            raise CommandError("Stopped before the end.")
        self._finish(reports[0])

    def _finish(self, report: soak.Report) -> None:
        RESULT.write_text(json.dumps(report.as_json(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        self._say(report.table())
        if not report.good:
            raise CommandError(f"Not as predicted; see {RESULT}.")

    def _begin_again_on_embedded_parts(self) -> None:
        """The same command in a folder of its own: settings are read once, so they must be right from the start."""
        FOLDER.mkdir(parents=True, exist_ok=True)
        try:
            with state.lock(FOLDER):
                shutil.rmtree(FOLDER)
        except state.AlreadyRunning as error:
            raise CommandError(str(error)) from error
        environment = {name: value for name, value in os.environ.items() if name not in EMBEDDED}
        environment["TRANSFERHUB_VAR_DIR"] = str(FOLDER)
        os.execve(sys.executable, [sys.executable, *sys.argv], environment)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
