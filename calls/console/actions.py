"""The buttons of a transfer: in which order, in which words, and why one cannot be pressed now."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from calls.models import Transfer
from calls.services.people import Action, why_not

# The word on the button, and what the second press is asked for.
BUTTONS: dict[str, tuple[Promise, Promise]] = {
    Action.ACCEPT: (pgettext_lazy("action", "Accept"), _("Put the two through now?")),
    Action.REJECT: (pgettext_lazy("action", "Reject"), _("Reject for the agent?")),
    Action.SKIP: (pgettext_lazy("action", "Next agent"), _("Let this agent go and ring the next?")),
    Action.REDIRECT: (
        pgettext_lazy("action", "Call this extension instead"),
        _("Let this agent go and ring that extension?"),
    ),
    Action.REPEAT: (pgettext_lazy("action", "Repeat the announcement"), _("Say the announcement again?")),
    Action.TAKE_BACK: (pgettext_lazy("action", "Take the caller back"), _("Take the caller back to the menu?")),
    Action.END: (pgettext_lazy("action", "End the conversation"), _("Hang up the agent?")),
}
ASKS: dict[str, Promise] = {Action.REJECT: _("reason"), Action.REDIRECT: _("extension")}
# Every word of the audit; whoever records another action adds his.
WORDS: dict[str, Promise] = {action: button for action, (button, _question) in BUTTONS.items()}


@dataclass(frozen=True)
class Button:
    action: str
    words: Promise
    question: Promise
    why_not: str  # "" : it can be pressed
    asks: Promise | str  # what is to be written beside the button


def buttons(transfer: Transfer) -> list[Button]:
    """In an order that never changes, for the hand's sake."""
    return [
        Button(action.value, *BUTTONS[action], why_not(transfer.state, action), ASKS.get(action, ""))
        for action in Action
    ]
