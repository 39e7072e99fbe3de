"""A stack whose processes die when they are told to, and one story lived on it with one death."""

import asyncio
import os
import threading
import time
from pathlib import Path
from typing import Any

import django_rq
from asgiref.sync import sync_to_async

from calls import jobs
from calls.demo.callers import SimulatedCall
from calls.demo.supervisor import Part, Supervisor
from calls.models import Ticket, Transfer
from tests.crash.born import Process, is_there
from tests.crash.mortal import Fate
from tests.crash.points import STORIES
from tests.jobs.tools import Receiver
from tests.stack import Stack

DIVISOR = 10
LIMITS = {
    "ring_seconds": 30,
    "decision_seconds": 30,
    "total_seconds": 600,
    "instructions": "{caller}. Pode atender?",
    "ticket_text": "Protocolo {protocol}.",
}
"""Before DIVISOR. The simulated switch lives at its own pace, so that its timers stand behind our limits as ever."""
AT_ONCE = {"ring_seconds": 0.3, "talk_seconds": 1.0}
TICKET_ON = {"rejected", "timeout", "no_answer", "busy", "unavailable", "voicemail", "error"}
ENDS_WITHIN = 60.0
HOME_WITHIN = 15.0
LEGS_GONE_WITHIN = 10.0
TOLD_WITHIN = 20.0


class _Nursed(Supervisor):
    """Its parts are born by a nursery that has the stack's environment."""

    def __init__(self, folder: Path, *more: Any) -> None:
        super().__init__(folder, *more, restarts=False)
        self._nursery = folder / "nursery"
        self._folder = folder
        self.fates: dict[str, Fate] = {}

    async def _launch(self, part: Part) -> None:
        if not self._nursery.exists():
            arguments = ["-m", "tests.crash.nursery", str(self._nursery), "product"]
            log = self._folder / "nursery.log"
            self._elder = await Process.born(Path(os.environ["NURSERY"]), arguments, dict(part.environment), log)
            await is_there(self._nursery, self._elder, log)
        path = self._folder / f"{part.name}.fate"
        self.fates.setdefault(part.name, Fate(path)).begin(0)
        environment = {**part.environment, "FATE": str(path)}
        part.process = await Process.born(  # type: ignore[assignment]
            self._nursery, part.command[1:], environment, self.log_of(part)
        )


