"""Our side of the model: the database, the one door, and the switch process with its memory that dies with it.

The decisions are the product's own code: machine.step, interpret and Index, the wording and its scripts, replay and
reconcile. Only what carries them between a socket and a database is done by hand here, one write or one line a call,
so that the explorer can stop the world between any two of them.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from calls.switch import resync, wording
from calls.switch.index import Index
from calls.switch.interpret import Apply, BroadcastClip, interpret
from calls.switch.scripts import Ran, decode, out_of_date, result_event, run
from calls.switch.sweep import leftovers
from calls.transfer import commands as c
from calls.transfer import events as e
from calls.transfer import machine
from calls.transfer.snapshot import Snapshot, from_json, to_json
from calls.transfer.states import State, Verdict
from tests.transfer.explore.wire import send

EPOCH = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
WAITING, CLAIMED, DONE, FAILED = "waiting", "claimed", "done", "failed"


class Rows(list):
    """Looks like a Django manager to resync.replay()."""

    def all(self) -> "Rows":
        return self


@dataclass(eq=False)
class Transfer:
    """A row of the database with what hangs on it."""

    pk: int
    snapshot: Snapshot
    attempts: Rows = field(default_factory=Rows)
    commands: Rows = field(default_factory=Rows)
    tickets: int = 0
    told: bool = False
    claimed: set[str] = field(default_factory=set)
    accepted: set[str] = field(default_factory=set)  # marks whose acceptance is recorded
    talked: bool = False  # noted by the sentences
    taken_back: bool = False  # by a person, while they talked
    ended_at: datetime | None = None
    history: list[str] = field(default_factory=list)

    @property
    def short_id(self) -> str:
        return self.snapshot.short_id

    @property
    def caller_uuid(self) -> str:
        return self.snapshot.caller_uuid

    @property
    def conference(self) -> str:
        return self.snapshot.conference

    @property
    def state(self) -> str:
        return self.snapshot.state.value

    @property
    def memory(self) -> dict[str, Any]:
        return {"attempt": self.snapshot.attempt, "agent_uuid": self.snapshot.agent_uuid}


class Database:
    """What survives every death. `prepare(session)`, `note(...)` tell the web's model what was written for it."""

    def __init__(self, clock: Any, web: Any, agents: tuple[str, ...]) -> None:
        self.clock, self.web, self.agents = clock, web, agents
        self.transfers: list[Transfer] = []
        self.marks = 0
        self.steps = 0
        self.watch: Callable[[Transfer, Snapshot], None] = lambda *_: None

    @property
    def now(self) -> datetime:
        return EPOCH + timedelta(seconds=self.clock.now)

    def apply(self, transfer: Transfer, event: e.Event) -> Verdict:
        """services.apply_event: everything or nothing, with the answers of the effects."""
        queue, first = deque([event]), None
        was = transfer.snapshot
        while queue:
            current = queue.popleft()
            before = transfer.snapshot
            result = machine.step(before, current, self.now)
            self.steps += 1
            transfer.history.append(f"{self.clock.now:8.2f} {current} -> {result.verdict} {result.snapshot.state}")
            if result.verdict is Verdict.MOVED:
                self._moved(transfer, result.snapshot, current)
            for command in result.commands:
                answer = self._carry_out(transfer, command)
                if answer is not None:
                    queue.append(answer)
            first = first or result.verdict
        self.watch(transfer, was)
        return first

    def _moved(self, transfer: Transfer, snapshot: Snapshot, event: e.Event) -> None:
        transfer.snapshot = snapshot
        if snapshot.state is State.ENDED and transfer.ended_at is None:
            transfer.ended_at = self.now
        attempt = next((a for a in transfer.attempts if a.mark == getattr(event, "attempt", None)), None)
        if attempt is not None and isinstance(event, e.AgentAnswered):
            attempt.agent_uuid = event.uuid
        elif attempt is not None and isinstance(event, e.AgentJoined):
            attempt.agent_uuid, attempt.member_id = event.uuid, event.member_id
            if event.number:
                transfer.claimed &= {event.number}
                attempt.extension = event.number
        elif isinstance(event, e.DecisionMade) and snapshot.state is State.CONNECTING:
            transfer.accepted.add(event.attempt or snapshot.attempt)
        elif isinstance(event, e.CancelRequested):
            transfer.taken_back = True

    def _carry_out(self, transfer: Transfer, command: c.Command) -> e.Event | None:
        match command:
            case c.SwitchCommand():
                transfer.commands.append(
                    SimpleNamespace(kind=type(command).__name__, arguments=asdict(command), state=WAITING, result="",
                                    transfer=transfer)
                )  # fmt: skip
            case c.ClaimAgent():
                return self._claim(transfer)
            case c.CloseAttempt():
                for attempt in transfer.attempts:
                    if attempt.mark == command.attempt:
                        attempt.ended = True
                if command.release:
                    transfer.claimed.clear()
            case c.ReleaseAgents():
                transfer.claimed.clear()
            case c.OpenTicket():
                transfer.tickets += 1
                return e.TicketOpened("2611221234")
            case c.PrepareAnnouncer():
                self.web.prepare(transfer, "agent", command.attempt)
            case c.PreparePrompt():
                self.web.prepare(transfer, "caller", "")
            case c.MarkTold():
                transfer.told = True
            case c.CloseAnnouncer() | c.SayCallerLeft():
                self.web.close(transfer, "agent", command.attempt)
            case c.ClosePrompt():
                self.web.close(transfer, "caller", "")
        return None

    def _claim(self, transfer: Transfer) -> e.Event:
        tried = {attempt.extension for attempt in transfer.attempts}
        long_ago = self.now - timedelta(seconds=15)  # release_forgotten()
        open_ones = [t for t in self.transfers if t.ended_at is None or t.ended_at > long_ago]
        taken = set().union(*(t.claimed for t in open_ones))
        candidates = [number for number in self.agents if number not in tried]
        free = [number for number in candidates if number not in taken]
        if not free:
            return e.NobodyToRing(busy=bool(candidates))
        numbers = tuple(free) if self.web.ring_all else (free[0],)
        transfer.claimed |= set(numbers)
        self.marks += 1
        mark = f"mark{self.marks}"
        alone = numbers[0] if len(numbers) == 1 else ""
        transfer.attempts.append(
            SimpleNamespace(mark=mark, agent_uuid="", member_id=None, ended=False, extension=alone)
        )
        return e.AgentClaimed(mark, numbers, f"job{self.marks}")

    # ------------------------------------------------------------ the outbox
    def waiting(self) -> list[Any]:
        return [row for t in self.transfers for row in t.commands if row.state == WAITING]

    def claimed(self) -> list[Any]:
        return [row for t in self.transfers for row in t.commands if row.state == CLAIMED]

    def finish(self, row: Any, ok: bool, result: str) -> None:
        row.state, row.result = DONE if ok else FAILED, result

    def due(self, connected: bool) -> list[Transfer]:
        return [t for t in self.transfers if t.snapshot.deadline is not None and t.snapshot.deadline <= self.now]

    def reread(self) -> None:
        """Through the row and back, as every process that starts gets it."""
        for transfer in self.transfers:
            transfer.snapshot = from_json(to_json(transfer.snapshot))


