"""One request of a caller and all that came of it. Written by `calls.services` only."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from calls.models.company import Department, Extension, Switch
from calls.models.integration import ApiClient
from calls.transfer.states import AttemptOutcome, Decision, Outcome, Source, State


def choices(enum) -> list[tuple[str, str]]:
    return [(member.value, member.value) for member in enum]


class Transfer(models.Model):
    """The state machine's row. `memory` holds its snapshot (calls.services.store); the columns are for queries."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.PositiveIntegerField(default=0)  # grows with every step; writers compare it
    state = models.CharField(max_length=12, choices=choices(State), default=State.REQUESTED.value)
    deadline = models.DateTimeField(null=True)
    memory = models.JSONField(default=dict)

    department = models.ForeignKey(Department, models.PROTECT, related_name="transfers", verbose_name=_("department"))
    destination = models.CharField(_("extension asked for"), max_length=32, blank=True)
    switch = models.ForeignKey(Switch, models.PROTECT, related_name="transfers")
    caller_uuid = models.CharField(max_length=128)
    caller_number = models.CharField(_("caller's number"), max_length=32, blank=True)
    caller_name = models.CharField(_("caller's name"), max_length=80, blank=True)
    context = models.TextField(blank=True)
    summary = models.TextField(_("summary"), blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    callback_url = models.URLField(max_length=500, blank=True)
    client = models.ForeignKey(ApiClient, models.SET_NULL, null=True, blank=True, related_name="transfers")
    idempotency_key = models.CharField(max_length=200, null=True, blank=True)
    request_hash = models.CharField(max_length=64, blank=True)  # of the body, to refuse a reused key

    outcome = models.CharField(_("outcome"), max_length=12, choices=choices(Outcome), blank=True)
    decision = models.CharField(max_length=12, choices=choices(Decision), blank=True)
    decided_by = models.CharField(max_length=12, choices=choices(Source), blank=True)
    reason = models.CharField(max_length=300, blank=True)
    error = models.CharField(max_length=200, blank=True)
    conference = models.CharField(max_length=80, unique=True)
    agent_uuid = models.CharField(max_length=128, blank=True)
    agent = models.ForeignKey(Extension, models.SET_NULL, null=True, blank=True, related_name="+")
    is_trial = models.BooleanField(default=False)  # of calls.trial: shown to supervisors, counted nowhere

    requested_at = models.DateTimeField()
    parked_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)  # by the last agent who answered
    announced_at = models.DateTimeField(null=True)  # first words to that agent
    decided_at = models.DateTimeField(null=True)
    connected_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("transfer")
        verbose_name_plural = _("transfers")
        permissions = [
            ("see_numbers", _("Can see callers' numbers in full")),
            ("act_on_transfers", _("Can act on transfers at the console")),
            ("listen", _("Can listen to the announcer and the agent, and to conversations")),
            ("whisper", _("Can whisper to the agent in a conversation")),
            ("join", _("Can join a conversation")),
            ("try_departments", _("Can try a department with simulated people")),
        ]
        ordering = ["-requested_at"]
        indexes = [
            models.Index(fields=["deadline"], name="transfer_due", condition=Q(deadline__isnull=False)),
            models.Index(fields=["-requested_at"], name="transfer_recent"),
            models.Index(fields=["caller_number"], name="transfer_caller"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["switch", "caller_uuid"], condition=~Q(state=State.ENDED.value), name="one_open_transfer_a_call"
            ),
            models.UniqueConstraint(fields=["client", "idempotency_key"], name="an_idempotency_key_once"),
        ]

    def __str__(self) -> str:
        return self.short_id

    @property
    def short_id(self) -> str:
        """First 12 hex digits: in conference names, timer groups and logs."""
        return self.id.hex[:12]

    @cached_property
    def switch_slug(self) -> str:
        return self.switch.slug


class Attempt(models.Model):
    """One dialling: of one agent, or of several at once (ring-all; `extension` is then who answered)."""

    transfer = models.ForeignKey(Transfer, models.CASCADE, related_name="attempts")
    number = models.PositiveSmallIntegerField()
    mark = models.CharField(max_length=32, unique=True)  # the channel variable transferhub_attempt of all its legs
    numbers = models.JSONField(default=list)  # extensions rung
    extension = models.ForeignKey(Extension, models.SET_NULL, null=True, related_name="attempts")
    outcome = models.CharField(max_length=12, choices=choices(AttemptOutcome), blank=True)
    cause = models.CharField(max_length=64, blank=True)  # FreeSWITCH's word, e.g. USER_BUSY
    reason = models.CharField(max_length=300, blank=True)  # the agent's word
    agent_uuid = models.CharField(max_length=128, blank=True)
    member_id = models.PositiveIntegerField(null=True)
    started_at = models.DateTimeField()
    ringing_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["transfer", "number"], name="attempts_are_numbered")]

    def __str__(self) -> str:
        return f"{self.transfer.short_id}/{self.number}"


class TransferEvent(models.Model):
    """Append-only log: what happened, what the machine made of it. Holds no speech and no telephone number."""

    transfer = models.ForeignKey(Transfer, models.CASCADE, related_name="events")
    at = models.DateTimeField()
    event = models.CharField(max_length=40)
    source = models.CharField(max_length=12, blank=True)
    from_state = models.CharField(max_length=12)
    to_state = models.CharField(max_length=12)
    verdict = models.CharField(max_length=8)
    detail = models.JSONField(default=dict)
    by = models.CharField(max_length=150, blank=True)  # the person or API client who did it

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["transfer", "id"], name="transfer_log")]

    def __str__(self) -> str:
        return f"{self.event}: {self.from_state} → {self.to_state}"


class Utterance(models.Model):
    """What the announcer or the agent said, from the Realtime session's transcripts. Erased after RETENTION_DAYS."""

    class Who(models.TextChoices):
        ANNOUNCER = "announcer", _("announcer")
        AGENT = "agent", _("agent")
        CALLER_PROMPT = "prompt", _("said to the caller")

    transfer = models.ForeignKey(Transfer, models.CASCADE, related_name="utterances")
    attempt = models.ForeignKey(Attempt, models.CASCADE, null=True, related_name="utterances")
    who = models.CharField(max_length=10, choices=Who.choices)
    text = models.TextField()
    item_id = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("utterance")
        verbose_name_plural = _("transcript")
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return self.get_who_display()


class Ticket(models.Model):
    """Opened when nobody took the call. Our protocol first; OmniPlay's id when it answers."""

    class State(models.TextChoices):
        PENDING = "pending", _("to be sent")
        SENT = "sent", _("sent")
        FAILED = "failed", _("given up")
        LOCAL = "local", _("kept here only")

    transfer = models.OneToOneField(Transfer, models.CASCADE, related_name="ticket")
    protocol = models.CharField(_("protocol"), max_length=32, unique=True)
    omniplay_id = models.CharField(_("OmniPlay number"), max_length=64, blank=True)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.PENDING)
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    last_error = models.CharField(_("last error"), max_length=200, blank=True)
    told = models.BooleanField(_("number told to the caller"), default=False)
    created_at = models.DateTimeField(_("opened at"))
    sent_at = models.DateTimeField(_("sent at"), null=True)

    class Meta:
        verbose_name = _("ticket")
        verbose_name_plural = _("tickets")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.protocol
