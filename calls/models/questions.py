"""What a process that has no Event Socket asks of those that have one."""

from django.db import models
from django.db.models import Q

from calls.models.company import Switch


class SwitchQuestion(models.Model):
    """Whether a switch holds a call. Who asked deletes it as soon as he knows."""

    switch = models.ForeignKey(Switch, models.CASCADE, related_name="questions")
    call_uuid = models.CharField(max_length=128)
    asked_at = models.DateTimeField()
    holds_it = models.BooleanField(null=True)  # null: no answer yet

    class Meta:
        indexes = [models.Index(fields=["switch", "id"], name="question_open", condition=Q(holds_it=None))]

    def __str__(self) -> str:
        return f"{self.switch_id}: {self.holds_it}"
