"""A Realtime server for tests and the demo: the GA WebSocket API of OpenAI as far as a voice announcer meets it.

`RealtimeServer` in a test's own process, or `python -m calls.simulator.realtime --port 8900` as one of its own. The
wire and its strictness are those of the real one; the model behind it understands the simulated people by their sound
alone (recogniser.py) and speaks with espeak-ng. `Fault` makes it misbehave.
"""

import argparse
import asyncio
import json
import logging
import os
import signal
from collections import deque
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from calls.simulator.realtime_faults import Fault
from calls.simulator.realtime_manner import PORTUGUESE, Manner
from calls.simulator.realtime_response import Pace
from calls.simulator.realtime_session import RealtimeSession

log = logging.getLogger(__name__)

PATH = "/v1/realtime"
MAX_MESSAGE = 21 * 1024 * 1024  # 15 MiB of audio in base64
EXPIRED = "Your session hit the maximum duration of 60 minutes."
KEPT_SESSIONS = 500
TICK = 0.1
"""Seconds between two looks at the faults that come after a time."""
_NONSENSE = (
    "{this is not JSON",
    '"a string"',
    '["a", "list"]',
    "{}",
    '{"type": null}',
    '{"type": "conversation.item.levitated", "event_id": "event_x", "height": {"m": 3}}',
    '{"type": "response.output_audio.delta", "event_id": "event_x"}',
    json.dumps({"type": "session.padding", "event_id": "event_x", "padding": "x" * 2_000_000}),
)


