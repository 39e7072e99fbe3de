"""Addresses: the admin for who configures, the console for who watches, the API for the secretary."""

from django.contrib import admin
from django.urls import path

from calls import health
from calls.api.app import api

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/v1/", api.urls),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", health.prometheus),
]
