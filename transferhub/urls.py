"""Addresses: the admin for who configures, the console for who watches, the API for the secretary."""

from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path

from calls import health
from calls.api.app import api

handler404 = "calls.api.errors.not_found"
urlpatterns = [
    path("", include("calls.console.urls")),
    path("login/", auth.LoginView.as_view(), name="login"),
    path("logout/", auth.LogoutView.as_view(), name="logout"),
    path("language/", include("django.conf.urls.i18n")),
    path("admin/", admin.site.urls),
    path("api/v1/", api.urls),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", health.prometheus),
]
