"""How a hunt goes on or comes to its end: the next agent, a talk, or ticket, prompt and the way home.

Shared by the moves on both sides of the decision; see machine.py for the table.
"""

from calls.transfer import commands as c
from calls.transfer.snapshot import Caller
from calls.transfer.states import AttemptOutcome, Outcome, Source, State
from calls.transfer.work import CONNECT_LIMIT, PROMPT_LIMIT, SHORTEST_RING, Deadline, Work


def next_agent(
    w: Work, ended: AttemptOutcome, *, cause: str = "", reason: str = "", by: Source | None = None, number: str = ""
) -> None:
    """The attempt is over: ring the next one where limits allow, else finish with this attempt's outcome.

    `number`: somebody asked for this extension; that is one attempt more, whatever their limit, but no longer wait.
    """
    s = w.snapshot
    w.close_attempt(ended, cause=cause, reason=reason)
    outcome = Outcome.NO_ANSWER if ended == AttemptOutcome.SKIPPED else Outcome(ended.value)
    w.decide(outcome, by=by, reason=reason, error=cause if ended == AttemptOutcome.ERROR else "")
    time_left = s.wait_until is None or (s.wait_until - w.now).total_seconds() >= min(
        SHORTEST_RING, s.policy.ring_seconds
    )
    if (number or s.attempts_made < s.policy.max_attempts) and time_left:
        # Answered at once, in this very state: AgentClaimed dials, NobodyToRing ends with the outcome decided here.
        w.do(c.ClaimAgent(number))
    else:
        finish(w, None)


def finish(w: Work, outcome: Outcome | None, *, error: str = "", by: Source | None = None) -> None:
    """Nobody took the call (None: the outcome stands already): ticket by the department's rule, tell, take home."""
    if outcome is not None:
        w.decide(outcome, error=error, by=by)
    s = w.snapshot
    inside = s.caller == Caller.INSIDE
    ticket = open_ticket(w)
    if not inside:
        w.end()  # gone, home, or never ours (a closed department): there is nobody to play a prompt to
    elif ticket:
        w.go(State.INFORMING)
        w.net("inform", s.policy.ticket_wait_seconds + PROMPT_LIMIT)
        w.arm(Deadline.TICKET, s.policy.ticket_wait_seconds)
    elif s.policy.tells_without_ticket and s.outcome not in (Outcome.CANCELLED, Outcome.ACCEPTED):
        w.go(State.INFORMING)
        w.net("inform", PROMPT_LIMIT)
        prepare_prompt(w)
    else:
        w.send_home()


def open_ticket(w: Work) -> bool:
    """A ticket, if the department's rule asks for one; answered at once, in the state we are then in: TicketOpened."""
    s = w.snapshot
    if s.outcome is None or s.outcome not in s.policy.ticket_on or s.protocol:
        return False
    w.do(c.OpenTicket(s.outcome.value))
    return True


def put_through(w: Work) -> None:
    s = w.snapshot
    w.do(
        c.PutThrough(
            attempt=s.attempt,
            caller=s.caller_uuid,
            agent=s.agent_uuid,
            agent_member=s.agent_member,
            conference=s.conference,
            after_call_to=s.policy.after_call_to or s.policy.return_to,
            disarm=s.nets,
            variables=w.home_variables(),
        )
    )
    w.set(connect_orders=s.connect_orders + 1)
    w.arm(Deadline.CONNECT, CONNECT_LIMIT)


def prepare_prompt(w: Work) -> None:
    s = w.snapshot
    w.do(c.PreparePrompt(s.ticket_number, s.outcome.value if s.outcome else ""))
    w.arm(Deadline.PROMPT, PROMPT_LIMIT)
