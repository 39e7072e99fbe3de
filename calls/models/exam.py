"""The last examination of each telephone switch."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from calls.models.company import Switch


class SwitchExam(models.Model):
    """One row a switch: what the doctor found last, and whether an examination was asked for since."""

    switch = models.OneToOneField(Switch, models.CASCADE, related_name="exam", verbose_name=_("telephone switch"))
    asked_at = models.DateTimeField(null=True)  # not null: asked for in the admin, and not done yet
    done_at = models.DateTimeField(null=True)
    seconds = models.FloatField(default=0)
    level = models.CharField(max_length=8, blank=True)  # ok, warning, unfit; "" before the first one
    findings = models.JSONField(default=list)  # as calls.doctor.findings.to_json

    def __str__(self) -> str:
        return f"{self.switch}: {self.level}"
