from django.urls import path

from calls.console import views

app_name = "console"
urlpatterns = [
    path("", views.transfers, name="transfers"),
    path("transfers/rows/", views.transfers_fragment, name="transfers-fragment"),
    path("transfers/<uuid:pk>/", views.transfer, name="transfer"),
    path("transfers/<uuid:pk>/parts/", views.transfer_fragment, name="transfer-fragment"),
]
