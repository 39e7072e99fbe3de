"""What the machine asked for and the database can do by itself: claims, attempts, tickets, audio sessions, outbox."""

import uuid
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime

from django.db.models import Q
from django.utils.crypto import get_random_string

from calls import bus
from calls.dispatch import Plan
from calls.models import (
    Attempt,
    AudioSession,
    Department,
    Extension,
    SwitchCommand,
    Ticket,
    Transfer,
)
from calls.selectors import agents_of
from calls.services import redirects, statements
from calls.transfer import commands as c
from calls.transfer import events as e
from calls.transfer.snapshot import Snapshot
from calls.voice import script

_NOTES = {c.RepeatAnnouncement: "repeat", c.SayCallerLeft: "caller_left", c.CloseAnnouncer: "close"}


def carry_out(transfer: Transfer, snapshot: Snapshot, command: c.Command, plan: Plan, now: datetime) -> e.Event | None:
    """Do one command inside the step's transaction; some are answered by an event that is stepped at once."""
    if isinstance(command, c.SwitchCommand):
        _outbox(transfer, command, plan, now)
    elif isinstance(command, c.AnnouncerNote):
        _note(transfer, command, plan)
    elif isinstance(command, c.ClaimAgent):
        return _claim_agents(transfer, now, command.number)
    elif isinstance(command, c.CloseAttempt):
        Attempt.objects.filter(mark=command.attempt).update(
            outcome=command.outcome, cause=command.cause[:64], reason=command.reason[:300], ended_at=now
        )
        if command.release:
            release(transfer)
    elif isinstance(command, c.ReleaseAgents):
        release(transfer)
    elif isinstance(command, c.OpenTicket):
        return _open_ticket(transfer, plan, now)
    elif isinstance(command, c.PrepareAnnouncer):
        attempt = Attempt.objects.select_related("extension").get(mark=command.attempt)
        _audio_session(transfer, AudioSession.Leg.AGENT, attempt, _announcement_brief(transfer, attempt), plan, now)
    elif isinstance(command, c.PreparePrompt):
        _audio_session(transfer, AudioSession.Leg.CALLER, None, _prompt_brief(transfer, command), plan, now)
    elif isinstance(command, c.MarkTold):
        Ticket.objects.filter(transfer=transfer).update(told=True)
    return None


# ---------------------------------------------------------------- agents
def _claim_agents(transfer: Transfer, now: datetime, wanted: str) -> e.Event:
    """One agent, one offer: a conditional UPDATE of the extension decides who of two transfers gets it.

    A trial's agents are simulated: their real telephones stay free for real callers, and keep their turns.
    """
    candidates = [*redirects.reachable(transfer, wanted), *_candidates(transfer)]
    ring_all = transfer.department.strategy == Department.Strategy.RING_ALL and not (transfer.destination or wanted)
    claimed: list[Extension] = []
    for extension in sorted(candidates, key=lambda x: x.pk) if ring_all else candidates:
        # ring-all claims in one order everywhere, so that two such transfers cannot wait for each other
        free = Extension.objects.filter(pk=extension.pk, claimed_by=None)
        if transfer.is_trial or free.update(claimed_by=transfer, claimed_at=now):
            claimed.append(extension)
            if not ring_all:
                break
    if not claimed:
        return e.NobodyToRing(busy=bool(candidates))
    number = transfer.attempts.count() + 1
    turns = transfer.department.strategy == Department.Strategy.ROUND_ROBIN and not transfer.is_trial
    if number == 1 and turns:
        Department.objects.filter(pk=transfer.department_id).update(last_first=claimed[0])
    attempt = Attempt.objects.create(
        transfer=transfer,
        number=number,
        mark=uuid.uuid4().hex[:16],
        numbers=[extension.number for extension in claimed],
        extension=claimed[0] if len(claimed) == 1 else None,
        started_at=now,
    )
    return e.AgentClaimed(attempt.mark, tuple(attempt.numbers), str(uuid.uuid4()))


def _candidates(transfer: Transfer) -> list[Extension]:
    """Who may be rung next, in order: enabled, reachable from this switch, not yet tried by this transfer."""
    if transfer.destination:
        agents = list(redirects.reachable(transfer, transfer.destination))
    else:
        agents = list(agents_of(transfer.department, transfer.switch))
    tried: set[str] = set()
    for attempt in transfer.attempts.select_related("extension"):
        # of a fork only the one who answered is not rung again
        tried.update([attempt.extension.number] if attempt.extension else [])
    agents = [agent for agent in agents if agent.number not in tried]
    if transfer.department.strategy == Department.Strategy.ROUND_ROBIN:
        last = transfer.department.last_first_id
        position = next((i for i, agent in enumerate(agents) if agent.pk == last), None)
        if position is not None:
            agents = agents[position + 1 :] + agents[: position + 1]
    return agents


def answered_by(transfer: Transfer, event: e.AgentJoined, snapshot: Snapshot) -> None:
    """The winner of a fork: his extension stays claimed, the others are free."""
    number = event.number or (snapshot.numbers[0] if len(snapshot.numbers) == 1 else "")
    extension = Extension.objects.filter(number=number).first() if number else None
    if extension is None:
        return
    transfer.agent = extension
    if len(snapshot.numbers) > 1:
        Attempt.objects.filter(mark=event.attempt).update(extension=extension)
        Extension.objects.filter(claimed_by=transfer).exclude(pk=extension.pk).update(claimed_by=None, claimed_at=None)


