"""What must hold, whatever happens: the promises of the product, looked at after every single turn."""

from typing import Any

from calls.transfer.snapshot import Snapshot
from calls.transfer.states import Outcome, State

GRACE = 10.0  # an agent is hung up so soon after the caller's leaving, and a caller so soon after a stage's limit
LATEST_NET = {"park": 10, "dial": 25 + 5 + 4, "announce": 60 + 4, "inform": 2 + 30 + 4}
LONGEST_STAGE = 64.0


class Broken(AssertionError):
    """A promise was broken."""

    def __init__(self, world: Any, sentence: str) -> None:
        super().__init__(f"{sentence} (at {world.clock.now:.2f} s)")
        self.sentence = sentence


class Sentences:
    def __init__(self, world: Any) -> None:
        self.world = world
        self.died_at: float | None = None

    # ------------------------------------------------------------ at every step of the machine
    def watch(self, transfer: Any, before: Snapshot) -> None:
        after = transfer.snapshot
        if before.state is State.ENDED and after.state is not State.ENDED:
            self._broken("an ended transfer is ended for ever")
        if after.state not in (State.ENDED, State.CONNECTED) and after.deadline is None:
            self._broken("every state but connected and ended has a deadline")
        if after.attempt and after.state in (State.DIALLING, State.ANNOUNCING) and after.outcome is not None:
            self._broken("while an agent is tried nothing is decided")
        if transfer.tickets > 1:
            self._broken("a transfer has at most one ticket")

    # ------------------------------------------------------------ at every turn
    def always(self) -> None:
        world = self.world
        switch = world.switch
        transfer = world.database.transfers[-1]
        if switch.torn:
            self._broken(f"we never hang a caller up ({switch.torn})")
        if switch.entries > len(world.database.transfers):
            self._broken("a caller enters the menu once a transfer")
        if switch.torn_talk and not world.all_dead and not transfer.taken_back:
            self._broken("a conversation goes on until one of the two, or a supervisor, ends it")
        if switch.place == "conference":
            self._inside(switch)
        now = world.clock.now
        for leg in switch.legs.values():
            if leg.state == "up" and leg.conference != switch.room:
                self._broken("an agent of an earlier transfer is gone before the next")
            if leg.state == "up" and switch.place != "conference" and now > max(switch.left_at, leg.since) + GRACE:
                self._broken("an agent is hung up within 10 s of the caller's leaving")
            if leg.state == "ringing" and now > leg.since + 25 + GRACE:
                self._broken("nothing is left ringing")

    def _inside(self, switch: Any) -> None:
        world = self.world
        transfer = world.database.transfers[-1]
        for leg in switch.heard_by():
            if leg.mark not in transfer.accepted:
                self._broken("nobody hears the caller without a recorded acceptance")
            # As far as anybody can know later: a death within one line of the put-through leaves no trace of the talk.
            transfer.talked = transfer.talked or switch.variables.get("transferhub_outcome") == "accepted"
        saviours = switch.saviours()
        if not saviours:
            self._broken("while the caller is inside, a timer or a hook of FreeSWITCH will get him out")
        if min(saviours) > world.clock.now + LONGEST_STAGE + GRACE:
            self._broken("the timers are no longer than the stage")

    # ------------------------------------------------------------ when all is quiet
    def at_the_end(self) -> None:
        world = self.world
        switch = world.switch
        if switch.alive and switch.place not in ("menu", "secretary"):
            self._broken(f"the caller is in the menu or gone, not in {switch.place or 'limbo'}")
        if any(leg.state != "gone" for leg in switch.legs.values()):
            self._broken("no agent's leg is left")
        if switch.rooms:
            self._broken("no conference is left")
        if not world.all_dead:
            for transfer in world.database.transfers:
                self._books(transfer)

    def _books(self, transfer: Any) -> None:
        s = transfer.snapshot
        if s.state is not State.ENDED:
            self._broken(f"every transfer ends, this one is {s.state}")
        if s.outcome is None:
            self._broken("every transfer has an outcome")
        wanted = int(s.outcome.value in s.policy.ticket_on)
        if transfer.tickets != wanted:
            self._broken(f"{transfer.tickets} tickets for {s.outcome} where the rule asks for {wanted}")
        # A caller's channel carries that he talked; when it is gone before we look again, nothing does.
        unknowable = self.world.fell and s.outcome is Outcome.CALLER_LEFT or self.world.restarted
        if transfer.talked and s.outcome is not Outcome.ACCEPTED and s.error != "connect_timeout" and not unknowable:
            self._broken(f"a talk is an accepted transfer, not {s.outcome}")
        if s.outcome is Outcome.ACCEPTED and not transfer.accepted:
            self._broken("accepted is what somebody accepted")
        if any(row.state in ("waiting", "claimed") for row in transfer.commands):
            self._broken("no command is left undone")

    def _broken(self, sentence: str) -> None:
        raise Broken(self.world, sentence)
