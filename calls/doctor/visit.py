"""One examination of a switch of the database, from reading what is needed to keeping what was found."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

from calls import services
from calls.doctor.exam import Tell, examine
from calls.doctor.findings import Finding, unfit
from calls.doctor.installation import read
from calls.models import Switch
from calls.switch.chosen import NoPassword, password_of

Run = Callable[[Coroutine[Any, Any, list[Finding]]], list[Finding]]


def visit(switch: Switch, tell: Tell | None = None, run: Run = asyncio.run) -> tuple[list[Finding], float]:
    """The findings and the seconds it took, also kept as the switch's last examination. `run` runs the coroutine."""
    began = time.monotonic()
    try:
        of = read(switch, password_of(switch))
    except NoPassword:
        findings = [unfit("no_password", variable=switch.password_variable)]
        for finding in findings if tell else []:
            tell(finding)
    else:
        findings = run(examine(of, tell))
    seconds = round(time.monotonic() - began, 1)
    services.keep_exam(switch, findings, seconds)
    return findings, seconds
