"""Who acts upon the switch besides us: agents, callers, and the web process with its announcers and prompts."""

import random
from dataclasses import dataclass
from typing import Any

from calls.transfer import events as e
from calls.transfer.states import Source
from tests.transfer.explore.hub import Database, Transfer
from tests.transfer.explore.telephones import Clock, Leg


@dataclass(eq=False)
class Session:
    """An AudioSession."""

    number: int
    transfer: Transfer
    leg: str
    mark: str
    state: str = "open"
    life: int = 0  # of the web process that claimed it
    uuid: str = ""

    @property
    def url(self) -> str:
        return f"ws://web/audio/{self.number}"


class People:
    """Part of a World: what is asked of it by the model of FreeSWITCH and by the database."""

    random: random.Random
    clock: Clock
    switch: Any
    database: Database
    sessions: list[Session]
    past: list[tuple[Transfer, e.Event]]
    web_life: int
    web_back_at: float
    all_dead: bool

    def _faults(self) -> bool:
        raise NotImplementedError

    def registered(self, leg: Leg) -> bool:
        return self.random.random() > 0.1

    def rings(self, leg: Leg, job: str) -> None:
        """What the person whose telephone rings will do."""
        chance, rnd = self.random.random(), self.random
        if chance < 0.65:
            self.clock.after(rnd.uniform(0.5, 24), lambda: self.switch.answer(leg, job))
        elif chance < 0.75:
            self.clock.after(0.05, lambda: leg.state == "ringing" and self.switch.hang_up(leg, "USER_BUSY"))
        elif chance < 0.85:
            self.clock.after(rnd.uniform(1, 20), lambda: self._decline(leg))

    def _decline(self, leg: Leg) -> None:
        if leg.state == "ringing":
            self.switch.hang_up(leg, "CALL_REJECTED")

    def joined(self, leg: Leg) -> None:
        """What the person does who has answered, whatever he hears."""
        rnd, after = self.random, self.clock.after
        after(rnd.uniform(100, 250), lambda: self._talk_over(leg))
        if rnd.random() < 0.3:
            after(rnd.uniform(0.01, 70), lambda: self.switch.hang_up(leg, "NORMAL_CLEARING"))
        if rnd.random() < 0.4:
            digit = rnd.choice("1112203")
            after(rnd.uniform(0.1, 65), lambda: self.switch.press(leg, digit))
        if rnd.random() < 0.1:
            after(rnd.uniform(0.1, 30), lambda: self.switch.hold(leg, True))
            after(rnd.uniform(30, 60), lambda: self.switch.hold(leg, False))

    def _talk_over(self, leg: Leg) -> None:
        """Who waits for something waits for ever, if need be; who talks has talked enough one day."""
        if leg in self.switch.heard_by():
            if self.random.random() < 0.5:
                self.switch.hang_up(leg, "NORMAL_CLEARING")
            else:
                self.switch.hang_up_caller("NORMAL_CLEARING")

    def stream_asked(self, uuid: str, url: str) -> None:
        """mod_audio_stream knocks at the web process."""
        session = next((s for s in self.sessions if s.url == url), None)
        good = session is not None and session.state == "claimed" and session.life == self.web_life and self.web_up
        if not good or (self._faults() and self.random.random() < 0.05):
            self.switch.stream_ended(uuid, "error", 6)
            return
        assert session is not None
        session.state, session.uuid = "live", uuid
        if session.leg == "caller":
            self.clock.after(0.02, lambda: self.switch.clip_made(f"/tmp/{uuid}_{session.number}.wav"))
            return
        rnd = self.random
        says = rnd.random()
        tell = self._tell_if_live
        self.clock.after(0.1, lambda: tell(session, e.AnnouncementStarted(session.mark)))
        self.clock.after(8, lambda: tell(session, e.AnnouncementEnded(session.mark)))
        if says < 0.7:
            choice = rnd.choice((e.Choice.ACCEPT, e.Choice.ACCEPT, e.Choice.REJECT, e.Choice.VOICEMAIL))
            made = e.DecisionMade(session.mark, choice, Source.VOICE)
            self.clock.after(rnd.uniform(2, 22), lambda: tell(session, made))

    # ------------------------------------------------------------ the web's audio
    @property
    def web_up(self) -> bool:
        return not self.all_dead and self.clock.now >= self.web_back_at

    def prepare(self, transfer: Transfer, leg: str, mark: str) -> None:
        for session in self.sessions:
            if (session.transfer, session.leg, session.mark) == (transfer, leg, mark):
                session.state = "closed"
        self.sessions.append(Session(len(self.sessions) + 1, transfer, leg, mark))

    def close(self, transfer: Transfer, leg: str, mark: str) -> None:
        for session in self.sessions:
            if (session.transfer, session.leg, session.mark) == (transfer, leg, mark):
                session.state = "closed"

    def _tell_if_live(self, session: Session, event: e.Event) -> None:
        if session.state == "live" and session.life == self.web_life and self.web_up:
            self.tell(session.transfer, event)

    def tell(self, transfer: Transfer, event: e.Event) -> None:
        self.past.append((transfer, event))
        self.database.apply(transfer, event)

    def _web_claims(self) -> None:
        session = next(s for s in self.sessions if s.state == "open")
        session.state, session.life = "claimed", self.web_life
        if session.leg == "agent":
            self.tell(session.transfer, e.AnnouncerReady(session.mark, session.url))
        elif self.random.random() < 0.1:
            self.tell(session.transfer, e.PromptFailed("synthesis"))
        else:
            self.tell(session.transfer, e.PromptReady(session.url, 5000))

    def _web_dies(self) -> None:
        self.web_life += 1
        back = self.random.uniform(0.1, 20)
        self.web_back_at = self.clock.now + back
        for session in self.sessions:
            if session.state == "live":
                self.switch.stream_ended(session.uuid, "disconnect", 1006)
        self.clock.after(back + 5, self._reopen_dead)

    def _reopen_dead(self) -> None:
        for session in self.sessions:
            if session.state in ("claimed", "live") and session.life != self.web_life and self.web_up:
                session.state = "closed"
                lost = e.AnnouncerLost(session.mark, "web_process_died")
                self.tell(session.transfer, lost if session.leg == "agent" else e.PromptFailed("web_process_died"))
