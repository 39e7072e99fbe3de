"""What the machine does, up to the moment an agent decides: parking, hunting, announcing.

Each function is one entry of the table in machine.py: it gets the scratch pad and the event, and may move the state
only to the ones its rule names. After the decision: moves_after.py.
"""

from datetime import timedelta

from calls.transfer import commands as c
from calls.transfer import events as e
from calls.transfer.hunt import finish, next_agent, open_ticket, put_through
from calls.transfer.snapshot import Announcer, Caller
from calls.transfer.states import AttemptOutcome, Outcome, Source, State
from calls.transfer.work import (
    ANNOUNCER_LIMIT,
    ANNOUNCER_TRIES,
    HOME_LIMIT,
    JOIN_LIMIT,
    PARK_LIMIT,
    PARK_NET,
    RING_MARGIN,
    Deadline,
    Work,
)

# FreeSWITCH's word for why nobody answered -> how the attempt ended. Any other word: nobody could be rung.
CAUSES = {
    "USER_BUSY": AttemptOutcome.BUSY,
    "ON_ANOTHER_CALL": AttemptOutcome.BUSY,  # ours: `show channels` had the extension
    "NO_ANSWER": AttemptOutcome.NO_ANSWER,
    "NO_USER_RESPONSE": AttemptOutcome.NO_ANSWER,
    "ALLOTTED_TIMEOUT": AttemptOutcome.NO_ANSWER,
    "PROGRESS_TIMEOUT": AttemptOutcome.NO_ANSWER,
    "ORIGINATOR_CANCEL": AttemptOutcome.NO_ANSWER,
    "CALL_REJECTED": AttemptOutcome.REJECTED,  # the decline button
    "LOST": AttemptOutcome.ERROR,  # ours: the switch process died while dialling
}


# ---------------------------------------------------------------- requested, parking
def start(w: Work, event: e.Event) -> None:
    s = w.snapshot
    w.go(State.PARKING)
    w.do(
        c.Park(
            caller=s.caller_uuid,
            conference=s.conference,
            profile=s.policy.profile,
            return_to=s.policy.return_to,
            net_seconds=PARK_NET,
            allow_bridged=s.policy.allow_bridged,
            variables={"transferhub_id": s.short_id, **w.home_variables()},
        )
    )
    w.set(nets=("park",))
    w.arm(Deadline.PARK, PARK_LIMIT)


def parked(w: Work, event: e.CallerParked) -> None:
    s = w.snapshot
    w.set(caller=Caller.INSIDE, wait_until=w.now + timedelta(seconds=s.policy.total_seconds))
    w.go(State.DIALLING)
    w.net("dial", s.policy.ring_seconds + RING_MARGIN)
    if s.policy.caller_hears_music:
        w.do(c.HoldCaller(s.caller_uuid, s.conference, s.policy.hold_music))
    w.do(c.ClaimAgent())


def park_failed(w: Work, event: e.ParkFailed) -> None:
    """The caller is still the secretary's."""
    if event.reason == "no_such_call":
        w.set(caller=Caller.GONE)
        finish(w, Outcome.CALLER_LEFT)
    else:
        finish(w, Outcome.ERROR, error=event.reason)


def park_overdue(w: Work, event: e.DeadlinePassed) -> None:
    """Our order finds the caller inside, on his way home by the net, or where he was."""
    w.decide(Outcome.ERROR, error="park_timeout")
    if not open_ticket(w):
        w.send_home()
        return
    w.go(State.RETURNING)  # by the ticket's number, which he takes with him
    w.arm(Deadline.HOME, HOME_LIMIT)


