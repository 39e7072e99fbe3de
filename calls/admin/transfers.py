"""Transfers as they are kept: to look things up. The console shows them better, and trials too; nobody changes them
here."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from calls.admin.base import ReadOnlyAdmin, ReadOnlyInline, clock_time, short_time
from calls.models import Attempt, Transfer, TransferEvent
from calls.words import ATTEMPTS, OUTCOMES, SOURCES, STATES, masked


class AttemptInline(ReadOnlyInline):
    model = Attempt
    verbose_name_plural = gettext_lazy("attempts")
    fields = ["which", "rung", "result", "began", "answered", "ended"]
    readonly_fields = fields

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("extension")

    @display(description=gettext_lazy("agent"))
    def rung(self, attempt):
        return attempt.extension or ", ".join(attempt.numbers)

    @display(description=gettext_lazy("No."))
    def which(self, attempt):
        return attempt.number

    @display(description=gettext_lazy("outcome"))
    def result(self, attempt):
        return ATTEMPTS.get(attempt.outcome, "—")

    @display(description=gettext_lazy("Began"))
    def began(self, attempt):
        return clock_time(attempt.started_at)

    @display(description=gettext_lazy("Answered"))
    def answered(self, attempt):
        return clock_time(attempt.answered_at)

    @display(description=gettext_lazy("Ended"))
    def ended(self, attempt):
        return clock_time(attempt.ended_at)


class EventInline(ReadOnlyInline):
    model = TransferEvent
    verbose_name_plural = gettext_lazy("events")
    fields = ["moment", "name", "stages", "verdict_word", "who"]
    readonly_fields = fields

    @display(description=gettext_lazy("Time"))
    def moment(self, event):
        return clock_time(event.at)

    @display(description=gettext_lazy("event"))
    def name(self, event):
        return event.event

    @display(description=gettext_lazy("stage"))
    def stages(self, event):
        return f"{event.from_state} → {event.to_state}"

    @display(description=gettext_lazy("what came of it"))
    def verdict_word(self, event):
        return event.verdict

    @display(description=gettext_lazy("decided"))
    def who(self, event):
        return " · ".join(filter(None, (str(SOURCES.get(event.source, event.source)), event.by))) or "—"


@admin.register(Transfer)
class TransferAdmin(ReadOnlyAdmin):
    inlines = [AttemptInline, EventInline]
    list_display = ["began", "department", "caller", "stage", "ended_how", "answered_by", "ticket_protocol", "console"]
    list_filter = ["department"]
    list_select_related = ["department", "agent", "ticket", "switch"]
    search_fields = ["id", "caller_uuid", "ticket__protocol"]
    date_hierarchy = "requested_at"
    fields = [
        ("began", "over"),
        ("department", "destination"),
        ("caller", "caller_name"),
        ("stage", "ended_how"),
        ("answered_by", "decided"),
        "why",
        ("call", "console"),
    ]

    def get_queryset(self, request):
        self.sees_numbers = request.user.has_perm("calls.see_numbers")
        return super().get_queryset(request).filter(is_trial=False)

    @display(description=gettext_lazy("requested"), ordering="requested_at")
    def began(self, transfer):
        return short_time(transfer.requested_at)

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

    @display(description=gettext_lazy("agent"))
    def answered_by(self, transfer):
        return transfer.agent or "—"

    @display(description=gettext_lazy("ended"))
    def over(self, transfer):
        return short_time(transfer.ended_at)

    @display(description=gettext_lazy("reason"))
    def why(self, transfer):
        return transfer.reason or transfer.error or "—"

    @display(description=gettext_lazy("call"))
    def call(self, transfer):
        return f"{transfer.caller_uuid} @ {transfer.switch.slug}"

    @display(description=gettext_lazy("ticket"))
    def ticket_protocol(self, transfer):
        ticket = getattr(transfer, "ticket", None)
        return ticket.protocol if ticket else "—"

    @display(description=gettext_lazy("console"))
    def console(self, transfer):
        return format_html('<a href="{}">{}</a>', reverse("console:transfer", args=[transfer.pk]), _("open"))
