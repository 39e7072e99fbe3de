"""The Event Socket's server side: framing, authentication, subscriptions, `api` serial per connection, `bgapi`."""

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING
from urllib.parse import unquote
from uuid import uuid4

from calls.simulator.events import Event

if TYPE_CHECKING:
    from calls.simulator.switch import SimulatedSwitch

logger = logging.getLogger(__name__)

GOODBYE = "Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n"

EVENT_NAMES = frozenset(
    [
        "ALL",
        "CUSTOM",
        "CHANNEL_CREATE",
        "CHANNEL_PROGRESS",
        "CHANNEL_PROGRESS_MEDIA",
        "CHANNEL_ANSWER",
        "CHANNEL_HANGUP",
        "CHANNEL_HANGUP_COMPLETE",
        "CHANNEL_DESTROY",
        "CHANNEL_STATE",
        "CHANNEL_CALLSTATE",
        "CHANNEL_EXECUTE",
        "CHANNEL_EXECUTE_COMPLETE",
        "CHANNEL_HOLD",
        "CHANNEL_UNHOLD",
        "CHANNEL_PARK",
        "CHANNEL_UNPARK",
        "CHANNEL_BRIDGE",
        "CHANNEL_UNBRIDGE",
        "CHANNEL_UUID",
        "BACKGROUND_JOB",
        "DTMF",
        "PLAYBACK_START",
        "PLAYBACK_STOP",
        "HEARTBEAT",
        "SHUTDOWN",
        "RELOADXML",
        "API",
        "ADD_SCHEDULE",
        "DEL_SCHEDULE",
        "EXE_SCHEDULE",
        "CALL_UPDATE",
        "RECORD_START",
        "RECORD_STOP",
    ]
)


