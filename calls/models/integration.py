"""Who calls the API, and what we call back."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords


class ApiClient(models.Model):
    """A program that may use the API. Its key is shown once; only the SHA-256 (of 256 random bits) is kept."""

    class Scope(models.TextChoices):
        ALL = "all", _("transfer callers, and see everything")
        READ = "read", _("see everything")
        METRICS = "metrics", _("the metrics only")

    name = models.CharField(_("name"), max_length=80, unique=True)
    key_prefix = models.CharField(_("key begins with"), max_length=12, editable=False)
    key_hash = models.CharField(max_length=64, unique=True, editable=False)
    enabled = models.BooleanField(_("may call"), default=True)
    scope = models.CharField(_("may"), max_length=8, choices=Scope.choices, default=Scope.ALL)
    created_at = models.DateTimeField(_("made at"), auto_now_add=True)
    last_used_at = models.DateTimeField(_("last used at"), null=True, editable=False)

    history = HistoricalRecords(excluded_fields=["last_used_at", "key_hash"])

    class Meta:
        verbose_name = _("API client")
        verbose_name_plural = _("API clients")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class WebhookDelivery(models.Model):
    """One change of state to be told to a callback_url; retried by the worker."""

    transfer = models.ForeignKey("calls.Transfer", models.CASCADE, related_name="webhooks")
    version = models.PositiveIntegerField()  # of the transfer when it changed: the receiver can drop older ones
    payload = models.JSONField()
    delivered_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(max_length=200, blank=True)
    not_before = models.DateTimeField(null=True)  # a worker sends it now, or will try again then: others keep off
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["transfer", "version"], name="a_version_told_once")]

    def __str__(self) -> str:
        return f"{self.transfer_id} v{self.version}"
