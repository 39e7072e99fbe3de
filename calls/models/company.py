"""What an administrator sets: switches, extensions, departments and who answers for them."""

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from calls import validators
from calls.transfer.states import Outcome

TICKET_OUTCOMES = [outcome.value for outcome in Outcome if outcome not in (Outcome.ACCEPTED, Outcome.CANCELLED)]


def default_ticket_outcomes() -> list[str]:
    return [value for value in TICKET_OUTCOMES if value != Outcome.CALLER_LEFT.value]


class RealSwitches(models.Manager):
    """Without those of trials, which nobody configures, watches, or sends a caller to."""

    def get_queryset(self) -> models.QuerySet["Switch"]:
        return super().get_queryset().filter(is_trial=False)


class Switch(models.Model):
    """One FreeSWITCH. Its password stays in the environment; the row names the variable.

    The lease columns are written by the switch process only: one process acts for a switch at a time, and `fence`
    grows with every new holder, so that a process that lost the lease without noticing can be told apart.
    """

    slug = models.SlugField(_("short name"), unique=True)
    name = models.CharField(_("name"), max_length=80)
    host = models.CharField(_("host"), max_length=255, default="127.0.0.1")
    port = models.PositiveIntegerField(_("Event Socket port"), default=8021)
    domain = models.CharField(
        _("domain of the extensions"),
        max_length=128,
        blank=True,
        validators=[validators.check_name],
        help_text=_("The part behind the @ of user/2001@domain. Empty: the switch's own domain."),
    )
    conference_profile = models.CharField(
        _("conference profile"), max_length=64, default="default", validators=[validators.check_name]
    )
    hold_music = models.CharField(
        _("hold music"),
        max_length=200,
        blank=True,
        validators=[validators.check_music],
        help_text=_("What callers on hold hear, e.g. local_stream://moh. Empty: the conference profile's music."),
    )
    password_variable = models.CharField(
        _("environment variable with the password"),
        max_length=64,
        default="FREESWITCH_PASSWORD",
        validators=[RegexValidator(r"^[A-Z][A-Z0-9_]*\Z", _("Capital letters, digits and _ only."))],
    )
    enabled = models.BooleanField(_("in use"), default=True)
    is_trial = models.BooleanField(default=False, editable=False)  # of calls.trial; only in `everything`

    connected = models.BooleanField(default=False, editable=False)
    connected_at = models.DateTimeField(null=True, editable=False)
    core_uuid = models.CharField(max_length=64, blank=True, editable=False)
    lease_holder = models.CharField(max_length=64, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    fence = models.PositiveIntegerField(default=0, editable=False)

    everything = models.Manager()
    history = HistoricalRecords(
        excluded_fields=["is_trial", "connected", "connected_at", "core_uuid", "lease_holder", "lease_until", "fence"]
    )
    objects = RealSwitches()

    class Meta:
        default_manager_name = "objects"
        verbose_name = _("telephone switch")
        verbose_name_plural = _("telephone switches")
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name


class Extension(models.Model):
    """A telephone of the company. `claimed_by` is the one transfer that may offer to it or talk with it now."""

    number = models.CharField(_("number"), max_length=32, validators=[validators.check_extension])
    name = models.CharField(_("who answers"), max_length=80)
    enabled = models.BooleanField(_("takes calls"), default=True)
    switch = models.ForeignKey(
        Switch,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("telephone switch"),
        help_text=_("Empty: on every switch."),
    )
    claimed_by = models.ForeignKey(
        "calls.Transfer", models.SET_NULL, null=True, blank=True, editable=False, related_name="claimed_extensions"
    )
    claimed_at = models.DateTimeField(null=True, editable=False)

    history = HistoricalRecords(excluded_fields=["claimed_by", "claimed_at"])

    class Meta:
        verbose_name = _("extension")
        verbose_name_plural = _("extensions")
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["number"], name="one_extension_a_number")]

    def __str__(self) -> str:
        return f"{self.number} · {self.name}"