# ---------------------------------------------------------------- dialling
def claimed(w: Work, event: e.AgentClaimed) -> None:
    s = w.snapshot
    left = (s.wait_until - w.now).total_seconds() if s.wait_until else s.policy.ring_seconds
    ring = max(1, round(min(s.policy.ring_seconds, left)))
    w.go(State.DIALLING)
    w.set(
        attempts_made=s.attempts_made + 1,
        attempt=event.attempt,
        numbers=event.numbers,
        announcer=Announcer.PREPARING,
        outcome=None, decision=None, decided_by=None, reason="", error="",  # the last attempt's, which no longer counts
    )  # fmt: skip
    if s.attempts_made:  # the first attempt is covered by the net of parked()
        w.net("dial", ring + RING_MARGIN)
    w.do(
        c.PrepareAnnouncer(event.attempt),
        c.Dial(
            attempt=event.attempt,
            job_uuid=event.job_uuid,
            numbers=event.numbers,
            domain=s.policy.domain,
            conference=s.conference,
            profile=s.policy.profile,
            ring_seconds=ring,
            caller_number=s.policy.caller_number,
            call_waiting=s.policy.call_waiting,
        ),
    )
    w.arm(Deadline.RING, ring + RING_MARGIN)


def nobody(w: Work, event: e.NobodyToRing) -> None:
    """The first time: nobody can be rung at all. Later: the last attempt's outcome stands (kept in `outcome`)."""
    if w.snapshot.outcome is None:
        w.decide(Outcome.BUSY if event.busy else Outcome.UNAVAILABLE)
    finish(w, None)


def ringing(w: Work, event: e.AgentRinging) -> None:
    w.note = "ringing"


def answered(w: Work, event: e.AgentAnswered) -> None:
    w.set(agent_uuid=event.uuid)
    w.arm(Deadline.JOIN, JOIN_LIMIT)


def joined(w: Work, event: e.AgentJoined) -> None:
    s = w.snapshot
    w.set(
        agent_uuid=event.uuid,
        agent_member=event.member_id,
        numbers=(event.number,) if event.number else s.numbers,
        decide_until=w.now + timedelta(seconds=s.policy.announce_seconds),
    )
    w.go(State.ANNOUNCING)
    w.net("announce", s.policy.announce_seconds)
    if s.announcer == Announcer.READY:
        _stream(w)
    else:
        w.arm(Deadline.ANNOUNCER, ANNOUNCER_LIMIT)


def dial_failed(w: Work, event: e.DialFailed) -> None:
    ended = CAUSES.get(event.cause, AttemptOutcome.UNAVAILABLE)
    declined = ended == AttemptOutcome.REJECTED
    next_agent(w, ended, cause=event.cause, reason="declined" if declined else "", by=Source.KEY if declined else None)


def ring_overdue(w: Work, event: e.DeadlinePassed) -> None:
    w.let_agent_go()
    next_agent(w, AttemptOutcome.NO_ANSWER, cause="RING_LIMIT")


def left_before_joining(w: Work, event: e.AgentLeft) -> None:
    """He answered and was gone before the conference had him."""
    if event.uuid != w.snapshot.agent_uuid:
        w.note = "another leg of the fork"
        return
    next_agent(w, AttemptOutcome.NO_ANSWER, cause=event.cause)


def skip(w: Work, event: e.SkipRequested) -> None:
    w.let_agent_go()
    next_agent(w, AttemptOutcome.SKIPPED, by=Source.CONSOLE)


def redirect(w: Work, event: e.RedirectRequested) -> None:
    """Somebody else is to be rung: the agent's own wish is a no of his, a supervisor's passes him over."""
    w.let_agent_go()
    if event.source == Source.CONSOLE:
        next_agent(w, AttemptOutcome.SKIPPED, by=event.source, number=event.number)
    else:
        next_agent(w, AttemptOutcome.REJECTED, reason="redirected", by=event.source, number=event.number)


# ---------------------------------------------------------------- announcing
def announcer_ready(w: Work, event: e.AnnouncerReady) -> None:
    s = w.snapshot
    again = s.announcer == Announcer.STREAMING  # its process died: another one begins again
    w.set(announcer=Announcer.READY, announcer_url=event.url)
    if s.state == State.ANNOUNCING:
        _stream(w, restart=again or s.announcer_losses > 0)


