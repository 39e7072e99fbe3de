"""What the machine does once it is known how the hunt ended: talking, telling the caller, taking him home, ending.

See moves.py for what comes before; machine.py for which event leads where.
"""

from calls.transfer import commands as c
from calls.transfer import events as e
from calls.transfer.hunt import finish, next_agent, open_ticket, prepare_prompt, put_through
from calls.transfer.snapshot import Caller
from calls.transfer.states import AttemptOutcome, Outcome, Source, State
from calls.transfer.work import CONNECT_TRIES, HOME_TRIES, Deadline, Work


def closed(w: Work, event: e.NobodyToRing) -> None:
    """Out of hours, or an extension we do not know: the caller never leaves the secretary."""
    finish(w, Outcome.BUSY if event.busy else Outcome.UNAVAILABLE)


# ---------------------------------------------------------------- connecting, connected
def through(w: Work, event: e.PutThroughDone) -> None:
    s = w.snapshot
    if s.caller == Caller.GONE:
        w.do(c.CloseAnnouncer(s.attempt), c.CloseAttempt(s.attempt, AttemptOutcome.ACCEPTED.value, release=False))
        w.go(State.ENDED)
    elif s.caller == Caller.HOME:
        w.close_attempt(AttemptOutcome.ACCEPTED)
        w.end()
    elif s.agent_left:
        w.close_attempt(AttemptOutcome.ACCEPTED)
        w.send_home()
    else:
        w.do(c.CloseAnnouncer(s.attempt), c.CloseAttempt(s.attempt, AttemptOutcome.ACCEPTED.value, release=False))
        w.set(nets=())
        w.go(State.CONNECTED)


def not_through(w: Work, event: e.PutThroughFailed) -> None:
    """He said yes and was gone before the hook could be set; nothing else was done, so the hunt goes on."""
    if w.snapshot.caller == Caller.GONE:
        _left_before_the_talk(w)
        return
    if w.snapshot.caller == Caller.HOME:
        w.close_attempt(AttemptOutcome.ERROR, cause="CALLER_WENT_HOME")
        finish(w, Outcome.ERROR, error="caller_went_home")
        return
    w.let_agent_go()
    next_agent(w, AttemptOutcome.REJECTED, cause=event.reason[:64], reason="hung_up", by=Source.KEY)


def agent_left_connecting(w: Work, event: e.AgentLeft) -> None:
    """Before or after the hook was armed? The command's result tells: PutThroughFailed or PutThroughDone."""
    w.set(agent_left=True)


def caller_home_connecting(w: Work, event: e.CallerWentHome) -> None:
    """B's hook has fired already; the command's result closes the books."""
    if w.snapshot.caller != Caller.GONE:
        w.set(caller=Caller.HOME, agent_left=True)


def caller_left_connecting(w: Work, event: e.CallerLeft) -> None:
    """Before or after they talked? The command's result tells. B is told at once, in case it was before."""
    w.do(c.SayCallerLeft(w.snapshot.attempt))
    w.set(caller=Caller.GONE)


def _left_before_the_talk(w: Work) -> None:
    w.let_agent_go()
    w.close_attempt(AttemptOutcome.CALLER_LEFT)
    finish(w, Outcome.CALLER_LEFT)


def connect_overdue(w: Work, event: e.DeadlinePassed) -> None:
    """No answer is not a failure: the two may talk already, and only the answer was lost. So it is ordered again."""
    s = w.snapshot
    if s.connect_orders < CONNECT_TRIES and s.caller == Caller.INSIDE:
        put_through(w)
        return
    if s.caller == Caller.GONE:
        _left_before_the_talk(w)
        return
    w.let_agent_go()
    w.close_attempt(AttemptOutcome.ERROR, cause="CONNECT_LIMIT")
    finish(w, Outcome.ERROR, error="connect_timeout")


def agent_left_connected(w: Work, event: e.AgentLeft) -> None:
    """B's hook takes A home by itself; our order after a while finds him gone, or does it."""
    w.do(c.ReleaseAgents())
    w.go(State.RETURNING)
    w.arm(Deadline.HOME, 3)


def end_conversation(w: Work, event: e.EndRequested) -> None:
    """As if the agent had hung up: his hook takes the caller to the after-call destination."""
    s = w.snapshot
    w.do(c.LetGo(s.agent_uuid, s.agent_member, s.conference))
    w.go(State.RETURNING)
    w.arm(Deadline.HOME, 3)


def take_back_connected(w: Work, event: e.CancelRequested) -> None:
    """The talk took place, so it stays accepted: the caller is taken home, the agent let go by the conference."""
    s = w.snapshot
    w.send_home()  # before the agent: his hook would take A to the after-call destination
    w.do(c.LetGo(s.agent_uuid, s.agent_member, s.conference))


def talk_over(w: Work, event: e.Event) -> None:
    """The extension stays claimed until the agent's leg ends: FreeSWITCH hangs it up after the grace time."""
    w.set(caller=Caller.HOME if isinstance(event, e.CallerWentHome) else Caller.GONE)
    w.go(State.ENDED)


