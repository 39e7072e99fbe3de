"""Examinations of a switch: asked for by a page, kept by whoever made one."""

from collections.abc import Sequence
from datetime import timedelta

from django.utils import timezone

from calls.doctor.findings import Finding, to_json, worst
from calls.models import Switch, SwitchExam

ASKED_FOR = timedelta(minutes=3)
"""After so long nobody is examining any more: the worker is down, or died over it."""


def ask_exam(switch: Switch) -> bool:
    """Note that one is wanted; False when one is under way."""
    exam, _ = SwitchExam.objects.get_or_create(switch=switch)
    if under_way(exam):
        return False
    SwitchExam.objects.filter(pk=exam.pk).update(asked_at=timezone.now())
    return True


def under_way(exam: SwitchExam) -> bool:
    return exam.asked_at is not None and exam.asked_at > timezone.now() - ASKED_FOR


def keep_exam(switch: Switch, findings: Sequence[Finding], seconds: float) -> None:
    """What was found is the switch's last examination."""
    values = {
        "asked_at": None,
        "done_at": timezone.now(),
        "seconds": seconds,
        "level": worst(findings).word,
        "findings": to_json(findings),
    }
    SwitchExam.objects.update_or_create(switch=switch, defaults=values)
