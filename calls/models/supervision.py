"""Supervisors near a call: who heard or talked, how, from when to when. Written by `calls.services` only."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from calls.models.company import Extension
from calls.models.transfer import Transfer


class SupervisorTelephone(models.Model):
    """The extension at which a person who supervises is rung."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="telephone")
    extension = models.ForeignKey(Extension, models.CASCADE, related_name="+", verbose_name=_("own extension"))

    class Meta:
        verbose_name = _("own telephone")
        verbose_name_plural = _("own telephone")

    def __str__(self) -> str:
        return str(self.extension)


class Supervision(models.Model):
    """One presence of one person. In the browser (HEAR) there is no leg; else his telephone is in the conference."""

    class Mode(models.TextChoices):
        HEAR = "hear", pgettext_lazy("supervision", "hears the announcement")  # in the browser
        LISTEN = "listen", pgettext_lazy("supervision", "listens")  # nobody hears him
        WHISPER = "whisper", pgettext_lazy("supervision", "whispers to the agent")  # the caller does not hear him
        JOIN = "join", pgettext_lazy("supervision", "has joined")

    class State(models.TextChoices):
        RINGING = "ringing"
        INSIDE = "inside"
        OVER = "over"

    transfer = models.ForeignKey(Transfer, models.CASCADE, related_name="supervisions")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    username = models.CharField(max_length=150)
    mode = models.CharField(max_length=8, choices=Mode.choices)
    state = models.CharField(max_length=8, choices=State.choices)
    number = models.CharField(max_length=32, blank=True)  # the extension that is rung
    mark = models.CharField(max_length=32, unique=True, null=True)  # channel variable transferhub_supervision
    uuid = models.CharField(max_length=128, blank=True)  # of his leg
    member = models.PositiveIntegerField(default=0)
    note = models.CharField(max_length=64, blank=True)  # FreeSWITCH's word for why he never came
    asked_at = models.DateTimeField()
    began_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("supervision")
        verbose_name_plural = _("supervisions")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["transfer", "user"],
                condition=~Q(state="over") & ~Q(mode="hear"),
                name="a_supervisor_once_in_a_conference",
            )
        ]

    def __str__(self) -> str:
        return f"{self.username}: {self.mode}"
