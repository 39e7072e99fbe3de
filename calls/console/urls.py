from django.urls import path

from calls.console import acting, audit, supervise, trials, views

app_name = "console"
urlpatterns = [
    path("", views.transfers, name="transfers"),
    path("transfers/<uuid:pk>/", views.transfer, name="transfer"),
    path("transfers/<uuid:pk>/parts/", views.transfer_fragment, name="transfer-fragment"),
    path("wall/", views.wall, name="wall"),
    path("wall/parts/", views.wall_fragment, name="wall-fragment"),
    path("audit/", audit.audit, name="audit"),
    path("audit/actions.csv", audit.audit_csv, name="audit-csv"),
    *[
        path(f"transfers/<uuid:pk>/{name}/", acting.action, {"name": name.value}, name=f"act-{name}")
        for name in acting.Action
    ],
    *supervise.urlpatterns,
    path("trials/", trials.trials, name="trials"),
    path("trials/<int:pk>/", trials.trial, name="trial"),
]
