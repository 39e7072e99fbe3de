"""One certificate, from the first leg to the last trace removed."""

import asyncio
import contextlib
import re
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import structlog
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DatabaseError

from calls.certify.certificate import Certificate, Lived
from calls.certify.edition import examine
from calls.certify.installation import Desk, Installation
from calls.certify.legs import EVENTS, Switchboard
from calls.certify.listening import Ears
from calls.certify.relay import Relay
from calls.certify.scene import Measures, Scene, StoryFailed
from calls.certify.stories import LAST, STORIES, Story
from calls.demo.esl import EslError, EventSocket
from calls.models import SwitchCommand, Transfer, TransferEvent
from calls.transfer.states import State

log = structlog.get_logger(__name__)

EMPTY_WITHIN = 12.0
"""Seconds after the last story: the conferences' grace time, and what the product tidies up by itself."""
LONGEST_STORY = 75.0


class Run:
    """`live` is everything; `certificate` is complete afterwards, also when it was interrupted."""

    def __init__(self, folder: Path, audio_url: str, side_by_side: int, only: list[str], say: Callable[[str], None]):
        """`only`: names of stories; empty: all."""
        self._only = only
        self._say = say
        self._side_by_side = side_by_side
        self._mark = f"certify{secrets.token_hex(4)}"
        where = urlsplit(audio_url)
        local = where.hostname in ("127.0.0.1", "localhost", "::1")
        self._relay = Relay("127.0.0.1" if local else "0.0.0.0", where.port or 0)
        self._host = f"{where.scheme}://{where.netloc.rpartition('@')[2].partition(':')[0]}"
        self._ears = Ears()
        self._folder = folder
        self._house: Installation
        self._board: Switchboard
        self._measures = Measures()
        self.certificate = Certificate(
            f"{settings.FREESWITCH_HOST}:{settings.FREESWITCH_PORT}",
            "",
            time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            side_by_side,
        )

    async def live(self) -> None:
        """Raises EslError, OSError, PartFailed, TimeoutError: what kept it from beginning."""
        began = time.monotonic()
        async with contextlib.AsyncExitStack() as stack:
            await self._open(stack)
            self._say("what mod_audio_stream can do …")
            self.certificate.audio_stream = await examine(self._board)
            await self._stories()
            await self._name_measures()
            self.certificate.left_over = await self._left_over()
        self.certificate.seconds = round(time.monotonic() - began, 1)

    async def _open(self, stack: contextlib.AsyncExitStack) -> None:
        password = settings.FREESWITCH_PASSWORD
        esl = await EventSocket.connect(settings.FREESWITCH_HOST, settings.FREESWITCH_PORT, password, *EVENTS)
        stack.push_async_callback(esl.close)
        self.certificate.version = (await esl.api("version")).strip()
        await self._relay.start()
        stack.push_async_callback(self._relay.stop)
        self._relay.ears = await self._ears.start()
        stack.push_async_callback(self._ears.stop)
        self._ears.url = f"{self._host}:{self._relay.port}"
        self._say("our own web and switch process …")
        self._house = Installation(self._folder, self._ears.url, self._mark, self._say)
        self._relay.web = self._house.port
        stack.push_async_callback(self._house.stop)
        self._board = Switchboard(esl, self._ears, self._mark)
        stack.push_async_callback(self._clear)
        await self._house.start()
        await self._board.open()

    # ------------------------------------------------------------ the stories
    async def _stories(self) -> None:
        names = [name for name in STORIES if name in (self._only or STORIES)]
        count = max(len(names), self._side_by_side) if names else 0
        room = asyncio.Semaphore(self._side_by_side)
        self._say(f"{count} transfers, {self._side_by_side} side by side …")

        async def one(index: int) -> None:
            name = names[index % len(names)]
            does, story = STORIES[name]
            async with room:
                await self._live_through(name, does, story, index)

        await asyncio.gather(*(one(index) for index in range(count)))
        name, does, story = LAST
        if not self._only or name in self._only:
            self._say("our processes die …")
            await self._live_through(name, does, story, count)

    async def _live_through(self, name: str, does: str, story: Story, index: int) -> None:
        desk = Desk(f"{name.replace('_', '-')}-{index}", f"{does}{index}")
        await self._house.hire(desk)
        scene = Scene(self._board, self._house, self._relay, desk, f"5511900{index:06d}", self._measures)
        began = time.monotonic()
        try:
            async with asyncio.timeout(LONGEST_STORY):
                await scene.begin()
                await story(scene)
        except StoryFailed as failure:
            scene.problems.append(str(failure))
        except (EslError, TimeoutError, OSError) as failure:
            words = str(failure) or f"the story was not over within {LONGEST_STORY:g} s"
            scene.problems.append(f"{type(failure).__name__}: {words}")
        except Exception as failure:
            log.exception("story failed", story=name)
            scene.problems.append(f"broken off: {type(failure).__name__}")
        finally:
            with contextlib.suppress(AttributeError, EslError):
                await scene.caller.hang_up()
        lived = Lived(name, scene.problems, round(time.monotonic() - began, 1))
        self.certificate.stories.append(lived)
        if scene.problems:
            lived.log = await sync_to_async(_log_of)(scene.transfer.get("id"))
            self._say(f"{name}: {'; '.join(scene.problems)}")

    # ------------------------------------------------------------ measuring
    async def _name_measures(self) -> None:
        self.certificate.measures = dict(sorted(self._measures.values.items()))
        commands, decided = await sync_to_async(_timings)()
        self.certificate.commands = commands | {"decision to put through": decided}

    # ------------------------------------------------------------ leaving
    async def _left_over(self) -> list[str]:
        """What of ours is still on the switch when all should be gone."""
        ends = time.monotonic() + EMPTY_WITHIN
        while True:
            left = await self._ours()
            if not left or time.monotonic() > ends:
                return left
            await asyncio.sleep(0.5)

    async def _ours(self) -> list[str]:
        shorts = await sync_to_async(_short_ids)()
        esl = self._board.esl
        left = []
        for what in ("show channels", "show tasks", "conference list"):
            lines = (await esl.api(what)).splitlines()
            left += [f"{what}: {line}" for line in lines if any(short in line for short in shorts)]
        left += [f"leg {line}" for line in (await esl.api("show channels")).splitlines() if self._mark in line]
        return left

    async def _clear(self) -> None:
        """However it ended: our legs, the timers of our transfers, our net."""
        with contextlib.suppress(EslError, OSError, DatabaseError):
            await self._board.clear()
            tasks = (await self._board.esl.api("show tasks")).splitlines()
            for short in await sync_to_async(_short_ids)():
                groups = {group for line in tasks for group in re.findall(rf"th_{short}_[0-9a-z]+", line)}
                for group in groups:
                    await self._board.esl.api(f"sched_del {group}")


