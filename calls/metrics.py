"""The figures of /metrics, all read from the database at the scrape: the same from whichever process answers.

Counters and histograms count from midnight (TIME_ZONE), which keeps the queries small; for Prometheus that is a counter
that was reset, and rate() and increase() know those. Scrape one web process: the others would say the same again.
Trials are left out.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import django_rq
from django.conf import settings
from django.db.models import Count, F, Min, QuerySet
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from redis.exceptions import RedisError

from calls import dispatch, jobs
from calls.models import AudioSession, Switch, SwitchCommand, Ticket, Transfer, TransferEvent, WebProcess
from calls.transfer.states import Outcome, State
from calls.voice import breaker

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
PROCESS_ALIVE_SECONDS = 5  # a web process that was silent for longer is taken for dead
# (metric, what it says, from, to, upper bounds in seconds)
SPANS = (
    ("transferhub_seconds_to_human", "From request to a person on the line", "requested_at", "connected_at",
     (2, 5, 10, 15, 20, 30, 45, 60, 90, 120)),
    ("transferhub_seconds_to_first_words", "From the agent's answer to our first words", "answered_at", "announced_at",
     (0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5)),
    ("transferhub_seconds_to_put_through", "From the agent's yes to the two hearing each other", "decided_at",
     "connected_at", (0.05, 0.1, 0.25, 0.5, 1, 2, 5)),
)  # fmt: skip
# Where response.done keeps its counts -> the label.
TOKENS = {
    ("input_token_details", "text_tokens"): "text_in",
    ("input_token_details", "audio_tokens"): "audio_in",
    ("input_token_details", "cached_tokens"): "cached_in",
    ("output_token_details", "text_tokens"): "text_out",
    ("output_token_details", "audio_tokens"): "audio_out",
}


def render() -> bytes:
    """The metrics in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Database())
    return generate_latest(registry)


class _Database:
    def collect(self) -> Iterator[Metric]:
        now = timezone.now()
        midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
        today = _real().filter(requested_at__gte=midnight).order_by()
        yield from _transfers(today)
        yield from _switches(now)
        yield from _realtime(midnight)
        yield from _processes(now)
        yield from _jobs()


def _real() -> QuerySet[Transfer]:
    return Transfer.objects.filter(is_trial=False)


def _transfers(today: QuerySet[Transfer]) -> Iterator[Metric]:
    yield _counted(
        GaugeMetricFamily("transferhub_transfers_open", "Transfers under way, by state", labels=["state"]),
        [state.value for state in State if state is not State.ENDED],
        _real().exclude(state=State.ENDED).order_by().values_list("state").annotate(Count("id")),
    )
    yield _counted(
        CounterMetricFamily("transferhub_transfers", "Transfers with their outcome, today", labels=["outcome"]),
        [outcome.value for outcome in Outcome],
        today.exclude(outcome="").values_list("outcome").annotate(Count("id")),
    )
    for name, text, begin, end, bounds in SPANS:
        measured = today.filter(**{f"{begin}__isnull": False, f"{end}__isnull": False}).annotate(span=F(end) - F(begin))
        yield _histogram(
            name, f"{text}, today", bounds, [s.total_seconds() for s in measured.values_list("span", flat=True)]
        )


def _switches(now: datetime) -> Iterator[Metric]:
    switches = GaugeMetricFamily("transferhub_switch_up", "1: connected, by a living process", labels=["switch"])
    for slug, connected, until in Switch.objects.filter(enabled=True).values_list("slug", "connected", "lease_until"):
        switches.add_metric([slug], float(connected and until is not None and until > now))
    yield switches
    waiting = SwitchCommand.objects.filter(state=SwitchCommand.State.WAITING, switch__is_trial=False)
    oldest = waiting.aggregate(at=Min("created_at"))["at"]
    age = (now - oldest).total_seconds() if oldest else 0.0
    yield _gauge("transferhub_outbox_age_seconds", "Age of the oldest command that no switch was sent yet", age)
    yield _gauge("transferhub_outbox_waiting", "Commands that no switch was sent yet", waiting.count())
    overdue = _real().filter(deadline__lt=now).exclude(state=State.ENDED).aggregate(at=Min("deadline"))
    late = (now - overdue["at"]).total_seconds() if overdue["at"] else 0.0
    yield _gauge("transferhub_deadline_late_seconds", "By how much the most overdue deadline is late", late)


