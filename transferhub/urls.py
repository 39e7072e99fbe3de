"""Addresses: the admin for who configures, the console for who watches, the API for the secretary."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
]
