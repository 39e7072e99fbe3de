"""Everything on the page of one transfer."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from calls.console.actions import WORDS, Button, buttons
from calls.console.near import Near, near
from calls.console.presenter import TransferView, attempt_agent, reason_words, transfer_view
from calls.console.timeline import cause_words, event_words
from calls.console.times import clock, known_seconds, local
from calls.console.verdict import TrialLine, trial_of
from calls.models import SupervisorAction, Ticket, Transfer
from calls.rights import Rights
from calls.services.people import stage_of
from calls.transfer.states import Verdict
from calls.words import ATTEMPTS, SOURCES

Words = str | Promise


@dataclass(frozen=True)
class EventLine:
    at: datetime
    words: str
    stage: str  # the state it led to
    moved: bool  # late and refused events are shown among the technical ones only
    technical: str


@dataclass(frozen=True)
class AttemptLine:
    number: int
    agent: str
    outcome: Words
    cause: str
    reason: str
    started_at: datetime
    rang: str  # how long until the answer or the end, "" while it rings
    answered_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True)
class SpokenLine:
    at: datetime
    who: str
    side: str
    text: str


@dataclass(frozen=True)
class PersonLine:
    at: datetime
    who: str
    what: Words
    done: bool
    note: str  # why not
    reason: str  # the person's own words


@dataclass(frozen=True)
class TransferPage:
    row: TransferView
    facts: list[tuple[Words, Words]]
    brief: list[tuple[Words, Words]]
    events: list[EventLine]
    attempts: list[AttemptLine]
    transcript: list[SpokenLine]
    timings: list[tuple[Words, str]]
    ticket: Ticket | None
    cost: list[tuple[Words, str]]  # tokens of the Realtime API, over all its sessions
    people: list[PersonLine]
    near: Near
    buttons: list[Button]  # for who has no script; `seen`: what they are drawn for
    seen: str
    trial: TrialLine | None


def transfer_page(transfer: Transfer, rights: Rights) -> TransferPage:
    """`transfer` as from board.with_rows()."""
    marks = {attempt.mark: attempt_agent(attempt) for attempt in transfer.attempts.all()}
    return TransferPage(
        row=transfer_view(transfer, rights),
        facts=_facts(transfer),
        brief=_named((_("Summary"), transfer.summary), (_("Context"), transfer.context)),
        events=[_event(event, transfer, marks) for event in transfer.events.all()],
        attempts=[_attempt(attempt, transfer) for attempt in transfer.attempts.all()],
        transcript=[
            SpokenLine(local(each.at, transfer), each.get_who_display(), each.who, each.text)
            for each in transfer.utterances.all()
        ],
        timings=_timings(transfer),
        ticket=getattr(transfer, "ticket", None),
        cost=_cost(transfer),
        people=[_person(each, transfer) for each in transfer.supervisor_actions.all()],
        near=near(transfer, rights),
        buttons=buttons(transfer.state),
        seen=f"?v={transfer.version}&stage={stage_of(transfer)}",
        trial=trial_of(transfer),
    )


def _facts(transfer: Transfer) -> list[tuple[Words, Words]]:
    return _named(
        (_("Asked for by"), transfer.client.name if transfer.client else ""),
        (_("Extension asked for"), transfer.destination),
        (_("Decided"), SOURCES.get(transfer.decided_by, "")),
        (_("Reason"), reason_words(transfer.reason)),
        (_("Failure"), transfer.error),
        (_("Call"), transfer.caller_uuid),
        (_("Transfer"), transfer.short_id),
    )


def _named(*pairs: tuple[Words, Words]) -> list[tuple[Words, Words]]:
    """Those that have a value."""
    return [(label, value) for label, value in pairs if value]


def _event(event, transfer: Transfer, marks: dict[str, str]) -> EventLine:
    changed = f"{event.from_state} → {event.to_state}" if event.from_state != event.to_state else event.to_state
    detail = ", ".join(f"{name}={value}" for name, value in event.detail.items())
    return EventLine(
        at=local(event.at, transfer),
        words=event_words(event, marks),
        stage=event.to_state if event.from_state != event.to_state else "",
        moved=event.verdict == Verdict.MOVED,
        technical=" · ".join(filter(None, (event.event, changed, event.verdict, event.source, event.by, detail))),
    )


def _attempt(attempt, transfer: Transfer) -> AttemptLine:
    until = attempt.answered_at or attempt.ended_at
    return AttemptLine(
        number=attempt.number,
        agent=attempt_agent(attempt),
        outcome=ATTEMPTS.get(attempt.outcome, ""),
        cause=cause_words(attempt.cause),
        reason=reason_words(attempt.reason),
        started_at=local(attempt.started_at, transfer),
        rang=clock(until - attempt.started_at) if until else "",
        answered_at=local(attempt.answered_at, transfer),
        ended_at=local(attempt.ended_at, transfer),
    )


def _timings(transfer: Transfer) -> list[tuple[Words, str]]:
    labels = {
        "seconds_to_human": _("From the request to the conversation"),
        "seconds_to_first_words": _("From the agent's answer to the first words"),
        "seconds_to_put_through": _("From the decision to the conversation"),
        "seconds_total": _("The whole transfer"),
    }
    return [(label, _("%(seconds)s s") % {"seconds": seconds}) for label, seconds in known_seconds(transfer, labels)]


def _person(line: SupervisorAction, transfer: Transfer) -> PersonLine:
    what = WORDS.get(line.action, line.action)
    return PersonLine(local(line.at, transfer), line.username, what, line.done, line.note, line.reason)


def _cost(transfer: Transfer) -> list[tuple[Words, str]]:
    """The numbers of `response.done`, added up; nothing where no session had any, or where all was simulated."""
    if transfer.is_trial and getattr(transfer, "trial", None) and transfer.trial.realtime_url:
        return []
    total: dict[str, int] = {}
    for session in transfer.audio_sessions.all():
        for name, number in session.usage.items():
            if isinstance(number, int):
                total[name] = total.get(name, 0) + number
    labels = {
        "input_tokens": _("Tokens heard and read"),
        "output_tokens": _("Tokens spoken and written"),
        "total_tokens": _("Tokens together"),
    }
    return [
        (label, number_format(total[name], 0, force_grouping=True)) for name, label in labels.items() if total.get(name)
    ]
