"""Extensions, telephone switches, and the holidays of all departments."""

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from unfold.decorators import display

from calls.admin.base import CompanyAdmin
from calls.admin.exam import exam_page
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
    list_display = ["name", "address", "connection", "password_state", "examination", "enabled"]
    search_fields = ["name", "host"]
    readonly_fields = ["connection", "password_state", "examination"]
    prepopulated_fields = {"slug": ["name"]}
    fieldsets = [
        (None, {"fields": [("name", "slug"), "enabled", ("connection", "examination")]}),
        (
            gettext_lazy("Event Socket"),
            {"fields": [("host", "port"), ("password_variable", "password_state")]},
        ),
        (
            gettext_lazy("Calls"),
            {"fields": ["domain", ("conference_profile", "hold_music")]},
        ),
    ]

    def get_urls(self):
        own = path("<int:pk>/exam/", self.admin_site.admin_view(never_cache(self.exam_view)), name="calls_switch_exam")
        return [own, *super().get_urls()]

    def exam_view(self, request, pk):
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {**self.admin_site.each_context(request), "opts": self.opts}
        return exam_page(request, pk, context, self.has_change_permission(request))

    @display(description=gettext_lazy("examination"))
    def examination(self, switch):
        if switch.pk is None:
            return "—"
        address = reverse("admin:calls_switch_exam", args=[switch.pk])
        return format_html('<a class="text-primary-600 underline" href="{}">{}</a>', address, _("Examine…"))

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
