"""Trials: a department's real settings, simulated people. Who may run one, what its process tells, and its end.

There are as many trials at once as trial switches, each a row that no list, check or request for a transfer ever sees
(Switch.objects leaves them out). A trial is over when its process says so, or when that has gone silent.
"""

from datetime import timedelta

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from calls import selectors
from calls.models import Department, Switch, SwitchCommand, Transfer, Trial
from calls.services.people import record
from calls.services.transfers import NewTransfer, apply_event, create_transfer
from calls.transfer import events as e
from calls.transfer.states import State
from calls.words import TEMPERAMENTS

AT_ONCE = 2
SILENT_SECONDS = 60.0
"""Without a sign of life for so long, the process is dead; it shows one twice a second."""
TRY = "try"  # the audit's word
CALLER_NUMBER = "5511900000000"


def host_of(process_id: str) -> str:
    """Of a web process ("host:pid:random")."""
    return process_id.partition(":")[0]


def audible(process_id: str) -> Q:
    """Audio sessions that this web process can serve: a trial's simulated Realtime API listens on one machine only."""
    return Q(transfer__is_trial=False) | Q(transfer__trial__host=host_of(process_id))


def key_of(trial: Trial) -> str:
    """Of its simulated Realtime API; nobody else's."""
    return salted_hmac("calls.trial", str(trial.pk), algorithm="sha256").hexdigest()


def realtime_of(transfer: Transfer) -> tuple[str, str] | None:
    """Address and key of the simulated Realtime API of a trial; None: the one that is set up."""
    trial = getattr(transfer, "trial", None) if transfer.is_trial else None
    return (trial.realtime_url, key_of(trial)) if trial is not None and trial.realtime_url else None


# ---------------------------------------------------------------- from a page
def begin_trial(
    user: User,
    department: Department,
    host: str,
    *,
    temperament: str,
    then: str,
    voice: str,
    caller_name: str,
    summary: str,
) -> tuple[Trial | None, str]:
    """The trial, or why not, in words; recorded either way. Its process is still to be started (calls.trial.launch)."""
    end_silent_trials()
    trial, refusal = None, _why_not(department, voice)
    if not refusal:
        trial = _take_a_place(
            Trial(
                department=department, user=user, username=user.get_username(), host=host, temperament=temperament,
                then=then, voice=voice, caller_name=caller_name[:80], summary=summary[:500],
            )
        )  # fmt: skip
        if trial is None:
            refusal = _("%(count)d trials are under way already: wait until one is over.") % {"count": AT_ONCE}
    record(user, TRY, refusal=refusal, department=department, reason=str(TEMPERAMENTS.get(temperament, temperament)))
    return trial, refusal


def _why_not(department: Department, voice: str) -> str:
    if not selectors.agents_of(department).exists():
        return _("This department has no agent who takes calls: every caller would get a ticket.")
    if voice == Trial.Voice.REAL and not settings.OPENAI_API_KEY:
        return _("No Realtime API is set up.")
    return ""


def _take_a_place(trial: Trial) -> Trial | None:
    trial.began_at = trial.seen_at = timezone.now()
    for slug in (f"ensaio-{number}" for number in range(1, AT_ONCE + 1)):
        values = {"name": slug, "is_trial": True, "domain": "ensaio", "conference_profile": "default"}
        trial.switch = Switch.everything.get_or_create(slug=slug, defaults=values)[0]
        try:
            with transaction.atomic():
                trial.save(force_insert=True)
            return trial
        except IntegrityError:
            trial.pk = None  # taken
    return None


# ---------------------------------------------------------------- from its process
def trial_ready(trial: Trial, port: int, realtime_url: str, predicted: str) -> None:
    """The simulated FreeSWITCH listens at this port of the process's own machine."""
    Switch.everything.filter(pk=trial.switch_id, is_trial=True).update(
        host="127.0.0.1", port=port, connected=False, lease_holder="", lease_until=None
    )
    Trial.objects.filter(pk=trial.pk).update(realtime_url=realtime_url, predicted=predicted)


def trial_called(trial: Trial, call_uuid: str) -> Transfer:
    """The simulated caller sits in the menu: the secretary asks for the department."""
    new = NewTransfer(
        call_uuid=call_uuid,
        department=trial.department.slug,
        summary=trial.summary,
        caller_name=trial.caller_name,
        caller_number=CALLER_NUMBER,
        switch=trial.switch.slug,
        is_trial=True,
    )
    with transaction.atomic():  # no web process may look at its audio before it knows whose it is
        transfer = create_transfer(new)[0]
        Trial.objects.filter(pk=trial.pk).update(transfer=transfer)
    return transfer


def trial_lives(trial_id: int) -> str:
    """A sign of life; the state of its transfer."""
    Trial.objects.filter(pk=trial_id).update(seen_at=timezone.now())
    return Transfer.objects.filter(trial=trial_id).values_list("state", flat=True).first() or ""


def end_trial(trial_id: int, problem: str = "") -> None:
    """Its place is free. A transfer that still went on is ended: its caller was never there. May be called twice.

    `problem`: a code that calls.console.verdict has words for, or an exception's name.
    """
    trial = Trial.objects.select_related("transfer").filter(pk=trial_id).first()
    if trial is None or trial.ended_at is not None:
        return
    if trial.transfer is not None and _end_transfer(trial.transfer):
        problem = problem or "broken_off"
    SwitchCommand.objects.filter(switch=trial.switch_id, state=SwitchCommand.State.WAITING).update(
        state=SwitchCommand.State.VOID
    )
    Switch.everything.filter(pk=trial.switch_id).update(connected=False, lease_holder="", lease_until=None)
    Trial.objects.filter(pk=trial_id, ended_at=None).update(ended_at=timezone.now(), problem=problem[:200])


def end_silent_trials() -> int:
    """Those whose process is dead and whose web process was not there to notice; how many."""
    silent = timezone.now() - timedelta(seconds=SILENT_SECONDS)
    dead = list(Trial.objects.filter(ended_at=None, seen_at__lt=silent).values_list("pk", flat=True))
    for trial_id in dead:
        end_trial(trial_id, "died")
    return len(dead)


def _end_transfer(transfer: Transfer) -> bool:
    """False: it had ended by itself."""
    if transfer.state == State.ENDED:
        return False
    event: e.Event = e.CallerLeft("LOST")
    for _try in range(12):  # while they are being put through, its deadline has to pass several times first
        now = apply_event(transfer.pk, event).transfer
        if now.state == State.ENDED:
            break
        event = e.DeadlinePassed(now.memory.get("deadline_kind", ""))
    return True


atrial_ready = sync_to_async(trial_ready)
atrial_called = sync_to_async(trial_called)
atrial_lives = sync_to_async(trial_lives)
aend_trial = sync_to_async(end_trial)