def _short_ids() -> list[str]:
    return [transfer.short_id for transfer in Transfer.objects.all()]


def _log_of(transfer_id: str | None) -> list[str]:
    rows = TransferEvent.objects.filter(transfer_id=transfer_id).order_by("id")
    return [f"{row.at:%H:%M:%S.%f} {row.event}: {row.from_state} → {row.to_state} {row.detail or ''}" for row in rows]


def _timings() -> tuple[dict[str, list[float]], list[float]]:
    """Milliseconds from claiming a command to its last answer, by kind; from decision to the two talking."""
    commands: dict[str, list[float]] = {}
    for row in SwitchCommand.objects.filter(state=SwitchCommand.State.DONE).exclude(done_at=None).order_by("kind"):
        if row.claimed_at and row.done_at:
            took = (row.done_at - row.claimed_at).total_seconds() * 1000
            commands.setdefault(row.kind, []).append(round(took, 1))
    decided: list[float] = []
    for done in TransferEvent.objects.filter(event="PutThroughDone", to_state=State.CONNECTED.value):
        made = TransferEvent.objects.filter(transfer=done.transfer_id, event="DecisionMade").order_by("-id").first()
        if made:
            decided.append(round((done.at - made.at).total_seconds() * 1000, 1))
    return commands, decided
