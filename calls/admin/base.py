"""What the pages of the admin have in common."""

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import ModelAdmin, TabularInline


def short_time(at: datetime | None) -> str:
    """For a list: 22/11/2026 16:47."""
    return date_format(timezone.localtime(at), "SHORT_DATETIME_FORMAT") if at else "—"


def clock_time(at: datetime | None) -> str:
    """16:47:05."""
    return f"{timezone.localtime(at):%H:%M:%S}" if at else "—"


class CompanyAdmin(SimpleHistoryAdmin, ModelAdmin):
    """A setting of the company: editable, with the history of who changed what."""

    list_fullwidth = True
    list_filter_submit = True
    warn_unsaved_form = True


class ReadOnly:
    """A record of what happened: nobody edits it, a superuser neither."""

    def has_add_permission(self, request, *args) -> bool:
        return False

    def has_change_permission(self, request, *args) -> bool:
        return False

    def has_delete_permission(self, request, *args) -> bool:
        return False


class ReadOnlyAdmin(ReadOnly, ModelAdmin):
    list_fullwidth = True
    list_filter_submit = True


class ReadOnlyInline(ReadOnly, TabularInline):
    extra = 0
    tab = True