class RealtimeServer:
    """Listens on `port` (0: any free one). `key`: the only API key accepted; None: any."""

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        key: str | None = None,
        pace: Pace | None = None,
        preamble: bool = False,
        manner: Manner = PORTUGUESE,
    ):
        self.host, self.port = host, port
        self.faults: list[Fault] = []
        """May be changed at any time; read at every occasion."""
        self.sessions: deque[RealtimeSession] = deque(maxlen=KEPT_SESSIONS)
        """Of every accepted connection, the oldest first."""
        self.attempts = 0
        """Connections asked for, the refused ones included."""
        self.pace, self.preamble, self.manner = pace or Pace(), preamble, manner
        self._key = key
        self._server: Server | None = None

    @property
    def url(self) -> str:
        """What OPENAI_REALTIME_URL is set to; `?model=` is the client's."""
        return f"ws://{self.host}:{self.port}{PATH}"

    async def start(self) -> "RealtimeServer":
        await self.manner.prepare()
        self._server = await serve(
            self._converse,
            self.host,
            self.port,
            process_request=self._admit,
            max_size=MAX_MESSAGE,
            compression=None,
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        if self._server:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def __aenter__(self) -> "RealtimeServer":
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        self.attempts += 1
        connection.number = self.attempts
        refused = next((f for f in self.faults if f.kind == "refuse" and f.applies(connection.number, "")), None)
        if refused:
            return _http_error(connection, refused.status, "The server is not willing.", "refused")
        where = urlsplit(request.path)
        if where.path != PATH:
            return _http_error(connection, 404, f"Invalid URL (GET {where.path})", None)
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not key or (self._key is not None and key != self._key):
            return _http_error(connection, 401, "Incorrect API key provided.", "invalid_api_key")
        if not parse_qs(where.query).get("model"):
            return _http_error(connection, 400, "You must provide a model parameter.", "missing_model")
        return None

    async def _converse(self, connection: ServerConnection) -> None:
        model = parse_qs(urlsplit(connection.request.path).query)["model"][0]
        line = _Line(connection, self)
        session = RealtimeSession(
            connection.number, model, line.emit, lambda: self.faults,
            pace=self.pace, preamble=self.preamble, manner=self.manner,
        )  # fmt: skip
        line.session = session
        self.sessions.append(session)
        writer = asyncio.create_task(line.write())
        clock = asyncio.create_task(line.wait_for_the_end())
        try:
            if await line.refused_after_the_handshake(model):
                return
            session.open()
            async for message in connection:
                session.receive(message)
        except ConnectionClosed:
            pass
        finally:
            session.close_code = connection.close_code
            session.close()
            clock.cancel()
            writer.cancel()


class _Line:
    """The socket's side of one session: events out in order, and the faults that happen on the wire."""

    def __init__(self, connection: ServerConnection, server: RealtimeServer):
        self.session: RealtimeSession
        self._connection, self._server = connection, server
        self._outgoing: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self._silent = False
        self._struck: set[Fault] = set()

    def emit(self, event: dict) -> None:
        # Written down now: items go on changing while the event waits its turn.
        self._outgoing.put_nowait((event["type"], json.dumps(event, ensure_ascii=False)))

    async def refused_after_the_handshake(self, model: str) -> bool:
        """As the real one does it: the upgrade succeeds, then an error event and a close."""
        if "OpenAI-Beta" in self._connection.request.headers:
            message = "The Realtime Beta API is no longer supported. Please use /v1/realtime for the GA API."
            await self._say_no("beta_api_shape_disabled", message)
            return True
        if not model.startswith("gpt-realtime"):
            await self._say_no(
                "model_not_found", f"The model '{model}' does not exist or you do not have access to it."
            )
            return True
        if self.session.fault("hang_up"):
            await self._connection.close(1011, "internal error")
            return True
        return False

    async def _say_no(self, code: str, message: str) -> None:
        error = {"type": "invalid_request_error", "code": code, "message": message, "param": None, "event_id": None}
        await self._connection.send(json.dumps({"type": "error", "event_id": "event_refused", "error": error}))
        await self._connection.close(4000, f"invalid_request_error.{code}")

    async def write(self) -> None:
        try:
            while True:
                kind, text = await self._outgoing.get()
                if await self._spoiled(kind):
                    continue
                await self._connection.send(text)
        except ConnectionClosed:
            pass

    async def _spoiled(self, kind: str) -> bool:
        """Whether a fault takes this event's place."""
        for fault in self._faults():
            if fault.before in (None, kind) and not fault.after:
                await self._strike(fault)
        return self._silent

    async def wait_for_the_end(self) -> None:
        """Faults at a time; looked at again and again, as they may be told, or begin to apply, at any moment."""
        clock = asyncio.get_running_loop().time
        begun = clock()
        while True:
            await asyncio.sleep(TICK)
            for fault in self._faults():
                if fault.after and clock() - begun >= fault.after:
                    await self._strike(fault)

    def _faults(self) -> list[Fault]:
        session = self.session
        return [
            fault
            for fault in self._server.faults
            if fault.kind in ("stall", "drop", "expire", "nonsense")
            and fault not in self._struck
            and fault.applies(session.number, session.instructions)
        ]

    async def _strike(self, fault: Fault) -> None:
        self._struck.add(fault)
        if fault.kind == "nonsense":
            for text in _NONSENSE:
                await self._connection.send(text)
            return
        self._silent = True
        if fault.kind == "drop":
            self._connection.transport.abort()
        elif fault.kind == "expire":
            await self._connection.close(1001, EXPIRED)


def _http_error(connection: ServerConnection, status: int, message: str, code: str | None) -> Response:
    error = {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}
    response = connection.respond(HTTPStatus(status), json.dumps(error))
    del response.headers["Content-Type"]
    response.headers["Content-Type"] = "application/json"
    return response


async def _serve(arguments: argparse.Namespace) -> None:
    pace = Pace(first_audio=arguments.first_audio, speed=arguments.speed)
    server = RealtimeServer(arguments.host, arguments.port, pace=pace, preamble=arguments.preamble)
    server.faults = [Fault.parse(text) for text in arguments.fault]
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with server:
        log.info("simulated Realtime API on %s", server.url)
        await stop.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="A simulated OpenAI Realtime API.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--first-audio", type=float, default=Pace.first_audio, help="seconds to the first sound")
    parser.add_argument("--speed", type=float, default=Pace.speed, help="times faster than real time")
    parser.add_argument("--preamble", action="store_true", help="say a few words before a tool call")
    parser.add_argument(
        "--fault",
        action="append",
        default=list(filter(None, os.environ.get("SIMULATED_REALTIME_FAULTS", "").split(";"))),
        help="for example drop,before=response.created,session=2 (or SIMULATED_REALTIME_FAULTS, separated by ;)",
    )
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("websockets").setLevel(logging.WARNING)
    asyncio.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
