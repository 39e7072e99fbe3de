"""API clients: the key is on the screen once, right after it was made, and never in a message, a log or a cookie."""

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from unfold.decorators import display

from calls import services
from calls.admin.base import CompanyAdmin
from calls.models import ApiClient


@admin.register(ApiClient)
class ApiClientAdmin(CompanyAdmin):
    list_display = ["name", "scope", "shown_prefix", "enabled", "created_at", "last_used_at"]
    list_filter = ["enabled", "scope"]
    search_fields = ["name", "key_prefix"]
    readonly_fields = ["shown_prefix", "created_at", "last_used_at", "new_key"]
    fieldsets = [
        (None, {"fields": [("name", "enabled"), "scope", ("shown_prefix", "new_key"), ("created_at", "last_used_at")]})
    ]
    add_fieldsets = [(None, {"fields": ["name", "scope"]})]

    def get_urls(self):
        own = path("<int:pk>/key/", self.admin_site.admin_view(never_cache(self.key_view)), name="calls_apiclient_key")
        return [own, *super().get_urls()]

    @display(description=gettext_lazy("key"))
    def shown_prefix(self, client):
        return f"{client.key_prefix}…"

    @display(description=gettext_lazy("lost or leaked?"))
    def new_key(self, client):
        address = reverse("admin:calls_apiclient_key", args=[client.pk])
        return format_html('<a class="text-primary-600 underline" href="{}">{}</a>', address, _("Make a new key…"))

    def save_model(self, request, obj, form, change):
        if change:
            super().save_model(request, obj, form, change)
        else:
            obj.made_key = services.rotate_api_key(obj)  # saves the new row with its key

    @method_decorator(never_cache)
    def add_view(self, request, form_url="", extra_context=None):
        return super().add_view(request, form_url, extra_context)

    def response_add(self, request, obj, post_url_continue=None):
        return self.show_key(request, obj, obj.made_key)

    def key_view(self, request, pk):
        """Ask first; a POST makes the new key and shows it."""
        client = get_object_or_404(ApiClient, pk=pk)
        if not self.has_change_permission(request, client):
            raise PermissionDenied
        key = services.rotate_api_key(client) if request.method == "POST" else ""
        return self.show_key(request, client, key)

    def show_key(self, request, client, key):
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Key of %(client)s") % {"client": client},
            "client": client,
            "key": key,
        }
        return TemplateResponse(request, "admin/calls/apiclient/key.html", context)
