"""Tickets: what was opened when nobody took the call, whether OmniPlay has it, and "send again"."""

from django.contrib import admin, messages
from django.db import transaction
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import display

from calls import dispatch, services
from calls.admin.base import ReadOnlyAdmin, short_time
from calls.models import Ticket
from calls.words import OUTCOMES

SHAPES = {
    Ticket.State.PENDING: "◔",
    Ticket.State.SENT: "●",
    Ticket.State.FAILED: "△",
    Ticket.State.LOCAL: "○",
}


@admin.register(Ticket)
class TicketAdmin(ReadOnlyAdmin):
    list_display = ["protocol", "opened", "department", "outcome", "shown_state", "omniplay_id"]
    list_filter = ["state", "transfer__department", "told"]
    list_select_related = ["transfer__department"]
    search_fields = ["protocol", "omniplay_id"]
    date_hierarchy = "created_at"
    actions = ["send_again"]
    fields = [
        ("protocol", "omniplay_id"),
        ("shown_state", "tries"),
        "last_error",
        ("created_at", "sent_at"),
        "told",
        "transfer",
    ]

    def get_queryset(self, request):
        return super().get_queryset(request).filter(transfer__is_trial=False)

    @display(description=gettext_lazy("opened at"), ordering="created_at")
    def opened(self, ticket):
        return short_time(ticket.created_at)

    @display(description=gettext_lazy("department"), ordering="transfer__department__name")
    def department(self, ticket):
        return ticket.transfer.department

    @display(description=gettext_lazy("outcome"), ordering="transfer__outcome")
    def outcome(self, ticket):
        return OUTCOMES.get(ticket.transfer.outcome, "—")

    @display(description=gettext_lazy("state"), ordering="state")
    def shown_state(self, ticket):
        return f"{SHAPES[ticket.state]} {ticket.get_state_display()}"

    def has_send_permission(self, request, *args) -> bool:
        return request.user.has_perm("calls.change_ticket")

    @admin.action(description=gettext_lazy("Send again to OmniPlay"), permissions=["send"])
    def send_again(self, request, queryset):
        plan, kept = dispatch.Plan(), 0
        for protocol in queryset.values_list("protocol", flat=True):
            if services.ticket_again(protocol):
                plan.job("calls.jobs.deliver_ticket", protocol)
            else:
                kept += 1
        transaction.on_commit(lambda: dispatch.enqueue(plan))
        if plan.jobs:
            count = len(plan.jobs)
            text = ngettext("%(count)d ticket is being sent.", "%(count)d tickets are being sent.", count)
            messages.success(request, text % {"count": count})
        if kept:
            text = ngettext("%(count)d ticket was there already.", "%(count)d tickets were there already.", kept)
            messages.info(request, text % {"count": kept})
