"""The machine's refusals in words that a person reads."""

from django.utils.translation import gettext_lazy as _

REASONS = {
    "too_early": _("The transfer is just beginning; try again in a moment."),
    "already_over": _("The transfer is already over."),
    "already_returning": _("The caller is already on the way back to the menu."),
    "being_connected": _("The agent has just accepted; the two are being connected."),
    "already_talking": _("Caller and agent are already talking."),
    "not_talking": _("Caller and agent do not talk yet."),
    "nobody_answered_yet": _("No agent has answered yet."),
    "unknown_extension": _("No extension in use has this number."),
    "already_rung": _("This extension is the one being called now."),
    "extension_busy": _("This extension is in another transfer just now."),
    "not_ordered": _("Nobody asked for this."),
}


def words(code: str) -> str:
    """The sentence of a code; a note of the machine (English, for the log) passes unchanged."""
    return str(REASONS.get(code, code))
