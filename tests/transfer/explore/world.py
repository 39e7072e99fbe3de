"""One episode: a caller, his agents, the web's audio and the switch process, in the hands of a seeded adversary.

Every turn the adversary picks what happens next among all that could: an event arrives, a line is sent, a row is
written, time passes, somebody acts, something dies. It is slow, doubles, loses and swaps at will. An episode ends
either with all of ours dead and FreeSWITCH alone, or with everything up again and quiet.
"""

import random
from collections.abc import Callable

from calls.transfer import events as e
from calls.transfer.snapshot import Policy, Snapshot
from calls.transfer.states import Source
from calls.transfer.work import Deadline
from tests.transfer.explore.freeswitch import FreeSwitch
from tests.transfer.explore.hub import EPOCH, Database, SwitchProcess, Transfer
from tests.transfer.explore.people import People, Session
from tests.transfer.explore.sentences import Broken, Sentences
from tests.transfer.explore.telephones import Clock

TICKET_ON = ("rejected", "timeout", "no_answer", "busy", "unavailable", "voicemail", "error")
FOR_EVER = 100_000.0
QUIET_WITHIN = 900.0  # seconds of model time after the last fault


class World(People):
    """`run()` one episode; raises Broken. `steps`: how many turns it took."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        chance = self.random.random
        self.clock = Clock()
        self.switch = FreeSwitch(self.clock, self._emit, self)
        agents = tuple(f"200{n}" for n in range(1, self.random.choice((1, 2, 2, 3)) + 1))
        self.database = Database(self.clock, self, agents)
        self.sentences = Sentences(self)
        self.database.watch = self.sentences.watch
        self.process: SwitchProcess | None = None
        self.web_life = 1
        self.sessions: list[Session] = []
        self.steps = 0
        self.clip_seconds = 5.0
        self.ring_all = chance() < 0.2
        self.faulty = chance() < 0.7
        self.fault_rate = self.random.choice((0.003, 0.01, 0.05))  # a turn
        self.lateness = self.random.choice((0.001, 0.01, 0.05))  # how often time passes while work is waiting
        self.faults_from = self.random.choice((0, 0, self.random.uniform(0, 60)))
        self.calm_at = self.faults_from + self.random.uniform(5, 120)  # no more faults after this
        self.dies_in_turn = self.random.randrange(1, 120) if chance() < 0.3 else 0  # everything of ours
        self.falls_in_turn = self.random.randrange(1, 120) if chance() < 0.4 else 0  # the switch process alone
        self.restarted = False  # FreeSWITCH was
        self.fell = False  # the switch process did, or its connection
        self.all_dead = False
        self.restart_at = 0.0
        self.web_back_at = 0.0
        self.slow_until = 0.0
        self.past: list[tuple[Transfer, e.Event]] = []
        self.policy = Policy(
            total_seconds=self.random.choice((40, 180)),
            max_attempts=self.random.choice((1, 2, 3)),
            after_call_to=self.random.choice(("", "ivr_return XML public")),
            caller_hears_music=chance() < 0.3,
            call_waiting=True,
            ticket_on=TICKET_ON if chance() < 0.6 else (*TICKET_ON, "caller_left") if chance() < 0.5 else (),
            tells_without_ticket=chance() < 0.5,
            asks_omniplay=chance() < 0.5,
        )

    # ------------------------------------------------------------ asked by the model of FreeSWITCH
    def early(self) -> float:
        return self.random.uniform(0, 0.5)

    def _emit(self, event: object) -> None:
        if self.process is not None and not (self.faulty and self.random.random() < 0.002 and self._faults()):
            self.process.wire.append(event)

    # ------------------------------------------------------------ the episode
    def request(self) -> None:
        number = len(self.database.transfers)
        short = f"abc{number:09d}"
        now = self.database.now
        snapshot = Snapshot(
            short_id=short, conference=f"transfer_{short}_1", caller_uuid=self.switch.caller, requested_at=now,
            policy=self.policy, deadline=now, deadline_kind=Deadline.START,
        )  # fmt: skip
        self.switch.place, self.switch.torn_talk = "secretary", False
        self.database.transfers.append(Transfer(number, snapshot))
        if self.random.random() < 0.25:
            self.clock.after(self.random.expovariate(1 / 40), lambda: self.switch.hang_up_caller("NORMAL_CLEARING"))
        if self.random.random() < 0.3:
            self.clock.after(self.random.expovariate(1 / 30), self._somebody_interferes)

    def _somebody_interferes(self) -> None:
        if not self.all_dead:
            transfer = self.database.transfers[-1]
            mark = transfer.snapshot.attempt
            rnd = self.random
            self.database.apply(
                transfer,
                rnd.choice(
                    (
                        e.CancelRequested(Source.CONSOLE), e.SkipRequested("ana"),
                        e.RepeatRequested(mark, Source.CONSOLE),
                        e.DecisionMade("", rnd.choice((e.Choice.ACCEPT, e.Choice.REJECT)), Source.CONSOLE),
                    )
                ),
            )  # fmt: skip

    def _faults(self) -> bool:
        return self.faulty and self.faults_from <= self.clock.now < self.calm_at

    def run(self) -> int:
        self.process = SwitchProcess(self.database, self.switch)
        self.request()
        while True:
            self.steps += 1
            if self.steps == self.dies_in_turn:
                self._everything_dies()
            elif self.steps == self.falls_in_turn and not self.all_dead:
                self._switch_process_dies(self.random.choice((0.5, 5, 30)))
            if not self._turn() and not self._again():
                break
            self.sentences.always()
        self.sentences.at_the_end()
        return self.steps

    def _again(self) -> bool:
        """The caller asks the secretary once more: nothing of the first transfer may reach into the second."""
        menu = self.switch.place == "menu" and self.switch.alive
        if menu and not self.all_dead and len(self.database.transfers) < 2 and self.random.random() < 0.3:
            self.request()
            return True
        return False

    def _everything_dies(self) -> None:
        self.all_dead = True
        self._switch_process_dies(FOR_EVER)
        for session in self.sessions:
            if session.state == "live":
                self.switch.stream_ended(session.uuid, "disconnect", 1006)

    def _switch_process_dies(self, back_in: float) -> None:
        self.fell = True
        if self.process is not None:
            self.process.end()
            self.process = None
        self.restart_at = self.clock.now + back_in

    def _choices(self) -> list[Callable[[], None]]:
        """What could happen at once."""
        if self.all_dead:
            return []
        found: list[Callable[[], None]] = []
        process = self.process
        if process is None:
            if self.clock.now >= self.restart_at:
                found.append(self._restart)
        elif process.stage != "serving":
            found.append(process.advance_start)
        else:
            if process.wire:
                found += [self._deliver] * 2
            found += [lambda lane=lane: process.step_event(lane) for lane in process.events]
            found += [lambda lane=lane: process.work_on(lane) for lane in {*process.commands, *process.in_hand}]
            if self.database.waiting():
                found.append(process.claim)
        if self.restart_at < FOR_EVER and (process is not None or self.clock.now > self.restart_at - 2):
            found += [lambda t=t: self._deadline(t) for t in self.database.due(process is not None)]
        if self.web_up and any(s.state == "open" for s in self.sessions):
            found.append(self._web_claims)
        return found

    def _deadline(self, transfer: Transfer) -> None:
        self.database.apply(transfer, e.DeadlinePassed(transfer.snapshot.deadline_kind))

    def _restart(self) -> None:
        self.process = SwitchProcess(self.database, self.switch)

    def _deliver(self) -> None:
        process, rnd = self.process, self.random
        assert process is not None
        if self._faults() and len(process.wire) > 1 and rnd.random() < 0.05:
            process.wire[0], process.wire[1] = process.wire[1], process.wire[0]
        event = process.wire.popleft()
        process.hear(event)
        if self._faults() and rnd.random() < 0.05:
            process.hear(event)

    def _turn(self) -> bool:
        """One thing happens; false when nothing will any more."""
        rnd = self.random
        if self._faults() and rnd.random() < self.fault_rate and not self.all_dead:
            self._fault()
            return True
        slow = self.clock.now < self.slow_until
        choices = [] if slow else self._choices()
        if choices and rnd.random() > (self.lateness if self._faults() else 0.0):
            self.clock.now += rnd.random() * 0.01
            rnd.choice(choices)()
            return True
        return self._time_passes(bool(choices) or slow)

    def _time_passes(self, more: bool) -> bool:
        times = [self.slow_until if self.slow_until > self.clock.now else None, self.clock.next_at]
        if not self.all_dead:
            times += [(t.snapshot.deadline - EPOCH).total_seconds() for t in self.database.transfers
                      if t.snapshot.deadline is not None]  # fmt: skip
            times.append(self.restart_at if self.process is None else None)
            times += [self.web_back_at if any(s.state == "open" for s in self.sessions) else None]
        ahead = [at for at in times if at is not None and at > self.clock.now and at < FOR_EVER]
        if self.clock.next_at is not None and self.clock.next_at <= min([*ahead, self.clock.now]):
            self.clock.run_next()
            return True
        if not ahead:
            return more
        at = min(ahead)
        if self.clock.next_at is not None and self.clock.next_at <= at:
            self.clock.run_next()
        else:
            self.clock.now = at
        if self.clock.now > self.calm_at + QUIET_WITHIN + 200:
            raise Broken(self, "there is no end to it")
        return True

    def _fault(self) -> None:
        rnd, process = self.random, self.process
        kind = rnd.random()
        if kind < 0.35 and process is not None:  # killed, or the connection cut
            if process.in_hand and rnd.random() < 0.4:  # sent, and the answer lost
                held = next(iter(process.in_hand.values()))
                process.send(held[3])
            self._switch_process_dies(rnd.choice((0.5, 2, 13, 45, 90)))
        elif kind < 0.55:
            self._web_dies()
        elif kind < 0.7:
            self.slow_until = self.clock.now + rnd.choice((1, 5, 30))  # the database is locked, or away
        elif kind < 0.72:
            self.switch.restart()
            self.restarted = True
            self._switch_process_dies(0.5)
        elif kind < 0.85 and self.past:  # what was told once is told again, late
            transfer, event = rnd.choice(self.past)
            self.database.apply(transfer, event)
        elif kind < 0.9:
            self._somebody_interferes()
        else:  # a yes that comes too late, from an attempt that is over
            transfer = self.database.transfers[-1]
            over = [attempt.mark for attempt in transfer.attempts if attempt.ended]
            if over:
                self.database.apply(transfer, e.DecisionMade(rnd.choice(over), e.Choice.ACCEPT, Source.VOICE))


def replayed(seed: int) -> list[str]:
    """The whole story of an episode, for whoever mends what it found."""
    world = World(seed)
    lines: list[str] = []
    api, bgapi = world.switch.api, world.switch.bgapi

    def traced(text: str) -> str:
        reply = api(text)
        lines.append(f"{world.clock.now:8.2f}     {text[:150]} => {reply}")
        return reply

    world.switch.api = traced  # type: ignore[method-assign]
    world.switch.bgapi = lambda text, job: lines.append(f"{world.clock.now:8.2f}     {text}") or bgapi(text, job)  # type: ignore
    try:
        world.run()
    except Broken as broken:
        lines.append(str(broken))
    for transfer in world.database.transfers:
        lines.extend(transfer.history)
    return sorted(lines[:-1]) + lines[-1:] if lines else []
