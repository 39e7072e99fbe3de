"""Users and groups, in the look of the other pages, with permissions in words."""

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as BaseGroupAdmin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q, QuerySet
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy
from unfold.admin import ModelAdmin, TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from calls.models import DepartmentScope, SupervisorAction, SupervisorTelephone

VERBS = {
    "view": pgettext_lazy("permission", "see"),
    "add": pgettext_lazy("permission", "add"),
    "change": pgettext_lazy("permission", "change"),
    "delete": pgettext_lazy("permission", "delete"),
}


def useful_permissions() -> QuerySet[Permission]:
    """Those that open or close a page; not those of tables nobody ever sees."""
    registered = admin.site._registry
    inside = [inline.model for each in registered.values() for inline in each.inlines]
    types = ContentType.objects.get_for_models(*registered, *inside).values()
    audit = ContentType.objects.get_for_model(SupervisorAction)  # a page of the console, to be read only
    opens = Q(content_type__in=types) | Q(content_type=audit, codename__startswith="view_")
    shown = Permission.objects.filter(opens).select_related("content_type")
    return shown.order_by("content_type__app_label", "content_type__model", "pk")


def in_words(permission: Permission) -> str:
    verb = VERBS.get(permission.codename.partition("_")[0])
    model = permission.content_type.model_class()
    if permission.codename == f"{permission.codename.partition('_')[0]}_{permission.content_type.model}" and verb:
        return f"{capfirst(model._meta.verbose_name_plural)}: {verb}"
    return _(permission.name)


class PermissionsInWords:
    def formfield_for_manytomany(self, db_field, request=None, **kwargs):
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        if db_field.related_model is Permission and field is not None:
            field.queryset = useful_permissions()
            field.label_from_instance = in_words
        return field


admin.site.unregister(User)
admin.site.unregister(Group)


class OwnTelephone(TabularInline):
    """Where a supervisor is rung who listens, whispers or joins."""

    model = SupervisorTelephone
    autocomplete_fields = ["extension"]


class DepartmentsToSee(TabularInline):
    """None: all."""

    model = DepartmentScope
    extra = 0


class DepartmentsOfAPerson(DepartmentsToSee):
    fk_name = "user"
    fields = ("department",)


class DepartmentsOfAGroup(DepartmentsToSee):
    fk_name = "group"
    fields = ("department",)


@admin.register(User)
class UserAdmin(PermissionsInWords, BaseUserAdmin, ModelAdmin):
    inlines = [OwnTelephone, DepartmentsOfAPerson]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_fullwidth = True


@admin.register(Group)
class GroupAdmin(PermissionsInWords, BaseGroupAdmin, ModelAdmin):
    inlines = [DepartmentsOfAGroup]
    list_fullwidth = True
