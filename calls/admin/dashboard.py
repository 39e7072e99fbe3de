"""The admin's first page: what needs a person, and how the departments stand."""

from django.db.models import Count, Q
from django.http import HttpRequest
from django.utils import timezone

from calls import checks, selectors
from calls.models import Department, Switch, Ticket


def first_page(request: HttpRequest, context: dict) -> dict:
    user = request.user
    now = timezone.now()
    if user.is_superuser:
        context["attention"] = checks.everything()
    if user.has_perm("calls.view_switch"):
        connected = set(selectors.connected_switches(now).values_list("pk", flat=True))
        context["switches"] = [
            {"switch": switch, "connected": switch.pk in connected} for switch in Switch.objects.filter(enabled=True)
        ]
    if user.has_perm("calls.view_department"):
        takes_calls = Count("members", filter=Q(members__enabled=True))
        busy = Count("members", filter=Q(members__enabled=True, members__claimed_by__isnull=False))
        context["departments"] = [
            {"department": department, "open": selectors.department_is_open(department, now)}
            for department in Department.objects.filter(enabled=True).annotate(agents=takes_calls, busy=busy)
        ]
    if user.has_perm("calls.view_ticket"):
        context["failed_tickets"] = Ticket.objects.filter(state=Ticket.State.FAILED).count()
    return context
