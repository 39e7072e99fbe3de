"""One connection's work: events in, commands out, clips at once.

Order: everything of one transfer is done in the order in which it came (lanes), transfers go side by side. Clips have
no lane: what mod_audio_stream reports is played in the same turn of the loop, without the database.
A command that has no answer when the connection ends stays "claimed"; the resync of the next connection settles it.
"""

import asyncio
import time
from collections.abc import Callable, Container
from dataclasses import replace
from functools import partial
from typing import Any

import structlog
from django.conf import settings

from calls import bus, services
from calls.models import SwitchCommand, Transfer
from calls.switch import wording
from calls.switch.connection import Connection, NoReply, SwitchGone
from calls.switch.database import DatabaseError, after_error, process_of, transfer_of
from calls.switch.index import Followed, Index
from calls.switch.interpret import (
    Action,
    Apply,
    BroadcastClip,
    PlayClip,
    TellAudio,
    TellBoard,
    interpret,
    playback,
)
from calls.switch.lanes import Lanes
from calls.switch.parsing import SwitchEvent
from calls.switch.resync import NOT_SENT, on_a_call
from calls.switch.safe import WordingError
from calls.switch.scripts import Ran, decode, out_of_date, result_event, run
from calls.switch.supervisors import Supervised
from calls.switch.wording import Line, Setting, TrialLeg
from calls.transfer import commands as c
from calls.transfer import events as e
from calls.transfer.states import State

log = structlog.get_logger(__name__)

APPLY_TRIES = 6
EXCUSE_AFTER = 1.0  # seconds until an agent who has pressed his key hears that it takes a moment
LEAVING_LOOKS, LEAVING_LOOK_EVERY = 10, 0.1  # seconds; a let-go leg is gone after about 20 ms


