"""The page "Exam of the telephone switch": what the doctor found last, and a button for another examination."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from calls import dispatch, services
from calls.doctor import words
from calls.doctor.findings import Level, from_json
from calls.models import Switch, SwitchExam
from calls.services.exams import under_way


def exam_page(request: HttpRequest, pk: int, context: dict, may_run: bool) -> HttpResponse:
    """A POST asks the worker for an examination; the page looks again by itself until it is there."""
    switch = get_object_or_404(Switch, pk=pk)
    if request.method == "POST":
        if not may_run:
            raise PermissionDenied
        if services.ask_exam(switch):
            plan = dispatch.Plan()
            plan.job("calls.jobs.examine_switch", switch.slug)
            dispatch.enqueue(plan)
        return redirect(request.path)
    exam = SwitchExam.objects.filter(switch=switch).first()
    context |= {
        "title": _("Examination of %(switch)s") % {"switch": switch},
        "switch": switch,
        "exam": exam,
        "under_way": exam is not None and under_way(exam),
        "rows": _rows(exam),
        "summary": _summary(exam),
        "promise": words.PROMISE,
        "may_run": may_run,
    }
    return TemplateResponse(request, "admin/calls/switch/exam.html", context)


def _rows(exam: SwitchExam | None) -> list[dict]:
    """The worst first, each with its sign and words."""
    findings = from_json(exam.findings) if exam else []
    return [
        {"sign": words.SIGNS[each.level], "level": words.LEVELS[each.level], "said": words.explain(each)}
        for each in sorted(findings, key=lambda finding: -finding.level)
    ]


def _summary(exam: SwitchExam | None) -> str:
    """ "△ Fit for transfers, with warnings.", "" before the first examination."""
    if exam is None or not exam.level:
        return ""
    level = Level[exam.level.upper()]
    return f"{words.SIGNS[level]} {words.SUMMARIES[level]}"
