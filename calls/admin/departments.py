"""Departments: who is rung in which order, how long, what is said, where callers go."""

from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db import models
from django.db.models import Prefetch
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from unfold.admin import TabularInline
from unfold.decorators import action, display
from unfold.widgets import INPUT_CLASSES

from calls import hours
from calls.admin.base import CompanyAdmin
from calls.admin.department_form import DepartmentForm
from calls.admin.history import belonging
from calls.admin.preview import preview
from calls.company import make_default, set_agents
from calls.models import Department, Holiday, Membership, OpeningHours

LAST = 10_000  # behind every position a person would write


class MembershipForm(forms.ModelForm):
    """An order that is left empty means: after all the others."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "position" in self.fields:
            self.fields["position"].required = False
            if not self.instance.pk:
                self.initial["position"] = None

    def clean_position(self):
        position = self.cleaned_data["position"]
        return LAST if position is None else position


class MembershipInline(TabularInline):
    model = Membership
    form = MembershipForm
    fields = ["extension", "position"]
    ordering_field = "position"
    ordering = ["position", "id"]
    hide_title = True
    extra = 0
    autocomplete_fields = ["extension"]
    verbose_name_plural = gettext_lazy("Agents, in the order in which they are rung (drag, or write numbers)")


class ClockInput(forms.TimeInput):
    """The browser's own field for a time of day: no seconds, and no warning about the browser's time zone."""

    input_type = "time"

    def __init__(self, **kwargs):
        super().__init__(attrs={"class": " ".join(INPUT_CLASSES)}, format="%H:%M")


class OpeningHoursInline(TabularInline):
    model = OpeningHours
    formfield_overrides = {**TabularInline.formfield_overrides, models.TimeField: {"widget": ClockInput}}
    fields = ["weekday", "opens", "closes"]
    hide_title = True
    extra = 0
    verbose_name_plural = gettext_lazy(
        "Opening hours (none: always open; an end before the beginning runs over midnight)"
    )


class HolidayInline(TabularInline):
    model = Holiday
    fields = ["date", "name", "every_year"]
    hide_title = True
    extra = 0
    verbose_name_plural = gettext_lazy("Holidays of this department alone")


@admin.register(Department)
class DepartmentAdmin(CompanyAdmin):
    form = DepartmentForm
    actions_detail = ["try_out"]
    inlines = [MembershipInline, OpeningHoursInline, HolidayInline]
    list_display = ["shown_name", "agents", "limits", "open_now", "enabled"]
    list_filter = ["enabled", "strategy"]
    search_fields = ["name", "slug", "words"]
    prepopulated_fields = {"slug": ["name"]}
    radio_fields = {"caller_hears": admin.VERTICAL}
    change_form_after_template = "admin/calls/department/preview.html"
    fieldsets = [
        (None, {"fields": [("name", "slug"), "words", ("enabled", "is_default")]}),
        (
            gettext_lazy("Ringing and waiting"),
            {
                "classes": ["tab"],
                "fields": [
                    "strategy",
                    ("ring_seconds", "decision_seconds"),
                    ("total_seconds", "max_attempts"),
                    ("call_waiting", "transfer_bridged"),
                ],
            },
        ),
        (
            gettext_lazy("What is said"),
            {
                "classes": ["tab"],
                "fields": [
                    "instructions",
                    "ticket_text",
                    "no_ticket_text",
                    "agent_notice",
                    "caller_notice",
                    ("voice", "language"),
                    ("prepare_announcement", "waits_for_hello"),
                    "caller_hears",
                ],
            },
        ),
        (
            gettext_lazy("Afterwards"),
            {"classes": ["tab"], "fields": [("return_to", "after_call_to"), "ticket_on"]},
        ),
        (gettext_lazy("Time zone"), {"classes": ["tab"], "fields": ["timezone"]}),
    ]

    class Media:
        js = ["admin/department_preview.js"]

    def get_queryset(self, request):
        memberships = Membership.objects.select_related("extension").order_by("position", "id")
        return (
            super()
            .get_queryset(request)
            .prefetch_related(Prefetch("memberships", memberships), "opening_hours", "holidays")
        )

    def get_urls(self):
        own = [path("preview/", self.admin_site.admin_view(preview), name="calls_department_preview")]
        return own + super().get_urls()

    def history_view(self, request, object_id, extra_context=None):
        context = (extra_context or {}) | {"belonging": belonging(unquote(object_id))}
        return super().history_view(request, object_id, context)

    def changelist_view(self, request, extra_context=None):
        self.company_days = list(Holiday.objects.filter(department=None).values_list("date", "every_year"))
        return super().changelist_view(request, extra_context)

    @action(description=gettext_lazy("Try this department"), url_path="try", permissions=["try"])
    def try_out(self, request, object_id):
        department = get_object_or_404(Department, pk=unquote(object_id))
        return redirect(f"{reverse('console:trials')}?{urlencode({'department': department.slug})}")

    def has_try_permission(self, request, object_id=None):
        return request.user.has_perms(["calls.try_departments", "calls.view_transfer"])

    # ------------------------------------------------------------ the list
    @display(description=gettext_lazy("department"), ordering="name")
    def shown_name(self, department):
        if not department.is_default:
            return department.name
        return format_html("{} <small>({})</small>", department.name, _("default"))

    @display(description=gettext_lazy("agents, in order"))
    def agents(self, department):
        members = [each.extension for each in department.memberships.all()]
        if not any(member.enabled for member in members):
            return format_html("<strong>⚠ {}</strong>", _("nobody takes calls"))
        shown = ((str(m) if m.enabled else _("%(agent)s (off)") % {"agent": m},) for m in members)
        return format_html_join(" → ", "{}", shown)

    @display(description=gettext_lazy("rings · decides · waits"))
    def limits(self, department):
        return f"{department.ring_seconds} s · {department.decision_seconds} s · {department.total_seconds} s"

    @display(description=gettext_lazy("now"))
    def open_now(self, department):
        spans = [(each.weekday, each.opens, each.closes) for each in department.opening_hours.all()]
        days = self.company_days + [(each.date, each.every_year) for each in department.holidays.all()]
        is_open = hours.is_open(spans, days, timezone.now(), department.timezone)
        return "● " + pgettext("hours", "open") if is_open else "○ " + pgettext("hours", "closed")

    # ------------------------------------------------------------ saving
    def save_model(self, request, obj, form, change):
        if not change and not Department.objects.filter(is_default=True).exists():
            obj.is_default = True
        super().save_model(request, obj, form, change)
        if obj.is_default:
            for former in make_default(obj):
                text = _("%(new)s is the default department now; before, it was %(former)s.")
                messages.info(request, text % {"new": obj, "former": former})

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        department = form.instance
        members = department.memberships.select_related("extension").order_by("position", "id")
        set_agents(department, [each.extension.number for each in members])
        if department.enabled and not department.members.filter(enabled=True).exists():
            text = _("%(department)s has no agent who takes calls: every caller gets a ticket.")
            messages.warning(request, text % {"department": department})

    def has_delete_permission(self, request, obj=None):
        """The default department lends its limits to others, and one with transfers is kept for them: disable it."""
        if obj is not None and (obj.is_default or obj.transfers.exists()):
            return False
        return super().has_delete_permission(request, obj)

    def get_actions(self, request):
        return {}
