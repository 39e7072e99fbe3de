"""The figures of /metrics, all read from the database at the scrape: the same from whichever process answers."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Count, F, Min
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric

from calls import jobs
from calls.models import AudioSession, Switch, SwitchCommand, Ticket, Transfer, WebProcess
from calls.transfer.states import Outcome, State

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
PROCESS_ALIVE_SECONDS = 5  # a web process that was silent for longer is taken for dead


def render() -> bytes:
    """The metrics in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Database())
    return generate_latest(registry)


class _Database:
    def collect(self) -> Iterator[Metric]:
        now = timezone.now()
        today = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
        yield _counted(
            "transferhub_transfers_open", "Transfers under way, by state", "state",
            [state.value for state in State if state is not State.ENDED],
            Transfer.objects.exclude(state=State.ENDED).order_by().values_list("state").annotate(Count("id")),
        )  # fmt: skip
        yield _counted(
            "transferhub_transfers_today", "Transfers requested since midnight (TIME_ZONE) that have their outcome",
            "outcome", [outcome.value for outcome in Outcome],
            Transfer.objects.filter(requested_at__gte=today).exclude(outcome="").order_by()
            .values_list("outcome").annotate(Count("id")),
        )  # fmt: skip
        switches = GaugeMetricFamily("transferhub_switch_up", "1: connected, by a living process", labels=["switch"])
        for slug, connected, until in Switch.objects.filter(enabled=True).values_list(
            "slug", "connected", "lease_until"
        ):
            switches.add_metric([slug], float(connected and until is not None and until > now))
        yield switches
        waiting = SwitchCommand.objects.filter(state=SwitchCommand.State.WAITING)
        oldest = waiting.aggregate(at=Min("created_at"))["at"]
        age = (now - oldest).total_seconds() if oldest else 0.0
        yield _gauge("transferhub_outbox_age_seconds", "Age of the oldest command that no switch was sent yet", age)
        yield _gauge("transferhub_outbox_waiting", "Commands that no switch was sent yet", waiting.count())
        overdue = Transfer.objects.filter(deadline__lt=now).exclude(state=State.ENDED).aggregate(at=Min("deadline"))
        late = (now - overdue["at"]).total_seconds() if overdue["at"] else 0.0
        yield _gauge("transferhub_deadline_late_seconds", "By how much the most overdue deadline is late", late)
        live = AudioSession.objects.filter(state=AudioSession.State.LIVE).count()
        yield _gauge("transferhub_audio_sessions_live", "Audio sockets that FreeSWITCH holds with us", live)
        alive = WebProcess.objects.filter(heartbeat_at__gt=now - timedelta(seconds=PROCESS_ALIVE_SECONDS)).count()
        yield _gauge("transferhub_web_processes", "Web processes alive", alive)
        yield _counted(
            "transferhub_tickets", "Tickets not at OmniPlay", "state",
            [Ticket.State.PENDING.value, Ticket.State.FAILED.value],
            Ticket.objects.filter(state__in=[Ticket.State.PENDING, Ticket.State.FAILED]).order_by()
            .values_list("state").annotate(Count("id")),
        )  # fmt: skip
        untold = jobs.undelivered().count()
        yield _gauge("transferhub_webhooks_undelivered", "Changes that a callback_url was not told yet", untold)
        waits = list(
            Transfer.objects.filter(requested_at__gte=today, connected_at__isnull=False)
            .annotate(wait=F("connected_at") - F("requested_at")).values_list("wait", flat=True)
        )  # fmt: skip
        mean = sum(wait.total_seconds() for wait in waits) / len(waits) if waits else 0.0
        yield _gauge("transferhub_seconds_to_human_today", "Mean seconds from request to a person, today", mean)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)


def _counted(name: str, text: str, label: str, values: list[str], counts) -> GaugeMetricFamily:
    """A gauge with every label value always there: an absent series cannot be alarmed on."""
    family = GaugeMetricFamily(name, text, labels=[label])
    found = dict(counts)
    for value in values:
        family.add_metric([value], found.get(value, 0))
    return family
