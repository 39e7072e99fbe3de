"""The doctor's one test leg on the switch, and what its audio stream does. Nothing of it stays behind.

The leg is loopback/app=park: no extension rings, no dialplan is entered. Before it is made, a timer on the switch is
told to hang it up, should this process die before it can.
"""

import asyncio
import json
import secrets
import time
from contextlib import suppress
from typing import Any

from calls.doctor import echo
from calls.doctor.stream import Measured
from calls.switch import safe
from calls.switch.connection import Connection, SwitchGone
from calls.switch.parsing import SwitchEvent, json_object

SUBCLASSES = [f"mod_audio_stream::{kind}" for kind in ("connect", "disconnect", "error", "json", "play")]
NET_SECONDS = 60
CONNECT_SECONDS = 3.0  # mod_audio_stream itself gives up after one
ANSWER_SECONDS = 2.0
PINGS = 20
LISTEN_SECONDS = 1.5  # of frames, before the report is asked for


class CheckLeg:
    """Use as an asynchronous context manager: inside, `uuid` is the leg's, "" when it could not be made.

    `on_event` has to be given every event of the connection, which must be subscribed to SUBCLASSES.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.mark = f"check{secrets.token_hex(6)}"
        self.uuid = ""
        self.refusal = ""  # FreeSWITCH's words, when it could not be made
        self.net = ("", "")  # replies to sched_api and sched_del
        self._events: asyncio.Queue[SwitchEvent] = asyncio.Queue()

    def on_event(self, event: SwitchEvent) -> None:
        if event.uuid and event.uuid == self.uuid:
            self._events.put_nowait(event)

    async def __aenter__(self) -> "CheckLeg":
        hang_up = f"hupall NORMAL_CLEARING transferhub_check {self.mark}"
        added = await self._connection.api(f"sched_api +{NET_SECONDS} {self.mark} {hang_up}")
        self.net = (added, "")
        try:
            reply = await self._connection.api(
                f"originate {{transferhub_check={self.mark}}}loopback/app=park park: inline"
            )
        except BaseException:
            await self._tidy()
            raise
        if reply.startswith("+OK "):
            self.uuid = reply[4:].strip()
        else:
            self.refusal = reply
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._tidy()

    async def _tidy(self) -> None:
        """Also when we are being cancelled. Without a connection the switch's own timer does it."""
        tidying = asyncio.ensure_future(self._hang_up())
        try:
            await asyncio.shield(tidying)
        except asyncio.CancelledError:
            await tidying
            raise

    async def _hang_up(self) -> None:
        with suppress(SwitchGone):
            await self._connection.api(f"hupall NORMAL_CLEARING transferhub_check {self.mark}")
            self.net = (self.net[0], await self._connection.api(f"sched_del {self.mark}"))

    # ------------------------------------------------------------ one stream
    async def measure(self, base_url: str, rate: int) -> Measured:
        """Stream to the web process at this address for about two seconds. Raises SwitchGone."""
        measured = Measured(base_url)
        try:
            url = safe.url(f"{base_url}{echo.PATH}{echo.make_token()}")
        except safe.WordingError:
            return measured
        while not self._events.empty():
            self._events.get_nowait()
        began = time.monotonic()
        reply = await self._connection.api(f"uuid_audio_stream {self.uuid} start {url} mono {_spelled(rate)}")
        measured.ordered = reply.startswith("+OK")
        if not measured.ordered:
            return measured
        try:
            await self._follow(measured, began)
        finally:
            with suppress(SwitchGone):
                await self._connection.api(f"uuid_audio_stream {self.uuid} stop")
        if self._connection.closed:  # what was not measured is no fault of the stream's
            raise SwitchGone(self._connection.reason)
        return measured

    async def _follow(self, measured: Measured, began: float) -> None:
        event = await self._next(CONNECT_SECONDS, "connect", "error")
        if event is None or event.name.endswith("::error"):
            message = json_object(event.body).get("message") if event else None
            measured.error = message if isinstance(message, dict) else None
            return
        measured.connect_ms = _since(began)
        if await self._heard("first_frame", ANSWER_SECONDS) is None:
            return
        measured.first_frame_ms = _since(began)
        for number in range(PINGS):
            sent = time.monotonic()
            await self._say({"check": "ping", "n": number})
            if await self._heard("ping", ANSWER_SECONDS) is None:
                break
            measured.echoes_ms.append(_since(sent))
        await asyncio.sleep(max(0.0, LISTEN_SECONDS - (time.monotonic() - began)))
        await self._say({"check": "report"})
        measured.report = await self._heard("report", ANSWER_SECONDS)
        await self._say({"check": "clip"})
        played = await self._next(ANSWER_SECONDS, "play")
        measured.clip = json_object(played.body) if played else None

    async def _say(self, message: dict[str, Any]) -> None:
        text = json.dumps(message, separators=(",", ":"))  # no blank: it is one argument
        await self._connection.api(f"uuid_audio_stream {self.uuid} send_text {text}")

    async def _heard(self, what: str, seconds: float) -> dict[str, Any] | None:
        """The next text of this kind from the web process."""
        ends = time.monotonic() + seconds
        while (event := await self._next(ends - time.monotonic(), "json", "error", "disconnect")) is not None:
            if not event.name.endswith("::json"):
                return None
            said = json_object(event.body)
            if said.get("check") == what:
                return said
        return None

    async def _next(self, seconds: float, *kinds: str) -> SwitchEvent | None:
        wanted = {f"mod_audio_stream::{kind}" for kind in kinds}
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                while (event := await self._events.get()).name not in wanted:
                    continue
                return event
        except TimeoutError:
            return None


def _since(began: float) -> float:
    return (time.monotonic() - began) * 1000


def _spelled(rate: int) -> str:
    return {8000: "8k", 16000: "16k"}.get(rate) or str(rate)
