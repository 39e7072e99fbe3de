"""A department tried with simulated people. Written by `calls.services.trials` only."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from calls.models.company import Department, Switch
from calls.models.transfer import Transfer


class Trial(models.Model):
    """One simulated call through a department's real settings, in a process of its own (calls.trial).

    `switch` is one of a few rows that are kept for trials: who has one may run, and there are no more of them.
    """

    class Voice(models.TextChoices):
        SIMULATED = "simulated", _("simulated (costs nothing)")
        REAL = "real", _("the Realtime API that is set up (costs tokens)")

    department = models.ForeignKey(Department, models.CASCADE, related_name="trials")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    username = models.CharField(max_length=150)
    temperament = models.CharField(max_length=24)  # of the first agent: a key of calls.words.TEMPERAMENTS
    then = models.CharField(max_length=24)  # of all who are rung after him
    voice = models.CharField(max_length=10, choices=Voice.choices, default=Voice.SIMULATED)
    caller_name = models.CharField(max_length=80)
    summary = models.CharField(max_length=500, blank=True)

    switch = models.ForeignKey(Switch, models.PROTECT, related_name="trials")
    host = models.CharField(max_length=30)  # whose web process has started it: only there its Realtime API is heard
    realtime_url = models.CharField(max_length=100, blank=True)  # of the simulated one, once it listens
    predicted = models.CharField(max_length=12, blank=True)  # outcome, "" where it depends on who is quicker
    transfer = models.OneToOneField(Transfer, models.SET_NULL, null=True, related_name="trial")
    problem = models.CharField(max_length=200, blank=True)  # why it broke off, a code of calls.console.verdict
    began_at = models.DateTimeField()
    seen_at = models.DateTimeField()  # the process's last sign of life
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("trial")
        verbose_name_plural = _("trials")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["switch"], condition=Q(ended_at=None), name="one_trial_on_a_trial_switch")
        ]

    def __str__(self) -> str:
        return f"{self.department}: {self.temperament}"