class Department(models.Model):
    """What a caller asks for: who is rung in which order, how long, what is said, where the caller goes afterwards."""

    class Strategy(models.TextChoices):
        SEQUENTIAL = "sequential", _("one after another, in order")
        ROUND_ROBIN = "round_robin", _("one after another, taking turns to be first")
        RING_ALL = "ring_all", _("all at once, the first to answer")

    class CallerHears(models.TextChoices):
        CONFERENCE = "conference", _("the agent's side of the talk")
        MUSIC = "music", _("hold music")

    name = models.CharField(_("name"), max_length=80)
    slug = models.SlugField(_("short name"), unique=True, help_text=_("The name the secretary uses, e.g. vendas."))
    words = models.CharField(
        _("words that mean it"),
        max_length=500,
        blank=True,
        help_text=_("Separated by commas: what callers say when they want this department."),
    )
    enabled = models.BooleanField(_("in use"), default=True)
    is_default = models.BooleanField(
        _("default"), default=False, help_text=_("Lends its limits and texts to transfers that name only an extension.")
    )
    members = models.ManyToManyField(Extension, through="Membership", related_name="departments")
    strategy = models.CharField(_("ring"), max_length=16, choices=Strategy.choices, default=Strategy.SEQUENTIAL)
    ring_seconds = models.PositiveSmallIntegerField(
        _("ring each agent for (seconds)"), default=25, validators=[MinValueValidator(5), MaxValueValidator(120)]
    )
    decision_seconds = models.PositiveSmallIntegerField(
        _("time to decide after the announcement (seconds)"),
        default=15,
        validators=[MinValueValidator(5), MaxValueValidator(60)],
    )
    total_seconds = models.PositiveSmallIntegerField(
        _("total wait of the caller (seconds)"), default=180, validators=[MinValueValidator(30), MaxValueValidator(600)]
    )
    max_attempts = models.PositiveSmallIntegerField(
        _("agents to try at most"), default=3, validators=[MinValueValidator(1), MaxValueValidator(20)]
    )
    voice = models.CharField(_("voice of the announcer"), max_length=64, default="marin")
    language = models.CharField(_("language"), max_length=10, default="pt-BR")
    instructions = models.TextField(
        _("announcement"),
        blank=True,
        help_text=_(
            "What the announcer says first. {caller}, {number}, {department}, {summary} and {agent} are filled in."
        ),
    )
    caller_hears = models.CharField(
        _("during the announcement the caller hears"),
        max_length=12,
        choices=CallerHears.choices,
        default=CallerHears.CONFERENCE,
    )
    transfer_bridged = models.BooleanField(
        _("take callers who are talking with somebody"),
        default=False,
        help_text=_("The person they talk with is hung up."),
    )
    prepare_announcement = models.BooleanField(
        _("make the announcement while the telephone rings"),
        default=True,
        help_text=_(
            "It is heard at once when the agent answers. Off: it is made after the answer, about a second later, and "
            "costs nothing where nobody answers."
        ),
    )
    waits_for_hello = models.BooleanField(
        _("let the agent speak first"),
        default=False,
        help_text=_("The announcement begins after the agent's first words, or after 1.2 seconds of silence."),
    )
    call_waiting = models.BooleanField(_("ring agents who are on another call"), default=False)
    timezone = models.CharField(
        _("time zone"), max_length=64, default="America/Sao_Paulo", validators=[validators.check_timezone]
    )
    return_to = models.CharField(
        _("callers return to"),
        max_length=255,
        default="ivr_return XML public",
        validators=[validators.check_destination],
        help_text=_('Dialplan destination, e.g. "ivr_return XML public".'),
    )
    after_call_to = models.CharField(
        _("after a talk callers go to"),
        max_length=255,
        blank=True,
        validators=[validators.check_destination],
        help_text=_("Empty: the same place."),
    )
    ticket_on = models.JSONField(_("open a ticket when the outcome is"), default=default_ticket_outcomes, blank=True)
    ticket_text = models.TextField(
        _("said to the caller with a ticket"), blank=True, help_text=_("{protocol} is spoken digit by digit.")
    )
    no_ticket_text = models.TextField(_("said to the caller without a ticket"), blank=True)
    agent_notice = models.CharField(
        _("said to the agent before the announcement"),
        max_length=300,
        blank=True,
        help_text=_("For example that the talk with the announcer is processed and written down. Empty: nothing."),
    )
    caller_notice = models.CharField(
        _("said to the caller before any of our texts"), max_length=300, blank=True, help_text=_("Empty: nothing.")
    )
    last_first = models.ForeignKey(
        Extension, models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )  # whom round-robin rang first last time

    history = HistoricalRecords(excluded_fields=["last_first"])

    class Meta:
        verbose_name = _("department")
        verbose_name_plural = _("departments")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """An agent of a department, in ringing order."""

    department = models.ForeignKey(Department, models.CASCADE, related_name="memberships")
    extension = models.ForeignKey(Extension, models.CASCADE, related_name="memberships", verbose_name=_("extension"))
    position = models.PositiveIntegerField(_("order"), default=0, db_index=True)

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("agent")
        verbose_name_plural = _("agents")
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["department", "extension"], name="an_agent_once_in_a_department")
        ]

    def __str__(self) -> str:
        return f"{self.extension}"


class OpeningHours(models.Model):
    """One span of a weekday in the department's time zone. A department without any row is always open.

    A span whose end is not after its beginning runs over midnight into the next day.
    """

    WEEKDAYS = [
        (0, _("Monday")), (1, _("Tuesday")), (2, _("Wednesday")), (3, _("Thursday")), (4, _("Friday")),
        (5, _("Saturday")), (6, _("Sunday")),
    ]  # fmt: skip

    department = models.ForeignKey(Department, models.CASCADE, related_name="opening_hours")
    weekday = models.PositiveSmallIntegerField(_("weekday"), choices=WEEKDAYS)
    opens = models.TimeField(_("opens at"))
    closes = models.TimeField(_("closes at"))

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("opening hours")
        verbose_name_plural = _("opening hours")
        ordering = ["weekday", "opens"]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.opens:%H:%M}-{self.closes:%H:%M}"


class Holiday(models.Model):
    """A day on which a department (or all of them) is closed, in the department's own time zone."""

    name = models.CharField(_("name"), max_length=80)
    date = models.DateField(_("date"))
    every_year = models.BooleanField(_("every year"), default=False)
    department = models.ForeignKey(
        Department,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="holidays",
        verbose_name=_("department"),
        help_text=_("Empty: all departments."),
    )

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("holiday")
        verbose_name_plural = _("holidays")
        ordering = ["date"]

    def __str__(self) -> str:
        return f"{self.name} ({self.date:%d/%m/%Y})"
