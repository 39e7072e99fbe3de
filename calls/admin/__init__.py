"""The admin: where somebody who is no programmer sets departments, agents, texts and limits."""

from django.contrib import admin
from django.utils.translation import gettext_lazy

from calls.admin import clients, departments, people, privacy, telephones, tickets, transfers

admin.site.index_title = gettext_lazy("Overview")

__all__ = ["clients", "departments", "people", "privacy", "telephones", "tickets", "transfers"]