class Operator:
    """`may_act()` is false once the lease is lost: then nothing more is sent or stepped."""

    def __init__(
        self, connection: Connection, index: Index, may_act: Callable[[], bool], trial_leg: TrialLeg | None = None
    ) -> None:
        self._trial_leg = trial_leg
        self.connection = connection
        self.index = index
        self.may_act = may_act
        self.wake = asyncio.Event()  # the outbox may have something
        self.outbox_open = True
        self.events = Lanes("events")
        self.commands = Lanes("commands")
        self._notes = Lanes("notes")
        self._finishing = Lanes("finishing")
        self._processes: dict[tuple[Any, str], str] = {}
        self._posts: dict[str, bus.Post] = {}

    # ------------------------------------------------------------ events
    def on_event(self, event: SwitchEvent) -> None:
        if self.may_act():
            for action in interpret(event, self.index, _now_ms()):
                self._act(action)
            for happened in self.index.supervisors.interpret(event):
                self._supervised(happened)

    def _act(self, action: Action) -> None:
        match action:
            case Apply():
                self.apply(action.transfer_id, action.event)
            case PlayClip(dialling, path):
                failed = partial(self._clip_failed, dialling.transfer.id, dialling.mark, dialling.agent, path)
                room, member = dialling.transfer.conference, dialling.member
                self._at_once(lambda: wording.play_to_member(room, path, member), failed)
            case BroadcastClip(followed, path):
                self._at_once(
                    lambda: wording.broadcast(followed.caller, path), partial(self._broadcast_failed, followed, path)
                )
            case TellAudio():
                self._notes.put((action.transfer_id, action.mark), partial(self._tell, action))
            case TellBoard():
                self._notes.put((action.transfer_id, "board"), partial(bus.asend, bus.BOARD, action.message))

    def _supervised(self, happened: Supervised) -> None:
        self.events.put(happened.transfer_id, partial(self._tell_supervised, happened))

    async def _tell_supervised(self, happened: Supervised) -> None:
        try:
            await services.asupervision_happened(
                happened.mark, happened.what, uuid=happened.uuid, member=happened.member, cause=happened.cause
            )
        except DatabaseError as error:
            await after_error(error, "supervising")
            await self.connection.close()
        self.wake.set()

    def apply(self, transfer_id: Any, event: e.Event) -> None:
        self.events.put(transfer_id, partial(self.step, transfer_id, event))

    async def step(self, transfer_id: Any, event: e.Event) -> None:
        """Step the machine. A database that stays away ends the connection: resync finds out later what was missed."""
        excuse = asyncio.get_running_loop().call_later(EXCUSE_AFTER, self._excuse, transfer_id, event)
        try:
            await self._step(transfer_id, event)
        finally:
            excuse.cancel()

    async def _step(self, transfer_id: Any, event: e.Event) -> None:
        for tried in range(APPLY_TRIES):
            if not self.may_act():
                return
            try:
                applied = await services.aapply_event(transfer_id, event)
            except Transfer.DoesNotExist:
                self.index.forget(transfer_id)
                return
            except DatabaseError as error:
                await after_error(error, "stepping")
                await asyncio.sleep(0.1 * 2**tried)
                continue
            self.wake.set()
            if applied.transfer.state == State.ENDED.value:
                self._ended(transfer_id)
            return
        await self.connection.close()

    def _excuse(self, transfer_id: Any, event: e.Event) -> None:
        """The database is slow or away: whoever has pressed his key and now waits is told so."""
        dialling = self.index.by_mark(event.attempt) if isinstance(event, e.DecisionMade) else None
        if dialling is not None and dialling.agent:
            self._act(TellAudio(transfer_id, dialling.mark, {"type": "leg.moment", "uuid": dialling.agent}))

    def _ended(self, transfer_id: Any) -> None:
        followed = self.index.transfers.get(transfer_id)
        if followed is None or followed.over_at:
            return
        followed.over_at = time.time()
        if followed.left:  # nobody is left whom the dead man's timers could save
            for stage in sorted(followed.nets):
                self._at_once(partial(wording.drop_net, followed.short_id, stage))
            followed.nets.clear()

    # ------------------------------------------------------------ commands
    def order(self, row: SwitchCommand) -> None:
        """A claimed row of the outbox."""
        self.commands.put(row.transfer_id, partial(self._carry_out, row))

    async def _carry_out(self, row: SwitchCommand) -> None:
        """Whatever keeps a row from being finished leaves it claimed, and the next connection settles it."""
        try:
            if self.may_act() and not self.connection.closed:
                await self._carry_out_now(row)
            elif row.kind == "Dial":  # a claimed Dial is never sent again, so say that this one was not sent at all
                await services.agive_back_command(row.pk)
        except NoReply:
            await self.connection.close()  # whether it was done, only a look at the switch can tell
        except DatabaseError as error:
            await after_error(error, "carrying out")
            await self.connection.close()
        except SwitchGone:
            pass

    async def _carry_out_now(self, row: SwitchCommand) -> None:
        began = time.monotonic()
        transfer = await transfer_of(row)
        followed = self.index.follow(transfer.pk, transfer.short_id, transfer.caller_uuid, transfer.conference)
        command: c.SwitchCommand | None = None
        try:
            command = decode(row.kind, row.arguments)
            if out_of_date(command, State(transfer.state), transfer.memory.get("attempt", "")):
                ran, told = Ran(False, "", NOT_SENT), None
            else:
                ran, told = await self._send_command(command, followed)
        except WordingError as error:
            log.error("command.refused", kind=row.kind, transfer=transfer.short_id, field=str(error))
            ran = Ran(False, "wording", str(error))
            told = result_event(command, ran) if command is not None else None
        log.info(
            "command", kind=row.kind, transfer=transfer.short_id, step=ran.step, ok=ran.ok,
            reply=ran.reply.split(" ", 1)[0], ms=round((time.monotonic() - began) * 1000, 1),
        )  # fmt: skip
        if row.kind == "DialSupervisor" and not ran.ok and ran.reply != NOT_SENT:
            self._supervised(Supervised(row.transfer_id, row.arguments["attempt"], "failed", cause=ran.reply))
        if told is None:
            self._finishing.put(row.pk, partial(self._finish, row, ran))  # the transfer's next command need not wait
        else:
            self.events.put(row.transfer_id, partial(self._result, row, ran, told))

    async def _result(self, row: SwitchCommand, ran: Ran, told: e.Event) -> None:
        """The machine first: if we die in between, the command counts as unsettled and is looked at again."""
        await self.step(row.transfer_id, told)
        if self.may_act():
            await self._finish(row, ran)

    async def _finish(self, row: SwitchCommand, ran: Ran) -> None:
        try:
            await services.afinish_command(row.pk, ran.ok, ran.reply or ran.step)
        except DatabaseError as error:
            await after_error(error, "finishing")
            await self.connection.close()

    async def _send_command(self, command: c.SwitchCommand, followed: Followed) -> tuple[Ran, e.Event | None]:
        if isinstance(command, c.Dial) and not command.call_waiting:
            command = await self._without_the_busy(command)
            if not command.numbers:
                return Ran(False, "busy", "ON_ANOTHER_CALL"), e.DialFailed(command.attempt, "ON_ANOTHER_CALL")
        if isinstance(command, c.SendHome) and not followed.touched:
            return Ran(True, "", "never taken"), e.CallerWentHome()  # he is where he was all the time
        setting = Setting(
            followed.short_id,
            settings.AUDIO_RATE,
            caller_member=followed.member,
            prompt_playing=followed.prompt_playing,
            trial_leg=self._trial_leg,
        )
        script = wording.script(command, setting)
        if isinstance(command, c.StartStream):
            self._processes.pop((followed.id, command.attempt if command.leg == "agent" else ""), None)
        self.index.learn(followed, command)
        ran = await run(script, self._send)
        return ran, result_event(command, ran)

    async def _without_the_busy(self, command: c.Dial) -> c.Dial:
        """Who is on no call. A leg of our own is on its way out (else its extension were claimed): wait for its end."""
        for _ in range(LEAVING_LOOKS):
            channels = await self.connection.api("show channels as json")
            calls = {number: on_a_call(channels, number) for number in command.numbers}
            free = tuple(n for n in command.numbers if all(self.index.by_leg(uuid) for uuid in calls[n]))
            if not any(calls[number] for number in free):
                break
            await asyncio.sleep(LEAVING_LOOK_EVERY)
        return replace(command, numbers=free)

    async def _send(self, line: Line) -> "asyncio.Future[str]":
        if not self.may_act():
            raise SwitchGone("lease lost")
        if line.job_uuid:
            reply = self.connection.bgapi(line.text, line.job_uuid)
        else:
            reply = self.connection.api(line.text)
        reply.add_done_callback(lambda done: done.cancelled() or done.exception())  # its script may have ended
        return reply

    # ------------------------------------------------------------ clips
    def _at_once(self, word: Callable[[], Line], failed: Callable[[], None] = lambda: None) -> None:
        """Hand one line over now, before any other turn of the loop; `failed` when it is not answered well."""
        try:
            line = word()
            future = self.connection.submit(f"api {line.text}")
        except (WordingError, SwitchGone) as error:
            log.warning("clip.refused", error=str(error))
            failed()
            return

        def judge(done: "asyncio.Future[str]") -> None:
            if done.cancelled() or done.exception() or not done.result().startswith(line.good):
                log.info("clip.failed", step=line.step)
                failed()

        future.add_done_callback(judge)

    def _clip_failed(self, transfer_id: Any, mark: str, leg: str, path: str) -> None:
        self._act(TellAudio(transfer_id, mark, playback(leg, path, "stopped", _now_ms())))

    def _broadcast_failed(self, followed: Followed, path: str) -> None:
        followed.clips.pop(path, None)
        self.apply(followed.id, e.PromptFailed("broadcast_refused"))

    def on_bus(self, message: dict[str, Any]) -> None:
        """A message of group switch.<slug>."""
        kind, uuid = message.get("type"), str(message.get("uuid", ""))
        if kind == "outbox.wake":
            self.wake.set()
        elif kind == "clips.stop" and self.may_act():
            dialling = self.index.by_leg(uuid)
            if dialling is not None and dialling.member:
                self._at_once(lambda: wording.stop_clips(dialling.transfer.conference, dialling.member))
        elif kind == "clip.break" and self.may_act():
            followed = self.index.by_caller(uuid)
            if followed is not None and followed.prompt_playing:
                self._at_once(lambda: wording.cut_broadcast(uuid))

    # ------------------------------------------------------------ the web process with a leg's audio
    async def _tell(self, action: TellAudio) -> None:
        key = (action.transfer_id, action.mark)
        process = self._processes.get(key)
        if process is None:
            process = await process_of(*key)
            if process is None:
                return
            self._processes[key] = process
        post = self._posts.get(process)
        if post is None:
            post = self._posts[process] = bus.Post(bus.process_group(process))
        post.put(action.message)

    # ------------------------------------------------------------ the end
    def close_outbox(self) -> None:
        self.outbox_open = False
        self.wake.set()

    async def finish(self, seconds: float) -> None:
        """Let what is in hand come to its end, at most so long; then drop the rest."""
        await self.commands.drained(seconds)
        await self.events.drained(max(0.1, seconds / 2))
        await self._finishing.drained(max(0.1, seconds / 2))
        await self.cancel()

    async def cancel(self) -> None:
        for lanes in (self.commands, self.events, self._finishing, self._notes):
            await lanes.cancel()
        for post in self._posts.values():
            post.cancel()

    def forget_the_old(self, seconds: float, open_ones: Container[Any]) -> None:
        """Transfers that ended so long ago have no legs that anybody asks for."""
        now = time.time()
        for followed in list(self.index.transfers.values()):
            if followed.id not in open_ones and not followed.over_at:
                followed.over_at = now
            if followed.over_at and followed.over_at < now - seconds:
                self.index.forget(followed.id)
                for key in [key for key in self._processes if key[0] == followed.id]:
                    del self._processes[key]
        living = set(self._processes.values())
        self._posts = {process: post for process, post in self._posts.items() if process in living}


def _now_ms() -> int:
    return int(time.time() * 1000)