def release(transfer: Transfer) -> None:
    Extension.objects.filter(claimed_by=transfer).update(claimed_by=None, claimed_at=None)


# ---------------------------------------------------------------- tickets
def _open_ticket(transfer: Transfer, plan: Plan, now: datetime) -> e.Event:
    """Our record first. Ten digits: the date, and four drawn at random, so that nobody counts our tickets."""
    ticket = Ticket.objects.filter(transfer=transfer).first()
    while ticket is None:
        protocol = f"{now:%y%m%d}{get_random_string(4, '0123456789')}"
        if not Ticket.objects.filter(protocol=protocol).exists():
            state = Ticket.State.PENDING if snapshot_asks_omniplay(transfer) else Ticket.State.LOCAL
            ticket = Ticket.objects.create(transfer=transfer, protocol=protocol, state=state, created_at=now)
    if ticket.state == Ticket.State.PENDING:
        plan.job("calls.jobs.deliver_ticket", ticket.protocol)
    return e.TicketOpened(ticket.protocol)


def snapshot_asks_omniplay(transfer: Transfer) -> bool:
    return bool(transfer.memory.get("policy", {}).get("asks_omniplay"))


# ---------------------------------------------------------------- audio
def _audio_session(
    transfer: Transfer, leg: str, attempt: Attempt | None, brief: dict, plan: Plan, now: datetime
) -> None:
    # The one before is over; left open, the death of its process would be told a second time, of the new one.
    before = AudioSession.objects.filter(transfer=transfer, attempt=attempt, leg=leg)
    before.exclude(state=AudioSession.State.CLOSED).update(state=AudioSession.State.CLOSED, closed_at=now)
    AudioSession.objects.create(transfer=transfer, attempt=attempt, leg=leg, brief=brief, created_at=now)
    plan.tell(bus.AUDIO, {"type": "audio.wake"})


def _announcement_brief(transfer: Transfer, attempt: Attempt) -> dict:
    """All that the model is ever told. The caller's words in it are data; calls.voice.script marks them so."""
    department = transfer.department
    spoken = script.spell(transfer.caller_number, department.language)
    agent = attempt.extension.name if attempt.extension else ""
    text = _filled(
        department.instructions,
        lambda template: script.announcement_text(
            template,
            department.language,
            caller=transfer.caller_name,
            number=spoken,
            department=department.name,
            summary=transfer.summary,
            agent=agent,
        ),
    )
    text = _filled(department.agent_notice, lambda notice: script.noticed(notice, text))
    return {
        "kind": "announcement",
        "department": department.name,
        "department_slug": department.slug,
        "agent_name": agent,
        "caller_name": transfer.caller_name,
        "caller_number_spoken": spoken,
        "summary": transfer.summary,
        "context": transfer.context,
        "voice": department.voice,
        "language": department.language,
        "decision_seconds": transfer.memory.get("policy", {}).get("decision_seconds", 15),
        "announcement_text": text,
        "prepare": department.prepare_announcement,
        "waits_for_hello": department.waits_for_hello,
    }


def _prompt_brief(transfer: Transfer, command: c.PreparePrompt) -> dict:
    department = transfer.department
    if command.number:
        text = _filled(
            department.ticket_text,
            lambda template: script.ticket_text(template, department.language, command.number),
        )
    else:
        text = _filled(department.no_ticket_text, lambda template: script.no_ticket_text(template, department.language))
    return {
        "kind": "prompt",
        "text": _filled(department.caller_notice, lambda notice: script.noticed(notice, text)),
        "number": command.number,
        "voice": department.voice,
        "language": department.language,
    }


def _filled(template: str, render: Callable[[str], str]) -> str:
    """The department's text, or ours where its template cannot be rendered: no caller waits for somebody to mend it."""
    try:
        return render(template)
    except script.TemplateError:
        return render("")


# ---------------------------------------------------------------- to other processes
def _outbox(transfer: Transfer, command: c.SwitchCommand, plan: Plan, now: datetime) -> None:
    statements.insert(
        SwitchCommand(
            transfer=transfer,
            switch_id=transfer.switch_id,
            kind=type(command).__name__,
            arguments=asdict(command),
            created_at=now,
        )
    )
    plan.tell(bus.switch_group(transfer.switch_slug), {"type": "outbox.wake"})


def _note(transfer: Transfer, command: c.AnnouncerNote, plan: Plan) -> None:
    """To the process that holds the audio. Sessions nobody holds yet are closed here and now."""
    if isinstance(command, c.ClosePrompt):
        sessions = transfer.audio_sessions.filter(leg=AudioSession.Leg.CALLER)
        note = "close"
    else:
        sessions = transfer.audio_sessions.filter(attempt__mark=command.attempt)  # type: ignore[attr-defined]
        note = _NOTES[type(command)]
    if note == "close":
        sessions.filter(state=AudioSession.State.OPEN).update(state=AudioSession.State.CLOSED)
    for session in sessions.filter(~Q(state=AudioSession.State.CLOSED), process__isnull=False):
        plan.tell(
            bus.process_group(session.process_id), {"type": "announcer.note", "session": session.pk, "note": note}
        )
