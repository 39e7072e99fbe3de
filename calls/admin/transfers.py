"""Transfers as they are kept: to look things up. The console shows them better; nobody changes them here."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from calls.admin.base import ReadOnlyAdmin, ReadOnlyInline
from calls.models import Attempt, Transfer, TransferEvent
from calls.words import ATTEMPTS, OUTCOMES, SOURCES, STATES, masked


class AttemptInline(ReadOnlyInline):
    model = Attempt
    verbose_name_plural = gettext_lazy("attempts")
    fields = ["number", "rung", "result", "reason", "started_at", "answered_at", "ended_at"]
    readonly_fields = fields

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("extension")

    @display(description=gettext_lazy("agent"))
    def rung(self, attempt):
        return attempt.extension or ", ".join(attempt.numbers)

    @display(description=gettext_lazy("outcome"))
    def result(self, attempt):
        return ATTEMPTS.get(attempt.outcome, "—")


class EventInline(ReadOnlyInline):
    model = TransferEvent
    verbose_name_plural = gettext_lazy("events")
    fields = ["at", "event", "source", "from_state", "to_state", "verdict", "by"]
    readonly_fields = fields


@admin.register(Transfer)
class TransferAdmin(ReadOnlyAdmin):
    inlines = [AttemptInline, EventInline]
    list_display = ["requested_at", "department", "caller", "stage", "ended_how", "agent", "ticket_protocol", "console"]
    list_filter = ["department", "is_trial"]
    list_select_related = ["department", "agent", "ticket"]
    search_fields = ["id", "caller_uuid", "ticket__protocol"]
    date_hierarchy = "requested_at"
    fields = [
        ("requested_at", "ended_at"),
        ("department", "destination"),
        ("caller", "caller_name"),
        ("stage", "ended_how"),
        ("agent", "decided"),
        ("reason", "error"),
        ("switch", "client"),
        ("caller_uuid", "agent_uuid"),
        ("conference", "console"),
    ]

    def get_queryset(self, request):
        self.sees_numbers = request.user.has_perm("calls.see_numbers")
        return super().get_queryset(request)

    @display(description=gettext_lazy("caller's number"))
    def caller(self, transfer):
        number = transfer.caller_number
        return (number if self.sees_numbers else masked(number)) or "—"

    @display(description=gettext_lazy("stage"), ordering="state")
    def stage(self, transfer):
        return STATES[transfer.state]

    @display(description=gettext_lazy("outcome"), ordering="outcome")
    def ended_how(self, transfer):
        return OUTCOMES.get(transfer.outcome, "—")

    @display(description=gettext_lazy("decided"))
    def decided(self, transfer):
        return SOURCES.get(transfer.decided_by, "—")

    @display(description=gettext_lazy("ticket"))
    def ticket_protocol(self, transfer):
        ticket = getattr(transfer, "ticket", None)
        return ticket.protocol if ticket else "—"

    @display(description=gettext_lazy("console"))
    def console(self, transfer):
        return format_html('<a href="{}">{}</a>', reverse("console:transfer", args=[transfer.pk]), _("open"))