# ---------------------------------------------------------------- the caller leaves
def caller_left(w: Work, event: e.CallerLeft) -> None:
    """Ringing stops; an agent who is being told hears that the caller left, and FreeSWITCH hangs him up (grace)."""
    s = w.snapshot
    w.set(caller=Caller.GONE)
    if s.attempt and s.agent_member:
        w.do(c.SayCallerLeft(s.attempt), c.CloseAttempt(s.attempt, AttemptOutcome.CALLER_LEFT.value, release=False))
        w.decide(Outcome.CALLER_LEFT)
        open_ticket(w)
        w.go(State.ENDED)  # the extension is released when the agent's leg ends
        return
    if s.attempt:
        w.let_agent_go()
        w.close_attempt(AttemptOutcome.CALLER_LEFT)
    finish(w, Outcome.CALLER_LEFT)


def caller_left_informing(w: Work, event: e.CallerLeft) -> None:
    """How the hunt ended stands; he just did not wait for the number."""
    w.set(caller=Caller.GONE)
    w.do(c.ClosePrompt())
    w.end()


def caller_went_home(w: Work, event: e.CallerWentHome) -> None:
    """Not by our order: a dead man's timer fired, or somebody kicked him. He is safe; the agent is let go."""
    w.set(caller=Caller.HOME)
    w.let_agent_go()
    w.close_attempt(AttemptOutcome.ERROR, cause="CALLER_WENT_HOME")
    finish(w, Outcome.ERROR, error="caller_went_home")


def cancel_before(w: Work, event: e.CancelRequested) -> None:
    """Nothing was done to the caller yet."""
    w.decide(Outcome.CANCELLED, by=event.source)
    w.end()


def cancel(w: Work, event: e.CancelRequested) -> None:
    w.let_agent_go()
    w.close_attempt(AttemptOutcome.CANCELLED)
    w.decide(Outcome.CANCELLED, by=event.source)
    w.send_home()


# ---------------------------------------------------------------- informing, returning, ended
def ticket_opened(w: Work, event: e.TicketOpened) -> None:
    w.set(protocol=event.protocol, ticket_number=event.protocol)
    s = w.snapshot
    if s.state == State.INFORMING and not s.policy.asks_omniplay:
        prepare_prompt(w)
    elif s.state == State.RETURNING and not s.home_orders:
        w.send_home()  # it waited for the number


def ticket_numbered(w: Work, event: e.TicketNumbered) -> None:
    """OmniPlay was quick enough: the caller hears its number."""
    if w.snapshot.deadline_kind != Deadline.TICKET:
        w.note = "the prompt is already being made"
        return
    w.set(ticket_number=event.number)
    prepare_prompt(w)


def informing_overdue(w: Work, event: e.DeadlinePassed) -> None:
    if event.kind == Deadline.TICKET:
        prepare_prompt(w)
    else:
        w.do(c.ClosePrompt())
        w.send_home()


def prompt_ready(w: Work, event: e.PromptReady) -> None:
    s = w.snapshot
    w.set(prompt_url=event.url, prompt_ms=event.length_ms)
    w.do(c.StartStream("caller", s.caller_uuid, event.url, restart=bool(s.prompt_url)))


def prompt_failed(w: Work, event: e.PromptFailed) -> None:
    """He goes home without having heard the number; the variables he carries still have it."""
    w.note = event.reason
    w.do(c.ClosePrompt())
    w.send_home()


def told(w: Work, event: e.CallerTold) -> None:
    """PLAYBACK_STOP comes also when he was torn away in mid-sentence: heard only if the clip's length has passed."""
    s = w.snapshot
    if s.prompt_ms and event.played_ms >= s.prompt_ms * 0.95:
        w.set(told=True)
        if s.protocol:
            w.do(c.MarkTold())
    w.do(c.ClosePrompt())
    w.send_home()


def home(w: Work, event: e.Event) -> None:
    w.set(caller=Caller.HOME if isinstance(event, e.CallerWentHome) else Caller.GONE)
    w.end()


def home_overdue(w: Work, event: e.DeadlinePassed) -> None:
    """Order him home again; the dead man's timers stand behind us in any case."""
    if w.snapshot.home_orders < HOME_TRIES:
        w.send_home()
        return
    if not w.snapshot.error:
        w.set(error="return_not_seen")
    w.end()


def late_parked(w: Work, event: e.CallerParked) -> None:
    """He came in after we had given up on it: straight home."""
    w.note = "parked too late"
    s = w.snapshot
    w.do(c.SendHome(s.caller_uuid, s.conference, s.policy.return_to, s.nets, w.home_variables()))


def late_joined(w: Work, event: e.AgentJoined) -> None:
    """An agent nobody expects any more must not sit beside the caller."""
    w.note = "joined too late"
    w.do(c.LetGo(event.uuid, event.member_id, w.snapshot.conference))


def late_answered(w: Work, event: e.AgentAnswered) -> None:
    w.note = "answered too late"
    w.do(c.CancelDial(event.attempt))


def late_left(w: Work, event: e.AgentLeft) -> None:
    w.note = "the agent's leg is gone"
    if w.snapshot.state == State.ENDED:
        w.do(c.ReleaseAgents())
