"""Somebody asked for an extension by its number: may it be rung? Looked at before the current agent is let go."""

from django.db.models import Q, QuerySet

from calls import bus
from calls.dispatch import Plan
from calls.models import AudioSession, Extension, Transfer
from calls.transfer import events as e
from calls.transfer.machine import Step
from calls.transfer.snapshot import Snapshot
from calls.transfer.states import Source, Verdict


def reachable(transfer: Transfer, number: str) -> QuerySet[Extension]:
    """The extension of this number, where it takes calls and this transfer's switch has it; else none."""
    here = Q(switch=None) | Q(switch=transfer.switch_id) if not transfer.is_trial else Q()
    return Extension.objects.filter(here, number=number, enabled=True)


def checked(result: Step, before: Snapshot, transfer: Transfer, event: e.RedirectRequested, plan: Plan) -> Step:
    """The machine's step, or a refusal in its place. An agent who asked by key is told so by the announcer."""
    refusal = _why_not(transfer, before, event.number) if result.verdict is Verdict.MOVED else ""
    if not refusal:
        return result
    if event.source == Source.KEY:
        live = transfer.audio_sessions.filter(state=AudioSession.State.LIVE, attempt__mark=before.attempt)
        for session in live.exclude(process=None):
            note = {"type": "announcer.note", "session": session.pk, "note": "redirect_refused"}
            plan.tell(bus.process_group(session.process_id), note)
    return Step(before, (), Verdict.ILLEGAL, refusal)


def _why_not(transfer: Transfer, before: Snapshot, number: str) -> str:
    extension = reachable(transfer, number).first()
    if extension is None:
        return "unknown_extension"
    if number in before.numbers:
        return "already_rung"
    if extension.claimed_by_id not in (None, transfer.pk) and not transfer.is_trial:
        return "extension_busy"
    return ""
