"""What the pages of the admin have in common."""

from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import ModelAdmin, TabularInline


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