def _realtime(midnight: datetime) -> Iterator[Metric]:
    today = _real().filter(requested_at__gte=midnight)
    ended = AudioSession.objects.filter(transfer__in=today, leg=AudioSession.Leg.AGENT)
    tokens = dict.fromkeys(TOKENS.values(), 0)
    sessions = lost = unheard = 0
    cost = 0.0
    for usage, live_at in ended.exclude(closed_at=None).values_list("usage", "live_at"):
        sessions += 1
        lost += usage.get("realtime_lost", 0)
        unheard += _number(usage, "total_tokens") if live_at is None else 0
        for (group, name), label in TOKENS.items():
            tokens[label] += _number(usage.get(group), name)
        cost += _cost(usage, settings.REALTIME_PRICES)
    yield _counter("transferhub_announcers", "Announcers' sessions that are over, today", sessions)
    yield _counter("transferhub_realtime_errors", "Announcers that lost the Realtime API, today", lost)
    spent = CounterMetricFamily("transferhub_realtime_tokens", "Tokens of the Realtime API, today", labels=["kind"])
    for label, count in tokens.items():
        spent.add_metric([label], count)
    yield spent
    if settings.REALTIME_PRICES:
        yield _counter("transferhub_realtime_cost_usd", "What these tokens cost by REALTIME_PRICES, today", cost)
    text = "Of those, spent on announcements whose agent did not answer, today"
    yield _counter("transferhub_realtime_tokens_unheard", text, unheard)
    failed = TransferEvent.objects.filter(transfer__in=today, event="AnnouncerLost")
    yield _counter("transferhub_audio_lost", "Audio sockets of agents refused or lost, today", failed.count())


def _processes(now: datetime) -> Iterator[Metric]:
    live = AudioSession.objects.filter(state=AudioSession.State.LIVE, transfer__is_trial=False).count()
    yield _gauge("transferhub_audio_sessions_live", "Audio sockets that FreeSWITCH holds with us", live)
    resting = float(breaker.resting())  # of the process that answers; all else here is in the database
    yield _gauge("transferhub_realtime_resting", "1: this web process leaves the Realtime API alone", resting)
    alive = WebProcess.objects.filter(heartbeat_at__gt=now - timedelta(seconds=PROCESS_ALIVE_SECONDS)).count()
    yield _gauge("transferhub_web_processes", "Web processes alive", alive)


def _jobs() -> Iterator[Metric]:
    yield _counted(
        GaugeMetricFamily("transferhub_tickets", "Tickets not at OmniPlay", labels=["state"]),
        [Ticket.State.PENDING.value, Ticket.State.FAILED.value],
        Ticket.objects.filter(state__in=[Ticket.State.PENDING, Ticket.State.FAILED]).order_by()
        .values_list("state").annotate(Count("id")),
    )  # fmt: skip
    untold = jobs.undelivered().count()
    yield _gauge("transferhub_webhooks_undelivered", "Changes that a callback_url was not told yet", untold)
    up = 1
    try:
        queue = django_rq.get_queue(connection=dispatch.redis_client(settings.REDIS_URL))
        depth = GaugeMetricFamily("transferhub_jobs", "Jobs of the worker, by where they are", labels=["place"])
        depth.add_metric(["waiting"], queue.count)
        depth.add_metric(["running"], queue.started_job_registry.count)
        depth.add_metric(["later"], queue.scheduled_job_registry.count)
        depth.add_metric(["failed"], queue.failed_job_registry.count)
        yield depth
    except (RedisError, OSError):
        up = 0
    yield _gauge("transferhub_redis_up", "1: Redis answers", up)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)


def _counter(name: str, text: str, value: float) -> CounterMetricFamily:
    """Prometheus appends _total to its name."""
    return CounterMetricFamily(name, text, value=value)


def _counted(family: Any, values: list[str], counts: Any) -> Any:
    """The family with every label value always there: an absent series cannot be alarmed on."""
    found = dict(counts)
    for value in values:
        family.add_metric([value], found.get(value, 0))
    return family


def _histogram(name: str, text: str, bounds: tuple[float, ...], seconds: list[float]) -> HistogramMetricFamily:
    buckets = [(f"{bound:g}", sum(value <= bound for value in seconds)) for bound in bounds]
    return HistogramMetricFamily(name, text, buckets=[*buckets, ("+Inf", len(seconds))], sum_value=sum(seconds))


def _cost(usage: Mapping[str, Any], prices: Mapping[str, float]) -> float:
    """USD of one session. What was cached costs its own price in place of that of text or audio."""
    came, went = usage.get("input_token_details"), usage.get("output_token_details")
    cached = came.get("cached_tokens_details") if isinstance(came, Mapping) else None
    text, audio = _number(cached, "text_tokens"), _number(cached, "audio_tokens")
    counts = {
        "text_in": _number(came, "text_tokens") - text,
        "audio_in": _number(came, "audio_tokens") - audio,
        "cached_in": text + audio,
        "text_out": _number(went, "text_tokens"),
        "audio_out": _number(went, "audio_tokens"),
    }
    return sum(count * prices.get(kind, 0.0) for kind, count in counts.items()) / 1e6


def _number(values: Any, name: str) -> int:
    """Usage is what another program sent: nothing about its shape is certain."""
    value = values.get(name) if isinstance(values, Mapping) else None
    return value if isinstance(value, int) else 0
