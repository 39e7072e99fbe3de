"""What the running processes tell one another through the database: commands, audio sessions, who is alive."""

from django.db import models
from django.db.models import Q

from calls.models.company import Switch
from calls.models.transfer import Attempt, Transfer


class SwitchCommand(models.Model):
    """The outbox to a switch. Written in the transaction of the step, claimed once by conditional UPDATE, then sent.

    A command that was claimed but never finished when its process died is resolved by resync, never sent blindly
    again: a second originate would ring a person twice.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        CLAIMED = "claimed"
        DONE = "done"
        FAILED = "failed"
        VOID = "void"

    transfer = models.ForeignKey(Transfer, models.CASCADE, related_name="commands")
    switch = models.ForeignKey(Switch, models.CASCADE, related_name="commands")
    kind = models.CharField(max_length=32)  # name of the dataclass in calls.transfer.commands
    arguments = models.JSONField(default=dict)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    result = models.CharField(max_length=200, blank=True)  # FreeSWITCH's reply, first line
    fence = models.PositiveIntegerField(default=0)  # the lease under which it was claimed
    created_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["switch", "id"], name="outbox", condition=Q(state="waiting"))]

    def __str__(self) -> str:
        return f"{self.kind} ({self.state})"


class WebProcess(models.Model):
    """Heartbeat of a web process: it can carry audio, and FreeSWITCH reaches it at `audio_base_url`."""

    id = models.CharField(primary_key=True, max_length=64)  # host:pid:random, new at every start
    audio_base_url = models.CharField(max_length=255)
    heartbeat_at = models.DateTimeField(db_index=True)
    started_at = models.DateTimeField()
    sessions = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return self.id


class AudioSession(models.Model):
    """One audio socket to be: the announcer on an agent's leg, or the prompt on the caller's.

    Made OPEN with the transfer's step; a web process claims it by conditional UPDATE and mints the one-time token
    that the stream's URL carries (only its hash is kept).
    """

    class Leg(models.TextChoices):
        AGENT = "agent"
        CALLER = "caller"

    class State(models.TextChoices):
        OPEN = "open"
        CLAIMED = "claimed"
        LIVE = "live"  # FreeSWITCH has connected with the token
        CLOSED = "closed"

    transfer = models.ForeignKey(Transfer, models.CASCADE, related_name="audio_sessions")
    attempt = models.ForeignKey(Attempt, models.CASCADE, null=True, related_name="audio_sessions")
    leg = models.CharField(max_length=8, choices=Leg.choices)
    brief = models.JSONField(default=dict)  # what may be said: see calls.transfer.commands.PrepareAnnouncer
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    process = models.ForeignKey(WebProcess, models.SET_NULL, null=True, related_name="audio_sessions")
    token_hash = models.CharField(max_length=64, blank=True, db_index=True)
    created_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True)
    live_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    usage = models.JSONField(default=dict)  # tokens of response.done, summed

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["state", "id"], name="audio_open")]

    def __str__(self) -> str:
        return f"{self.leg} {self.state}"
