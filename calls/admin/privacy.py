"""Who had a number erased, and when."""

from django.contrib import admin

from calls.admin.base import ReadOnlyAdmin
from calls.models import Erasure


@admin.register(Erasure)
class ErasureAdmin(ReadOnlyAdmin):
    list_display = ["at", "by", "transfers", "texts"]
    fields = ["at", "by", "transfers", "texts"]
