"""What a trial has shown, in one line: what was predicted, what happened, how long each part took."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from calls import selectors
from calls.console.times import known_seconds
from calls.models import SupervisorAction, Transfer, Trial
from calls.services.people import Action
from calls.transfer.states import State
from calls.words import OUTCOMES, TEMPERAMENTS

PROBLEMS: dict[str, Promise] = {
    "broken_off": gettext_lazy("its process ended before the call did"),
    "died": gettext_lazy("its process died"),
    "not_started": gettext_lazy("its process could not be started"),
    "no_agent": gettext_lazy("the department has no agent who takes calls"),
    "not_connected": gettext_lazy("the simulated switch was not reached"),
    "stopped": gettext_lazy("the server was stopped"),
    "too_long": gettext_lazy("it took too long"),
}


@dataclass(frozen=True)
class TrialLine:
    """`tone` and `shape` as presenter.OUTCOME_LOOKS has them; `again`: address of the form, filled in the same way."""

    trial: Trial
    verdict: str
    setting: str
    tone: str
    shape: str
    again: str


def trial_of(transfer: Transfer) -> TrialLine | None:
    """None: it is real."""
    trial = getattr(transfer, "trial", None) if transfer.is_trial else None
    return None if trial is None else trial_line(trial, transfer)


def trial_line(trial: Trial, transfer: Transfer | None) -> TrialLine:
    """`transfer`: of this trial, with its supervisor_actions at hand; None while nobody has been called."""
    return TrialLine(trial, verdict(trial, transfer), setting(trial), *_looks(trial, transfer), again(trial))


def _looks(trial: Trial, transfer: Transfer | None) -> tuple[str, str]:
    if trial.problem:
        return "fail", "△"
    if transfer is None or transfer.state != State.ENDED:
        return "mute", "○"
    as_predicted = trial.predicted in ("", transfer.outcome) or _stepped_in(transfer)
    return ("good", "✓") if as_predicted else ("fail", "△")


def verdict(trial: Trial, transfer: Transfer | None) -> str:
    """One line of words; also of a trial that broke off before anybody was called."""
    if trial.problem:
        return _("Broken off: %(problem)s.") % {"problem": PROBLEMS.get(trial.problem, trial.problem)}
    if transfer is None:
        return _("Being prepared.") if trial.ended_at is None else _("Broken off before the call.")
    if transfer.state != State.ENDED:
        return _("Under way.")
    return "; ".join([_outcome(trial, transfer), *_parts(transfer)]) + "."


def setting(trial: Trial) -> str:
    """What was tried: "First agent: answers and says yes. Then: lets it ring. Voice: simulated."."""
    sentences = [_("First agent: %(does)s.") % {"does": TEMPERAMENTS.get(trial.temperament, trial.temperament)}]
    if trial.then != trial.temperament:
        sentences.append(_("The following: %(does)s.") % {"does": TEMPERAMENTS.get(trial.then, trial.then)})
    sentences.append(_("Voice: %(voice)s.") % {"voice": trial.get_voice_display()})
    if trial.transfer and not selectors.department_is_open(trial.department, trial.began_at):
        sentences.append(_("The department was closed; a trial does not look at its hours."))
    return " ".join(sentences)


def again(trial: Trial) -> str:
    values = {
        "department": trial.department.slug, "temperament": trial.temperament, "then": trial.then,
        "voice": trial.voice, "caller_name": trial.caller_name, "summary": trial.summary,
    }  # fmt: skip
    return f"{reverse('console:trials')}?{urlencode(values)}"


def _outcome(trial: Trial, transfer: Transfer) -> str:
    words = {
        "outcome": str(OUTCOMES.get(transfer.outcome, transfer.outcome)).capitalize(),
        "predicted": OUTCOMES.get(trial.predicted, trial.predicted),
    }
    if _stepped_in(transfer):
        return _("%(outcome)s: a supervisor stepped in") % words
    if not trial.predicted:
        return _("%(outcome)s; nothing was predicted, for it depends on who is quicker") % words
    if transfer.outcome == trial.predicted:
        return _("%(outcome)s, as predicted") % words
    return _("%(outcome)s, but the prediction was: %(predicted)s") % words


def _parts(transfer: Transfer) -> list[str]:
    words = {
        "seconds_to_first_words": _("first words %(seconds)s s after the answer"),
        "seconds_to_put_through": _("put through %(seconds)s s after the decision"),
        "seconds_to_human": _("talking %(seconds)s s after the request"),
        "seconds_total": _("%(seconds)s s in all"),
    }
    return [text % {"seconds": seconds} for text, seconds in known_seconds(transfer, words)]


def _stepped_in(transfer: Transfer) -> bool:
    """By an action that changes how it ends; listening does not."""
    changes = set(Action) - {Action.REPEAT}
    actions: list[SupervisorAction] = list(transfer.supervisor_actions.all())
    return any(each.done and each.action in changes for each in actions)
