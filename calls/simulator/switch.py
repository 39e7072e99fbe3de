"""The simulated FreeSWITCH: owns the channels, conferences, timers, audio and the Event Socket of one instance."""

import argparse
import asyncio
import logging
import signal
import tempfile
import time
from collections import deque
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import yaml

from calls.simulator import commands, reports
from calls.simulator.channel import Channel
from calls.simulator.clock import Clock
from calls.simulator.conference import Conference
from calls.simulator.dialplan import Dialplan
from calls.simulator.directory import BookDirectory, Directory
from calls.simulator.events import CONFERENCE, Event, Headers, channel_headers
from calls.simulator.eventsocket import EventSocketServer
from calls.simulator.media import Media
from calls.simulator.parsing import atoi
from calls.simulator.telephones import DEMO, PhoneBook
from calls.simulator.timers import Timers

logger = logging.getLogger(__name__)

REMEMBERED = 2000
"""Legs that are gone and of which the ledger still tells who heard whom."""

DEFAULT_PROFILES = {
    "default": {"rate": "8000", "interval": "20", "energy-level": "100", "caller-controls": "default",
                "moh-sound": "tone_stream://%(200,1800,440);loops=-1"},
}  # fmt: skip
"""Conference profiles: name → params as in conference.conf."""


class SimulatedSwitch:
    """A FreeSWITCH to talk to over a real Event Socket.

    `phonebook` is a mapping as telephones.DEMO, a PhoneBook, or anything that answers as directory.Directory;
    `dialplan` is shaped as dialplan.DEFAULT_DIALPLAN. `speed` divides every delay. Several may live in one process.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        password: str = "ClueCon",
        *,
        phonebook: Mapping[str, Any] | PhoneBook | Directory | None = None,
        dialplan: Mapping[str, Any] | None = None,
        profiles: Mapping[str, Mapping[str, str]] | None = None,
        modules: Sequence[str] = reports.MODULES,
        domain: str = "lab",
        speed: float = 1.0,
        tmp_dir: str | Path | None = None,
    ):
        self.host, self.port, self.password, self.domain = host, port, password, domain
        self.clock = Clock(speed)
        self.dialplan = Dialplan(dialplan)
        self.profiles = {name: dict(params) for name, params in (profiles or DEFAULT_PROFILES).items()}
        self.modules = modules
        self.globals = {"domain": domain}
        self.directory = _directory(phonebook, speed)
        self.media = Media(speed=speed)
        self.channels: dict[str, Channel] = {}
        self.conferences: dict[str, Conference] = {}
        self.timers = Timers(self.clock, self.api, self.in_background)
        self.core_uuid = self.new_uuid()
        self.up_since = self.clock.now()
        self.reply_delay = 0.0
        self.sessions = self.peak = 0
        self._tmp: tempfile.TemporaryDirectory[str] | None = None
        if tmp_dir is None:
            self._tmp = tempfile.TemporaryDirectory(prefix="simulated-switch-")
            tmp_dir = self._tmp.name
        self.tmp_dir = Path(tmp_dir)
        self._server = EventSocketServer(self)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._sequence = self._member_ids = 0
        self._departed: deque[str] = deque(maxlen=REMEMBERED)

    async def start(self) -> None:
        """Begins to listen; `port` is then the real one. Raises OSError when the port is taken."""
        self.tmp_dir.mkdir(parents=True, exist_ok=True)
        self.port = await self._server.start(self.host, self.port)
        await self.media.start()

    async def stop(self) -> None:
        await self._server.stop()
        await self._end_all_calls()
        await self.media.stop()
        if self._tmp:
            self._tmp.cleanup()

    # For tests: what can go wrong outside

    def cut_event_sockets(self) -> None:
        """Aborts every Event Socket connection, as a network failure does; calls go on."""
        self._server.cut()

    def refuse_event_sockets(self, refuse: bool) -> None:
        self._server.refusing = refuse

    def delay_replies(self, seconds: float) -> None:
        """Every command on the Event Socket is answered that much later (real seconds)."""
        self.reply_delay = seconds

    async def restart(self) -> None:
        """FreeSWITCH dies and comes back: connections cut, calls and timers gone, a new Core-UUID."""
        refusing, self._server.refusing = self._server.refusing, True  # who comes in between would be half a call
        self._server.cut()
        await self._end_all_calls()
        self._server.refusing = refusing
        self.core_uuid, self.up_since = self.new_uuid(), self.clock.now()
        self._sequence = self._member_ids = self.sessions = self.peak = 0

    async def _end_all_calls(self) -> None:
        self.timers.clear()
        channels, self.channels = list(self.channels.values()), {}
        conferences, self.conferences = list(self.conferences.values()), {}
        for conference in conferences:
            conference.abandon()
        for channel in channels:
            await channel.kill()
            self.media.remove_leg(channel.uuid)
        for conference in conferences:
            self.media.close_room(conference.uuid)
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # For the parts

    def fire(self, name: str, headers: Headers, *, subclass: str | None = None, body: str | None = None) -> None:
        self._sequence += 1
        self._server.deliver(Event(name, headers, subclass, body, self.common_headers()))

    def common_headers(self) -> Headers:
        now = self.clock.now()
        return [
            ("Core-UUID", self.core_uuid),
            ("FreeSWITCH-Hostname", "pbx"),
            ("FreeSWITCH-Switchname", "pbx"),
            ("FreeSWITCH-IPv4", "127.0.0.1"),
            ("FreeSWITCH-IPv6", "::1"),
            ("Event-Date-Local", time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now))),
            ("Event-Date-GMT", time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(now))),
            ("Event-Date-Timestamp", str(int(now * 1_000_000))),
            ("Event-Sequence", str(self._sequence)),
        ]

    async def api(self, line: str) -> str:
        """Carries out one api command; what it answers is FreeSWITCH's text."""
        return await commands.run(self, line)

    def in_background(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception():
            logger.error("a part of the simulated switch failed", exc_info=task.exception())

    def add_channel(self, channel: Channel) -> None:
        self.channels[channel.uuid] = channel
        self.media.add_leg(channel.leg)
        self.sessions += 1
        self.peak = max(self.peak, len(self.channels))

    def remove_channel(self, channel: Channel) -> None:
        self.media.remove_leg(channel.uuid)
        self.channels.pop(channel.uuid, None)
        if len(self._departed) == REMEMBERED:
            self.media.ledger.forget(self._departed[0])
        self._departed.append(channel.uuid)

    def new_uuid(self) -> str:
        return str(uuid4())

    def next_member_id(self) -> int:
        self._member_ids += 1
        return self._member_ids

    async def join_conference(self, channel: Channel, data: str) -> None:
        """The `conference` application's data: `NAME[@PROFILE][+PIN][+flags{a|b}]`."""
        target, flags = _conference_target(data)
        name, _, profile_name = target.partition("@")
        profile_name = profile_name or "default"
        conference = self.conferences.get(name)
        if conference is None or conference.ending:
            if "join-only" in flags:
                headers = [("Conference-Name", name), ("Conference-Profile-Name", profile_name)]
                headers = channel_headers(channel) + headers + [("Action", "rejected-join-only")]
                self.fire("CUSTOM", headers, subclass=CONFERENCE)
                channel.hangup("NORMAL_CLEARING")
                return
            conference = Conference(self, name, profile_name, self.profiles.get(profile_name, {}))
            # Read only by who opens the conference.
            if grace := channel.variables.get("conference_endconference_grace_time"):
                conference.grace_seconds = atoi(grace)
            self.conferences[name] = conference
        await conference.host(channel, flags)

    def forget_conference(self, conference: Conference) -> None:
        if self.conferences.get(conference.name) is conference:
            del self.conferences[conference.name]


def _conference_target(data: str) -> tuple[str, set[str]]:
    target, _, flags = data.strip().partition("+flags{")
    return target.partition("+")[0], set(flags.rstrip("}").replace(",", "|").split("|")) - {""}


def _directory(phonebook: Mapping[str, Any] | PhoneBook | Directory | None, speed: float) -> Directory:
    if isinstance(phonebook, PhoneBook):
        return BookDirectory(phonebook)
    if phonebook is None or isinstance(phonebook, Mapping):
        return BookDirectory.from_dict(DEMO if phonebook is None else phonebook, speed=speed)
    return phonebook


async def _serve(arguments: argparse.Namespace) -> None:
    book = yaml.safe_load(arguments.phonebook.read_text()) if arguments.phonebook else None
    switch = SimulatedSwitch(
        arguments.host,
        arguments.port,
        arguments.password,
        phonebook=book,
        domain=arguments.domain,
        speed=arguments.speed,
    )
    await switch.start()
    logger.info("simulated FreeSWITCH listens on %s:%s", switch.host, switch.port)
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await stopped.wait()
    await switch.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description="A simulated FreeSWITCH with an Event Socket.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8021)
    parser.add_argument("--password", default="ClueCon")
    parser.add_argument("--domain", default="lab")
    parser.add_argument("--speed", type=float, default=1.0, help="divides every delay")
    parser.add_argument("--phonebook", type=Path, help="a YAML or JSON file: number to temperament, or to its options")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        asyncio.run(_serve(arguments))
    except (OSError, ValueError, yaml.YAMLError) as error:
        parser.exit(1, f"simulated FreeSWITCH: {error}\n")


if __name__ == "__main__":
    main()
