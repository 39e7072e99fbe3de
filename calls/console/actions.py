"""The buttons of a transfer: in which order, in which words, and why one cannot be pressed now."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from calls.rights import Rights
from calls.services.people import Action, why_not
from calls.transfer.states import State

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
    why_not: str  # "" : it can be pressed
    says_why: bool  # the first of those that the same reason forbids
    asks: Promise | str  # what is to be written beside the button


@dataclass(frozen=True)
class Menu:
    state: str
    buttons: list[Button]


def buttons(state: str) -> list[Button]:
    """In an order that never changes, for the hand's sake."""
    reasons = {action: why_not(state, action) for action in Action}
    first = {reason: action for action, reason in reversed(reasons.items())}
    return [
        Button(action.value, BUTTONS[action][0], reason, bool(reason) and first[reason] is action, ASKS.get(action, ""))
        for action, reason in reasons.items()
    ]


def menus(rights: Rights) -> list[Menu]:
    """What a page holds once, and not in each row: the buttons in each stage. None for who may not act."""
    return [Menu(state.value, buttons(state)) for state in State if state != State.ENDED] if rights.acts else []
