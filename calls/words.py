"""What people read for the words of `calls.transfer.states`, and how a caller's number is shown to whom."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from calls.transfer.states import AttemptOutcome, Outcome, Source, State

STATES: dict[str, Promise] = {
    State.REQUESTED: _("requested"),
    State.PARKING: _("waiting"),
    State.DIALLING: _("ringing"),
    State.ANNOUNCING: _("announcing"),
    State.CONNECTING: _("connecting"),
    State.CONNECTED: _("connected"),
    State.INFORMING: _("telling the ticket's number"),
    State.RETURNING: _("returning to the menu"),
    State.ENDED: _("ended"),
}
OUTCOMES: dict[str, Promise] = {
    Outcome.ACCEPTED: _("accepted"),
    Outcome.REJECTED: _("rejected"),
    Outcome.TIMEOUT: _("not decided in time"),
    Outcome.NO_ANSWER: _("no answer"),
    Outcome.BUSY: _("busy"),
    Outcome.UNAVAILABLE: _("nobody available"),
    Outcome.VOICEMAIL: _("answering machine"),
    Outcome.CALLER_LEFT: _("caller hung up"),
    Outcome.CANCELLED: _("taken back"),
    Outcome.ERROR: _("failure"),
}
ATTEMPTS: dict[str, Promise] = {
    **{each: OUTCOMES[each.value] for each in AttemptOutcome if each.value in OUTCOMES},
    AttemptOutcome.SKIPPED: _("skipped"),
}
SOURCES: dict[str, Promise] = {
    Source.VOICE: pgettext_lazy("who decided", "by voice"),
    Source.KEY: pgettext_lazy("who decided", "by key"),
    Source.CONSOLE: pgettext_lazy("who decided", "by the supervisor"),
    Source.API: pgettext_lazy("who decided", "by the secretary"),
    Source.SYSTEM: pgettext_lazy("who decided", "by the system"),
}
# What the simulated agent of a trial does; the keys are the simulator's temperaments (calls.simulator.predictions).
TEMPERAMENTS: dict[str, Promise] = {
    "accepts": pgettext_lazy("agent", "answers and says yes"),
    "interrupts": pgettext_lazy("agent", "says yes over the announcement"),
    "hesitates": pgettext_lazy("agent", "asks who it is, then says yes"),
    "presses_1": pgettext_lazy("agent", "presses 1"),
    "presses_0": pgettext_lazy("agent", "presses 0, hears it again, presses 1"),
    "holds": pgettext_lazy("agent", "puts us on hold, comes back, says yes"),
    "two_phones": pgettext_lazy("agent", "has two telephones, answers one, says yes"),
    "rejects": pgettext_lazy("agent", "says no, with a reason"),
    "asks_then_rejects": pgettext_lazy("agent", "asks who it is, then says no"),
    "redirects": pgettext_lazy("agent", "names an extension that nobody has, then says no"),
    "presses_2": pgettext_lazy("agent", "presses 2"),
    "declines": pgettext_lazy("agent", "declines while it rings"),
    "hangs_up": pgettext_lazy("agent", "hangs up in the middle of the announcement"),
    "silent": pgettext_lazy("agent", "answers and says nothing"),
    "hello_only": pgettext_lazy("agent", "says hello and nothing else"),
    "no_answer": pgettext_lazy("agent", "lets it ring"),
    "busy": pgettext_lazy("agent", "is on the telephone"),
    "not_registered": pgettext_lazy("agent", "has no telephone connected"),
    "voicemail": pgettext_lazy("agent", "is an answering machine"),
}
SHOWN_DIGITS = 4  # of a masked number: enough to recognise a caller who says who he is, too few to call him


def masked(number: str) -> str:
    """`number` for people without the permission see_numbers: its last digits, or none of a short one."""
    return "•••• " + number[-SHOWN_DIGITS:] if len(number) > 2 * SHOWN_DIGITS else "••••" if number else ""
