"""That somebody's data were erased: when, by whom, how much; never whose."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from calls.models.people import AppendOnly


class Erasure(models.Model):
    """One run of `manage.py erase_number`. Append-only.

    `number_hash` is keyed with SECRET_KEY (calls.services.erasure): it answers "was this number erased?" to whoever
    has the number, and tells nobody else which one it was.
    """

    at = models.DateTimeField(_("when"))
    by = models.CharField(_("who"), max_length=150)
    number_hash = models.CharField(max_length=64)
    transfers = models.PositiveIntegerField(_("transfers"))
    texts = models.PositiveIntegerField(_("texts"))

    objects = AppendOnly.as_manager()

    class Meta:
        verbose_name = _("erasure")
        verbose_name_plural = _("erasures")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} · {self.by}"

    def save(self, *args, **kwargs):
        if self.pk is not None:
            raise TypeError("these rows are never changed")
        super().save(*args, **kwargs)
