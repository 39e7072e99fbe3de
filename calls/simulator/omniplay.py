"""A small OmniPlay ticket server for tests and the demo: `POST /tickets` and `GET /tickets` with a bearer token.

`OmniPlay` in a test's own process, or `python -m calls.simulator.omniplay --port 8901 --token …` as one of its own.
"""

import argparse
import asyncio
import json
import logging
import os
import re
import socket
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime

import uvicorn

MAX_BODY = 64 * 1024
FIELDS = ("caller_id", "context", "reason", "uuid", "timestamp", "protocol")
_PROTOCOL = re.compile(r"[0-9A-Za-z-]{1,40}")


@dataclass
class Mood:
    """How the server misbehaves; may be changed at any time."""

    delay: float = 0.0
    """Seconds before every answer."""
    status: int | None = None
    """Answered in place of everything else: 500, 429, 404 …"""
    wrong_answer: bool = False
    """201 with a body that is not what was agreed."""
    lose_answers: int = 0
    """So many times more the ticket is opened, and the connection drops before the answer."""


class OmniPlay:
    """Tickets live in memory. `port` 0: any free one. `down()` and `up()` close and open the port."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0, *, token: str = "omniplay-token"):
        self.host, self.port, self.token = host, port, token
        self.mood = Mood()
        self.tickets: dict[str, dict] = {}
        """By protocol, in the order of opening, each with its `id`."""
        self.requests: list[tuple[str, str, int]] = []
        """Method, path and status of everything asked."""
        self._server: uvicorn.Server | None = None
        self._task: asyncio.Task | None = None

    @property
    def url(self) -> str:
        """What OMNIPLAY_URL is set to."""
        return f"http://{self.host}:{self.port}"

    async def start(self) -> "OmniPlay":
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((self.host, self.port))
        self.port = listener.getsockname()[1]
        config = uvicorn.Config(self, lifespan="off", log_level="critical", ws="none")
        self._server = _Guest(config)
        self._task = asyncio.create_task(self._server.serve(sockets=[listener]))
        while not self._server.started:
            if self._task.done():
                await self._task
            await asyncio.sleep(0.005)
        return self

    async def stop(self) -> None:
        if self._server:
            self._server.should_exit = self._server.force_exit = True
            await self._task
            self._server = self._task = None

    async def __aenter__(self) -> "OmniPlay":
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def down(self) -> None:
        """Nobody listens on the port any more; the tickets stay."""
        await self.stop()

    async def up(self) -> None:
        """Listens again, on the same port."""
        await self.start()

    async def __call__(self, scope, receive, send) -> None:
        body = await _body(receive)
        mood = self.mood
        await asyncio.sleep(mood.delay)
        if mood.status:
            status, answer = mood.status, {"error": "the ticket system is not well"}
        else:
            status, answer = self._answer(scope, body)
        self.requests.append((scope["method"], scope["path"], status))
        if mood.wrong_answer:
            status, answer = 201, ["not", "a", "ticket"]
        written = json.dumps(answer, ensure_ascii=False).encode()
        headers = [
            (b"content-type", b"application/json; charset=utf-8"),
            (b"content-length", str(len(written)).encode()),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        if mood.lose_answers and status == 201:
            mood.lose_answers -= 1
            return  # without the body that was promised: uvicorn drops the connection
        await send({"type": "http.response.body", "body": written})

    def _answer(self, scope, body: bytes | None) -> tuple[int, dict | list]:
        given = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
        if given != f"Bearer {self.token}":
            return 401, {"error": "invalid or missing bearer token"}
        if scope["path"] != "/tickets":
            return 404, {"error": f"there is nothing at {scope['path']}"}
        if scope["method"] == "GET":
            return 200, {"tickets": list(self.tickets.values())}
        if scope["method"] != "POST":
            return 405, {"error": "GET or POST"}
        if body is None:
            return 413, {"error": f"at most {MAX_BODY} bytes"}
        try:
            ticket = json.loads(body)
        except ValueError:
            return 422, {"error": "the body is not JSON"}
        wrong = problems(ticket)
        if wrong:
            return 422, {"error": "invalid ticket", "fields": wrong}
        return self._open(ticket)

    def _open(self, ticket: dict) -> tuple[int, dict]:
        known = self.tickets.get(ticket["protocol"])
        if known is None:
            known = self.tickets[ticket["protocol"]] = {"id": f"OMNI-{10001 + len(self.tickets)}", **ticket}
        elif any(known[name] != ticket[name] for name in FIELDS):
            return 409, {"error": "another ticket has this protocol", "id": known["id"]}
        return 201, {"id": known["id"]}


def problems(ticket: object) -> dict[str, str]:
    """What is wrong with a ticket, field by field; nothing for a good one."""
    if not isinstance(ticket, dict):
        return {"": "an object is expected"}
    found = {name: "unknown field" for name in ticket if name not in FIELDS}
    for name in FIELDS:
        if not isinstance(ticket.get(name), str):
            found[name] = "a string is required"
        elif not ticket[name] and name not in ("caller_id", "context"):  # an anonymous caller has no number
            found[name] = "may not be empty"
    if "protocol" not in found and not _PROTOCOL.fullmatch(ticket["protocol"]):
        found["protocol"] = "1 to 40 letters, digits and hyphens"
    if "timestamp" not in found:
        try:
            aware = datetime.fromisoformat(ticket["timestamp"]).tzinfo is not None
        except ValueError:
            aware = False
        if not aware:
            found["timestamp"] = "ISO 8601 with an offset from UTC"
    return found


async def _body(receive) -> bytes | None:
    """The whole body; None for one that is too large."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body if len(body) <= MAX_BODY else None
        if len(body) > MAX_BODY:
            body = body[: MAX_BODY + 1]


class _Guest(uvicorn.Server):
    """Inside another program: its signals are not ours to catch."""

    def capture_signals(self) -> AbstractContextManager[None]:
        return nullcontext()


def main() -> None:
    parser = argparse.ArgumentParser(description="A simulated OmniPlay.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--token", default=os.environ.get("OMNIPLAY_TOKEN", "omniplay-token"))
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before every answer")
    parser.add_argument("--status", type=int, help="answered in place of everything else")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    server = OmniPlay(token=arguments.token)
    server.mood = Mood(delay=arguments.delay, status=arguments.status)
    uvicorn.run(server, host=arguments.host, port=arguments.port, lifespan="off", ws="none")


if __name__ == "__main__":
    main()
