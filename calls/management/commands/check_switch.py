"""manage.py check_switch [--switch SLUG] [--json]: is this FreeSWITCH fit for transfers? 0 yes, 1 warnings, 2 no."""

import asyncio
import json
import signal
import sys
from collections.abc import Coroutine
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from django.utils import translation

from calls.doctor import words
from calls.doctor.findings import Finding, worst
from calls.doctor.visit import visit
from calls.models import Switch
from calls.switch.chosen import NoSwitch, choose


class Command(BaseCommand):
    help = (
        "Examines one FreeSWITCH: is it fit for transfers? Changes nothing on it but a test leg of its own. "
        "Exit status: 0 fit, 1 fit with warnings, 2 not fit."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--switch", default="", help="short name of the switch, when there are several")
        parser.add_argument("--json", action="store_true", help="print one JSON document instead of lines")
        parser.add_argument(
            "--language", default=settings.LANGUAGE_CODE, choices=[code for code, _ in settings.LANGUAGES]
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with translation.override(options["language"]):
                switch = choose(options["switch"])
                sys.exit(self._as_json(switch) if options["json"] else self._in_lines(switch))
        except NoSwitch as error:
            raise CommandError(str(error), returncode=2) from None
        except DatabaseError as error:  # an exit status of 1 would say "fit"
            raise CommandError(
                f"The database cannot be used ({type(error).__name__}): manage.py migrate?", returncode=2
            ) from None

    def _in_lines(self, switch: Switch) -> int:
        self.stdout.write(f"{switch.name} ({switch.slug}), {switch.host}:{switch.port}\n{words.PROMISE}\n\n")
        findings, seconds = visit(switch, self._line, _until_told)
        level = worst(findings)
        self.stdout.write(f"\n{words.SIGNS[level]} {words.SUMMARIES[level]} ({seconds} s)")
        return int(level)

    def _line(self, finding: Finding) -> None:
        said = words.explain(finding)
        advice = f" → {said.advice}" if said.advice else ""
        self.stdout.write(f"{words.SIGNS[finding.level]} {words.LEVELS[finding.level]!s:<7} {said.meaning}{advice}")

    def _as_json(self, switch: Switch) -> int:
        findings, seconds = visit(switch, run=_until_told)
        rows = []
        for finding in findings:
            said = words.explain(finding)
            text = {"meaning": said.meaning, "advice": said.advice}
            rows.append({"level": finding.level.word, "code": finding.code, **text, "values": finding.values})
        level = worst(findings)
        document = {"switch": switch.slug, "level": level.word, "seconds": seconds, "findings": rows}
        self.stdout.write(json.dumps(document, ensure_ascii=False, indent=1))
        return int(level)


def _until_told(examination: Coroutine[Any, Any, list[Finding]]) -> list[Finding]:
    """Ctrl-C takes the test leg down before it ends us; SIGTERM must too."""

    async def run() -> list[Finding]:
        task = asyncio.ensure_future(examination)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await task

    try:
        return asyncio.run(run())
    except (asyncio.CancelledError, KeyboardInterrupt):
        raise CommandError("stopped; nothing was left behind", returncode=2) from None