class SwitchProcess:
    """One life of the switch process: from connecting to its death or the loss of its connection."""

    def __init__(self, database: Database, switch: Any) -> None:
        self.database, self.switch = database, switch
        self.index = Index()
        self.wire: deque[Any] = deque()  # events on their way from the switch
        self.events: dict[int, deque[Any]] = {}
        self.commands: dict[int, deque[Any]] = {}
        self.in_hand: dict[int, Any] = {}  # transfer -> [row, command, coroutine, line]
        self.stage = "new"
        self._known: list[Any] = []

    # ------------------------------------------------------------ catching up
    def advance_start(self) -> None:
        """load_index, look, catch_up, as three moments."""
        if self.stage == "new":
            self.database.reread()
            for transfer in self.database.transfers:
                known = resync.replay(self.index, transfer)
                if transfer.snapshot.state is not State.ENDED:
                    self._known.append(known)
            self.stage = "loaded"
        elif self.stage == "loaded":
            self._seen = self._look()
            self.stage = "looked"
        elif self.stage == "looked":
            for known in self._known:
                resync.place(self.index, known, self._seen)
                for event in resync.reconcile(known, self._seen):
                    self.database.apply(self._by_id(known.id), event)
            for line in leftovers(self.index, self._seen):
                self.send(line)
            for row in self.database.claimed():
                if row.kind == "Dial":
                    found = row.arguments["attempt"] in self._seen.marks.values()
                    self.database.finish(row, found, "found after a reconnect" if found else "LOST")
                else:
                    self.order(row)
            self.stage = "serving"

    def _by_id(self, pk: int) -> Transfer:
        return self.database.transfers[pk]

    def _look(self) -> resync.Seen:
        """What catchup.look() asks; the wanted marks and variables are those it asks for."""
        switch = self.switch
        legs = [leg for leg in switch.legs.values() if leg.state != "gone"]
        channels = {leg.uuid for leg in legs} | ({switch.caller} if switch.alive else set())
        members = {name: dict(room.members) for name, room in switch.rooms.items()}
        wanted = {known.attempt for known in self._known if known.attempt}
        marks = {leg.uuid: leg.mark for leg in legs if leg.mark in wanted}
        carried = switch.variables if switch.alive else {}
        told = [(known.short_id, *resync.carried(known, carried)) for known in self._known]
        home, talked = (frozenset(one[0] for one in told if one[which]) for which in (1, 2))
        strays = frozenset(leg.uuid for leg in legs if leg.mark not in wanted and self.index.by_mark(leg.mark))
        return resync.Seen(frozenset(channels), members, marks, home, talked, strays)

    # ------------------------------------------------------------ events
    def hear(self, event: Any) -> None:
        for action in interpret(event, self.index, int(self.database.clock.now * 1000)):
            if isinstance(action, Apply):
                self.events.setdefault(action.transfer_id, deque()).append(("event", action.event))
            elif isinstance(action, BroadcastClip):
                self.switch.api(wording.broadcast(action.followed.caller, action.path).text)

    def step_event(self, transfer_id: int) -> None:
        """One turn of a transfer's lane of events: the machine, or the outbox row behind it."""
        queue = self.events[transfer_id]
        what, *details = queue.popleft()
        if what == "event":
            self.database.apply(self._by_id(transfer_id), details[0])
        else:
            row, ran = details
            self.database.finish(row, ran.ok, ran.reply or ran.step)
        if not queue:
            del self.events[transfer_id]

    # ------------------------------------------------------------ commands
    def claim(self) -> None:
        for row in self.database.waiting():
            row.state = CLAIMED
            self.order(row)

    def order(self, row: Any) -> None:
        self.commands.setdefault(row.transfer.pk, deque()).append(row)

    def work_on(self, transfer_id: int) -> None:
        """One line of the command in hand, or the beginning of the next command."""
        held = self.in_hand.get(transfer_id)
        if held is None:
            queue = self.commands[transfer_id]
            row = queue.popleft()
            if not queue:
                del self.commands[transfer_id]
            self._begin(row)
            return
        reply = self.send(held[3])
        self._resume(held, reply)

    def send(self, line: wording.Line) -> str:
        if line.job_uuid:
            return self.switch.bgapi(line.text, line.job_uuid)
        return self.switch.api(line.text)

    def _begin(self, row: Any) -> None:
        transfer = row.transfer
        followed = self.index.follow(transfer.pk, transfer.short_id, transfer.caller_uuid, transfer.conference)
        command = decode(row.kind, row.arguments)
        if out_of_date(command, transfer.snapshot.state, transfer.snapshot.attempt):
            self.database.finish(row, False, resync.NOT_SENT)
            return
        if isinstance(command, c.SendHome) and not followed.touched:
            self._finished(row, command, Ran(True, "", "never taken"), e.CallerWentHome())
            return
        setting = wording.Setting(followed.short_id, 24000, prompt_playing=followed.prompt_playing)
        script = wording.script(command, setting)
        self.index.learn(followed, command)
        held = [row, command, run(script, send), None]
        self.in_hand[transfer.pk] = held
        self._resume(held, None)

    def _resume(self, held: list[Any], reply: str | None) -> None:
        row, command, coroutine, _ = held
        try:
            held[3] = coroutine.send(reply)
        except StopIteration as stop:
            del self.in_hand[row.transfer.pk]
            self._finished(row, command, stop.value, result_event(command, stop.value))

    def _finished(self, row: Any, command: c.Command, ran: Ran, told: e.Event | None) -> None:
        if told is None:
            self.database.finish(row, ran.ok, ran.reply or ran.step)
        else:
            queue = self.events.setdefault(row.transfer.pk, deque())
            queue.append(("event", told))
            queue.append(("finish", row, ran))

    def end(self) -> None:
        for held in self.in_hand.values():
            held[2].close()