class MortalStack(Stack):
    """live() is all."""

    look_every = 0.2  # several of these share a machine

    def __init__(self) -> None:
        super().__init__(limits_divisor=DIVISOR)
        self._nursed = self._supervisor = _Nursed(self.folder, self._complain)
        self._receiver = Receiver()

    async def __aenter__(self) -> "MortalStack":
        threading.Thread(target=self._receiver.serve_forever, daemon=True).start()
        await super().__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await super().__aexit__(*error)
        self._receiver.shutdown()
        self._receiver.server_close()

    async def live(self, story: str, process: str, die_at: int) -> dict[str, Any]:
        """One story, in which this process dies at its `die_at`-th write or command; 0: nobody dies.

        The answer: whether it `died` before the story was over, what each process has `done`, `seconds`, and `wrong`:
        what does not hold, "" if all does.
        """
        began = time.monotonic()
        answer: dict[str, Any] = {"died": False, "wrong": ""}
        try:
            answer["died"], outcome = await self._lived(STORIES[story][0], process, die_at)
            answer["outcome"] = outcome
        except Exception as error:
            answer["wrong"] = f"{type(error).__name__}: {error}"
        finally:
            for fate in self._nursed.fates.values():
                fate.spare()
            await self._raise_the_dead()
        answer["done"] = {name: fate.done for name, fate in self._nursed.fates.items()}
        return answer | {"seconds": round(time.monotonic() - began, 1)}

    async def _lived(self, temperaments: tuple[str, ...], name: str, die_at: int) -> tuple[bool, str]:
        department = await self.department(*({"temperament": each} | AT_ONCE for each in temperaments), **LIMITS)
        call = await self.caller()
        await self._raise_the_dead()  # what a process of the last story had still to write may have been its last
        for each, fate in self._nursed.fates.items():
            fate.begin(die_at if each == name else 0)
        process = self.parts[name].process
        assert process
        transfer = await self._asked(call, department)

        async def dead_or_ended() -> bool:
            return process.returncode is not None or await _field(transfer, "state") == "ended"

        await self.until(dead_or_ended, ENDS_WITHIN)
        if process.returncode is not None and self.parts[name].process is process:
            await self.start_again(name)
        outcome = await self._promises_hold(call, transfer)
        return process.returncode is not None, outcome

    async def _raise_the_dead(self) -> None:
        for name, part in self.parts.items():
            if not part.running:
                await self.start_again(name)

    async def _asked(self, call: SimulatedCall, department: str) -> Any:
        """Through the API; when the web process dies over it, what it has written tells, or it is asked again."""
        for _ in range(3):
            try:
                return (await self.request(call, department=department, callback_url=self._receiver.url))["id"]
            except Exception:
                if not self.parts["web"].running:
                    await self.start_again("web")
                known = await Transfer.objects.filter(caller_uuid=call.uuid).afirst()
                if known is not None:
                    return known.pk
                await asyncio.sleep(0.5)
        raise AssertionError("the request was never taken")

    async def _promises_hold(self, call: SimulatedCall, transfer: Any) -> str:
        """Against the simulator's own account of who was where and who heard whom. The outcome."""

        async def ended() -> bool:
            return await _field(transfer, "state") == "ended"

        await self.until(ended, ENDS_WITHIN)

        async def out_of_our_care() -> bool:
            return self.where(call) in ("returned", "menu", "gone")

        await self.until(out_of_our_care, HOME_WITHIN)
        end = self.where(call)
        assert end != "gone", "nobody but we could have hung this caller up"
        assert self.returns(call) == (1 if end == "returned" else 0), f"{self.returns(call)} times in the menu"
        await self.tidy(LEGS_GONE_WITHIN)
        found = await Transfer.objects.aget(pk=transfer)
        tickets = await Ticket.objects.filter(transfer=found).acount()
        assert tickets == int(found.outcome in TICKET_ON), f"{tickets} tickets for {found.outcome}"
        legs = await sync_to_async(lambda: list(found.attempts.values_list("agent_uuid", flat=True)))()
        talked = {leg for leg in legs if leg and self.heard_each_other(call.uuid, leg)}
        decided = found.events.filter(event="DecisionMade", verdict="moved", to_state="connecting")
        assert len(talked) <= await decided.acount(), "bridged without a recorded acceptance"
        assert end != "menu" or found.outcome != "accepted", "accepted, and the caller never left his secretary"
        await self._was_told(found)
        await self.esl.api(f"uuid_kill {call.uuid}")
        return found.outcome

    async def _was_told(self, transfer: Transfer) -> None:
        """The client was told every change, and each only after those before it."""

        def versions_told() -> set[int]:
            # What lost its job is found by the housekeeping: here it comes all the time, not every few minutes.
            django_rq.get_queue().enqueue(jobs.housekeeping)
            return set(transfer.webhooks.exclude(delivered_at=None).values_list("version", flat=True))

        every = set(await sync_to_async(lambda: list(transfer.webhooks.values_list("version", flat=True)))())

        async def all_told() -> bool:
            if not self.parts["worker"].running:  # it dies over these after the story is over
                await self.start_again("worker")
            return await sync_to_async(versions_told)() == every

        await self.until(all_told, TOLD_WITHIN)
        told = [body for body in self._receiver.bodies() if body["id"] == str(transfer.pk)]
        order = list(dict.fromkeys(body["version"] for body in told))
        assert order == sorted(every), f"told {order} of {sorted(every)}"
        assert told[-1]["state"] == "ended", f"told last of {told[-1]}"


async def _field(transfer: Any, field: str) -> Any:
    return await Transfer.objects.values_list(field, flat=True).aget(pk=transfer)
