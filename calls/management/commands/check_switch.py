"""manage.py check_switch [--switch SLUG] [--json]: is this FreeSWITCH fit for transfers? 0 yes, 1 warnings, 2 no."""

import asyncio
import json
import signal
import sys
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation

from calls import services
from calls.doctor import words
from calls.doctor.exam import examine
from calls.doctor.findings import Finding, unfit, worst
from calls.doctor.installation import read
from calls.models import Switch
from calls.switch.chosen import NoPassword, NoSwitch, choose, password_of


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
            switch = choose(options["switch"])
        except NoSwitch as error:
            raise CommandError(str(error), returncode=2) from None
        with translation.override(options["language"]):
            sys.exit(self._examine(switch, options["json"]))

    def _examine(self, switch: Switch, as_json: bool) -> int:
        if not as_json:
            self.stdout.write(f"{switch.name} ({switch.slug}), {switch.host}:{switch.port}\n{words.PROMISE}\n\n")
        began = time.monotonic()
        try:
            of = read(switch, password_of(switch))
        except NoPassword:
            findings = [unfit("no_password", variable=switch.password_variable)]
            for finding in findings:
                self._line(finding, as_json)
        else:
            findings = asyncio.run(_until_told(examine(of, lambda finding: self._line(finding, as_json))))
        seconds = round(time.monotonic() - began, 1)
        services.keep_exam(switch, findings, seconds)
        level = worst(findings)
        if as_json:
            self.stdout.write(json.dumps(_document(switch, findings, seconds), ensure_ascii=False, indent=1))
        else:
            self.stdout.write(f"\n{words.SIGNS[level]} {words.SUMMARIES[level]} ({seconds} s)")
        return int(level)

    def _line(self, finding: Finding, as_json: bool) -> None:
        if as_json:
            return
        said = words.explain(finding)
        level = str(words.LEVELS[finding.level])
        self.stdout.write(
            f"{words.SIGNS[finding.level]} {level:<7} {said.meaning}{f' → {said.advice}' if said.advice else ''}"
        )


def _document(switch: Switch, findings: list[Finding], seconds: float) -> dict[str, Any]:
    rows = []
    for finding in findings:
        said = words.explain(finding)
        text = {"meaning": said.meaning, "advice": said.advice}
        rows.append({"level": finding.level.word, "code": finding.code, **text, "values": finding.values})
    return {"switch": switch.slug, "level": worst(findings).word, "seconds": seconds, "findings": rows}


async def _until_told(examination: Any) -> Any:
    """SIGTERM too takes the test leg down before it ends us; Ctrl-C does already."""
    task = asyncio.ensure_future(examination)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        raise CommandError("stopped; nothing was left behind", returncode=2) from None
