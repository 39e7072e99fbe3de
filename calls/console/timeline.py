"""The log of a transfer in words that a supervisor understands."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from calls.models import TransferEvent
from calls.words import SOURCES

EVENTS: dict[str, Promise] = {
    "CallerParked": gettext_lazy("The caller waits in the conference"),
    "ParkFailed": gettext_lazy("The caller could not be taken out of the secretary's call"),
    "CallerLeft": gettext_lazy("The caller hung up"),
    "CallerWentHome": gettext_lazy("The caller is back in the menu"),
    "CallerTold": gettext_lazy("The message to the caller is over"),
    "PromptReady": gettext_lazy("The message to the caller is ready"),
    "PromptFailed": gettext_lazy("The caller could not be told"),
    "AgentClaimed": gettext_lazy("%(agent)s is chosen"),
    "NobodyToRing": gettext_lazy("Nobody is there to be rung"),
    "AgentRinging": gettext_lazy("The telephone of %(agent)s rings"),
    "AgentAnswered": gettext_lazy("%(agent)s answers"),
    "AgentJoined": gettext_lazy("%(agent)s is in the conference"),
    "DialFailed": gettext_lazy("%(agent)s was not reached (%(cause)s)"),
    "AgentLeft": gettext_lazy("%(agent)s hung up"),
    "AgentHeld": gettext_lazy("%(agent)s puts us on hold"),
    "AgentUnheld": gettext_lazy("%(agent)s is back from hold"),
    "AnnouncerReady": gettext_lazy("The announcer is ready"),
    "AnnouncerLost": gettext_lazy("The announcer's audio broke off"),
    "AnnouncementStarted": gettext_lazy("The announcement begins"),
    "AnnouncementEnded": gettext_lazy("The announcement is over; %(agent)s decides"),
    "PutThroughDone": gettext_lazy("Caller and %(agent)s talk"),
    "PutThroughFailed": gettext_lazy("Caller and %(agent)s could not be put through"),
    "TicketOpened": gettext_lazy("A ticket is opened"),
    "TicketNumbered": gettext_lazy("OmniPlay has given the ticket its number"),
    "RepeatRequested": gettext_lazy("The announcement is repeated (%(source)s)"),
    "RedirectRequested": gettext_lazy("Another extension is asked for (%(source)s)"),
    "EndRequested": gettext_lazy("The conversation is ended (%(source)s)"),
    "SkipRequested": gettext_lazy("The next agent is asked for (%(source)s)"),
    "CancelRequested": gettext_lazy("The caller is taken back (%(source)s)"),
}
CHOICES: dict[str, Promise] = {
    "accept": gettext_lazy("%(agent)s accepts (%(source)s)"),
    "reject": gettext_lazy("%(agent)s rejects (%(source)s)"),
    "voicemail": gettext_lazy("An answering machine took the call of %(agent)s"),
}
DEADLINES: dict[str, Promise] = {
    "start": gettext_lazy("The transfer begins"),
    "park": gettext_lazy("The caller did not arrive in the conference in time"),
    "ring": gettext_lazy("%(agent)s did not answer in time"),
    "join": gettext_lazy("%(agent)s did not arrive in the conference in time"),
    "announcer": gettext_lazy("The announcer was not ready in time"),
    "announce": gettext_lazy("The time for the announcement is over"),
    "decision": gettext_lazy("%(agent)s did not decide in time"),
    "connect": gettext_lazy("Putting through took too long"),
    "ticket": gettext_lazy("OmniPlay has not answered yet; our own number is told"),
    "prompt": gettext_lazy("The message to the caller took too long"),
    "home": gettext_lazy("The caller's return was not seen in time"),
}
CAUSES: dict[str, Promise] = {
    "USER_BUSY": pgettext_lazy("cause", "busy"),
    "ON_ANOTHER_CALL": pgettext_lazy("cause", "on another call"),
    "NO_ANSWER": pgettext_lazy("cause", "no answer"),
    "NO_USER_RESPONSE": pgettext_lazy("cause", "the telephone does not respond"),
    "USER_NOT_REGISTERED": pgettext_lazy("cause", "the telephone is not registered"),
    "SUBSCRIBER_ABSENT": pgettext_lazy("cause", "the telephone is not registered"),
    "CALL_REJECTED": pgettext_lazy("cause", "declined on the telephone"),
    "UNALLOCATED_NUMBER": pgettext_lazy("cause", "unknown extension"),
    "ORIGINATOR_CANCEL": pgettext_lazy("cause", "cancelled by us"),
    "NORMAL_CLEARING": pgettext_lazy("cause", "hung up"),
    "LOST": pgettext_lazy("cause", "the switch lost track of it"),
}


def cause_words(cause: str) -> str:
    """FreeSWITCH's cause in words; one we have none for stays as it is."""
    return str(CAUSES.get(cause, cause))


def event_words(event: TransferEvent, agents: Mapping[str, str]) -> str:
    """The sentence of one event. `agents`: the agent's name by the attempt's mark."""
    detail = event.detail
    if event.event == "DecisionMade":
        template = CHOICES.get(detail.get("choice", ""))
    elif event.event == "DeadlinePassed":
        template = DEADLINES.get(detail.get("kind", ""))
    else:
        template = EVENTS.get(event.event)
    if template is None:
        return event.event
    source = str(SOURCES.get(event.source, event.source))
    if event.by:
        source = f"{source}: {event.by}" if source else event.by
    return str(template) % {
        "agent": agents.get(detail.get("attempt", "")) or _("the agent"),
        "cause": cause_words(detail.get("cause", "")) or _("unknown"),
        "source": source or _("unknown"),
    }
