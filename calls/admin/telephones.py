"""Extensions, telephone switches, and the holidays of all departments."""

from django.contrib import admin
from django.db.models import Prefetch
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from calls.admin.base import CompanyAdmin
from calls.checks import DEFAULT_PASSWORD, is_set
from calls.models import Department, Extension, Holiday, Switch


@admin.register(Extension)
class ExtensionAdmin(CompanyAdmin):
    list_display = ["number", "name", "in_departments", "state", "enabled"]
    list_editable = ["enabled"]
    list_filter = ["enabled", "departments"]
    search_fields = ["number", "name"]
    fields = [("number", "name"), "enabled", "switch"]

    def get_queryset(self, request):
        departments = Prefetch("departments", Department.objects.order_by("name"))
        return super().get_queryset(request).prefetch_related(departments)

    @display(description=gettext_lazy("departments"))
    def in_departments(self, extension):
        return ", ".join(each.name for each in extension.departments.all()) or "—"

    @display(description=gettext_lazy("now"))
    def state(self, extension):
        return "◐ " + _("in a transfer") if extension.claimed_by_id else "○ " + _("free")


@admin.register(Holiday)
class HolidayAdmin(CompanyAdmin):
    list_display = ["date", "name", "every_year", "for_whom"]
    list_filter = ["every_year", "department"]
    list_select_related = ["department"]
    search_fields = ["name"]
    date_hierarchy = "date"
    fields = [("date", "name"), "every_year", "department"]

    @display(description=gettext_lazy("closed"))
    def for_whom(self, holiday):
        return holiday.department or _("all departments")


@admin.register(Switch)
class SwitchAdmin(CompanyAdmin):
    list_display = ["name", "address", "connection", "password_state", "enabled"]
    search_fields = ["name", "host"]
    readonly_fields = ["connection", "password_state"]
    prepopulated_fields = {"slug": ["name"]}
    fieldsets = [
        (None, {"fields": [("name", "slug"), "enabled", "connection"]}),
        (
            gettext_lazy("Event Socket"),
            {"fields": [("host", "port"), ("password_variable", "password_state")]},
        ),
        (
            gettext_lazy("Calls"),
            {"fields": ["domain", ("conference_profile", "hold_music")]},
        ),
    ]

    @display(description=gettext_lazy("address"))
    def address(self, switch):
        return f"{switch.host}:{switch.port}"

    @display(description=gettext_lazy("connection"))
    def connection(self, switch):
        if switch.lease_until is None or switch.lease_until < timezone.now():
            return "○ " + _("no switch process is running")
        return "● " + _("connected") if switch.connected else "△ " + _("not connected")

    @display(description=gettext_lazy("password"))
    def password_state(self, switch):
        """Whether the variable is set, never its value."""
        if is_set(switch.password_variable):
            answer = _("set in %(variable)s")
        elif switch.password_variable == DEFAULT_PASSWORD:
            answer = _("%(variable)s is not set: FreeSWITCH's own default is used")
        else:
            answer = _("%(variable)s is not set")
        return answer % {"variable": switch.password_variable}

    def has_delete_permission(self, request, obj=None):
        if obj is not None and obj.transfers.exists():
            return False
        return super().has_delete_permission(request, obj)