class Connection:
    """One client of the Event Socket; it sees only the events it asked for."""

    def __init__(self, switch: "SimulatedSwitch", reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self._switch = switch
        self._reader = reader
        self._writer = writer
        self._authenticated = False
        self._names: set[str] = set()
        self._subclasses: set[str] = set()
        self._filters: list[tuple[str, str]] = []

    async def serve(self) -> None:
        self._write("Content-Type: auth/request\n\n")
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while (command := await self._read_command()) is not None:
                if self._switch.reply_delay:
                    await asyncio.sleep(self._switch.reply_delay)
                if not await self._obey(*command):
                    self._write(f"Content-Type: text/disconnect-notice\nContent-Length: {len(GOODBYE)}\n\n{GOODBYE}")
                    break
                await self._writer.drain()
        self.close()

    def close(self) -> None:
        self._names.clear()
        self._writer.close()

    def abort(self) -> None:
        """Cuts the connection without a word, as a network failure does."""
        self._names.clear()
        self._writer.transport.abort()

    def deliver(self, event: Event) -> None:
        if self._wants(event):
            text = event.text().encode()
            self._writer.write(b"Content-Length: %d\nContent-Type: text/event-plain\n\n" % len(text) + text)

    def _wants(self, event: Event) -> bool:
        if not ("ALL" in self._names or event.name in self._names):
            return False
        if event.subclass and "ALL" not in self._names and event.subclass not in self._subclasses:
            return False
        return not self._filters or any(event.get(name) == value for name, value in self._filters)

    async def _read_command(self) -> tuple[str, dict[str, str]] | None:
        lines: list[str] = []
        while True:
            line = (await self._reader.readline()).decode(errors="replace")
            if not line:
                return None
            line = line.rstrip("\r\n")
            if line:
                lines.append(line)
            elif lines:
                break
        headers = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        if headers.get("Content-Length", "").isdigit():
            await self._reader.readexactly(int(headers["Content-Length"]))
        return lines[0], headers

    async def _obey(self, command: str, headers: dict[str, str]) -> bool:
        """Carries one command out and answers it. Returns False when the connection has to end."""
        verb, _, argument = command.partition(" ")
        verb = verb.lower()
        if verb == "exit":
            self._reply("+OK bye")
            return False
        if not self._authenticated:
            self._authenticated = verb == "auth" and argument == self._switch.password
            if verb == "auth":
                self._reply("+OK accepted" if self._authenticated else "-ERR invalid")
            return self._authenticated or verb != "auth"
        if verb == "api":
            body = (await self._switch.api(argument)) or "-ERR no reply\n"
            self._write(f"Content-Type: api/response\nContent-Length: {len(body.encode())}\n\n{body}")
        elif verb == "bgapi":
            job = headers.get("Job-UUID") or str(uuid4())
            self._write(f"Content-Type: command/reply\nReply-Text: +OK Job-UUID: {job}\nJob-UUID: {job}\n\n")
            self._switch.in_background(self._run_job(job, argument))
            # A hupall right behind an originate finds its legs: the job has begun before the next command is read.
            await asyncio.sleep(0)
        else:
            self._reply(self._manage(verb, argument))
        return True

    async def _run_job(self, job: str, command: str) -> None:
        name, _, argument = command.partition(" ")
        body = (await self._switch.api(command)) or "-ERR no reply\n"
        headers = [("Job-UUID", job), ("Job-Command", name)] + ([("Job-Command-Arg", argument)] if argument else [])
        self._switch.fire("BACKGROUND_JOB", headers, body=body)

    def _manage(self, verb: str, argument: str) -> str:
        words = argument.split()
        if verb == "event":
            return self._subscribe(words)
        if verb == "nixevent":
            self._names -= {word.upper() for word in words}
            self._subclasses -= set(words)
            return "+OK events nixed"
        if verb == "noevents":
            listening = bool(self._names)
            self._names.clear()
            self._subclasses.clear()
            return "+OK no longer listening for events" if listening else "-ERR not listening for events"
        if verb == "filter" and len(words) >= 2:
            return self._filter(words)
        return "-ERR command not found"

    def _subscribe(self, words: list[str]) -> str:
        if words and words[0] in ("plain", "json", "xml"):
            if words[0] != "plain":
                return "-ERR the simulator speaks plain events only"
            words = words[1:]
        known = 0
        for position, word in enumerate(words):
            if word.upper() not in EVENT_NAMES:
                continue
            known += 1
            self._names.add(word.upper())
            if word.upper() == "CUSTOM":
                # Everything behind CUSTOM is a subclass.
                self._subclasses.update(words[position + 1 :])
                break
        return "+OK event listener enabled plain" if known else "-ERR no keywords supplied"

    def _filter(self, words: list[str]) -> str:
        if words[0] == "delete":
            value = unquote(" ".join(words[2:]))
            self._filters = [kept for kept in self._filters if kept[0] != words[1] or (value and kept[1] != value)]
            return f"+OK filter deleted. [{words[1]}][{value}]"
        name, value = words[0], unquote(" ".join(words[1:]))
        self._filters.append((name, value))
        return f"+OK filter added. [{name}]=[{value}]"

    def _reply(self, text: str) -> None:
        self._write(f"Content-Type: command/reply\nReply-Text: {text}\n\n")

    def _write(self, text: str) -> None:
        self._writer.write(text.encode())


class EventSocketServer:
    """Listens, and hands every fired event to the connections that want it."""

    def __init__(self, switch: "SimulatedSwitch"):
        self._switch = switch
        self._server: asyncio.Server | None = None
        self._connections: dict[Connection, asyncio.Task[None]] = {}
        self.refusing = False

    async def start(self, host: str, port: int) -> int:
        self._server = await asyncio.start_server(self._accept, host, port, limit=1 << 24)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        if self._server:
            self._server.close()
        self.cut()
        await asyncio.gather(*self._connections.values(), return_exceptions=True)

    def cut(self) -> None:
        for connection in self._connections:
            connection.abort()

    def deliver(self, event: Event) -> None:
        for connection in list(self._connections):
            connection.deliver(event)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            writer.transport.abort()
            return
        connection = Connection(self._switch, reader, writer)
        task = asyncio.current_task()
        assert task is not None
        self._connections[connection] = task
        try:
            await connection.serve()
        except Exception:
            logger.exception("an Event Socket connection ended in an error")
        finally:
            connection.close()
            self._connections.pop(connection, None)