def announcer_lost(w: Work, event: e.AnnouncerLost) -> None:
    s = w.snapshot
    losses = s.announcer_losses + 1
    w.set(announcer_losses=losses)
    if losses < ANNOUNCER_TRIES:
        w.set(announcer=Announcer.PREPARING, announcer_url="")
        w.do(c.PrepareAnnouncer(s.attempt))
        if s.state == State.ANNOUNCING:
            w.arm(Deadline.ANNOUNCER, ANNOUNCER_LIMIT)
        return
    if s.state == State.DIALLING:
        w.set(announcer=Announcer.NONE)  # the telephone may ring on; joined without an announcer ends below
        return
    _give_up_announcing(w, event.reason)


def _give_up_announcing(w: Work, reason: str) -> None:
    """The agent cannot be spoken to: another agent could not either."""
    w.let_agent_go()
    w.close_attempt(AttemptOutcome.ERROR, cause=reason[:64])
    finish(w, Outcome.ERROR, error=reason)


def announcement_started(w: Work, event: e.AnnouncementStarted) -> None:
    """First words; or the announcer answers a question: the time to decide begins anew when he has finished."""
    if w.snapshot.announcement_over:
        w.set(announcement_over=False)
        _whole_limit(w)


def announcement_ended(w: Work, event: e.AnnouncementEnded) -> None:
    w.set(announcement_over=True)
    if not w.snapshot.agent_held:
        _time_to_decide(w)


def agent_held(w: Work, event: e.AgentHeld) -> None:
    """His own hold stops the time to decide, not the limit of the whole."""
    w.set(agent_held=True)
    _whole_limit(w)


def agent_unheld(w: Work, event: e.AgentUnheld) -> None:
    w.set(agent_held=False)
    if w.snapshot.announcement_over:
        _time_to_decide(w)


def repeat(w: Work, event: e.RepeatRequested) -> None:
    w.set(announcement_over=False)
    _whole_limit(w)
    w.do(c.RepeatAnnouncement(w.snapshot.attempt))


def decided(w: Work, event: e.DecisionMade) -> None:
    reason = event.reason[:300]
    if event.choice == e.Choice.ACCEPT:
        w.decide(Outcome.ACCEPTED, by=event.source)
        w.go(State.CONNECTING)
        w.set(connect_orders=0)
        put_through(w)
        return
    w.let_agent_go()
    if event.choice == e.Choice.REJECT:
        next_agent(w, AttemptOutcome.REJECTED, reason=reason, by=event.source)
    else:
        next_agent(w, AttemptOutcome.VOICEMAIL, reason=reason)


def decision_overdue(w: Work, event: e.DeadlinePassed) -> None:
    if event.kind == Deadline.ANNOUNCER:
        _give_up_announcing(w, "no_announcer")
        return
    w.let_agent_go()
    next_agent(w, AttemptOutcome.TIMEOUT)


def left_announcing(w: Work, event: e.AgentLeft) -> None:
    """Hanging up on the announcement is a no."""
    next_agent(w, AttemptOutcome.REJECTED, cause=event.cause, reason="hung_up", by=Source.KEY)


def _stream(w: Work, restart: bool = False) -> None:
    s = w.snapshot
    w.set(announcer=Announcer.STREAMING)
    w.do(c.StartStream("agent", s.agent_uuid, s.announcer_url, s.attempt, restart, s.conference, s.agent_member))
    _whole_limit(w)


def _time_to_decide(w: Work) -> None:
    """From the end of the announcement, but never past the limit of the whole."""
    s = w.snapshot
    left = (s.decide_until - w.now).total_seconds() if s.decide_until else s.policy.decision_seconds
    w.arm(Deadline.DECISION, max(0.0, min(s.policy.decision_seconds, left)))


def _whole_limit(w: Work) -> None:
    s = w.snapshot
    w.set(deadline=s.decide_until, deadline_kind=Deadline.ANNOUNCE)
