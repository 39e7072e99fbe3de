"""The web process: HTTP, the supervisors' sockets, FreeSWITCH's audio sockets, and the hub behind those.

uvicorn announces start and stop (lifespan), and drains at SIGTERM (calls/drain.py); daphne does not, so there the hub
starts with the first connection and dies with the process, which others notice by its heartbeat.
"""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "transferhub.settings")

from django.core.asgi import get_asgi_application  # noqa: E402

http = get_asgi_application()  # before anything that needs the models

import asyncio  # noqa: E402
import gc  # noqa: E402
import importlib.util  # noqa: E402
from collections.abc import Callable  # noqa: E402
from typing import Any  # noqa: E402

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402
from django.urls import re_path  # noqa: E402

from calls import drain  # noqa: E402
from calls.doctor.echo import PATH as CHECK_PATH  # noqa: E402
from calls.doctor.echo import echo  # noqa: E402
from calls.voice.consumer import PATH as AUDIO_PATH  # noqa: E402
from calls.voice.consumer import AudioConsumer  # noqa: E402
from calls.voice.hub import Hub  # noqa: E402
from calls.voice.listen import PATH as LISTEN_PATH  # noqa: E402
from calls.voice.listen import ListenConsumer  # noqa: E402


class Application:
    """The ASGI callable, with one hub for the event loop it runs in; `make_hub` is replaced by tests."""

    def __init__(self, make_hub: Callable[[], Hub] = Hub) -> None:
        self.hub: Hub | None = None
        self._make_hub = make_hub
        self._loop: asyncio.AbstractEventLoop | None = None
        self._audio = AudioConsumer.as_asgi()
        self._listen = ListenConsumer.as_asgi()
        self._console = _console()
        self._router = ProtocolTypeRouter({"http": http, "websocket": self._websocket, "lifespan": self._lifespan})

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            self._start()
        await self._router(scope, receive, send)

    async def _websocket(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["path"].startswith(CHECK_PATH):
            await echo(scope, receive, send)
        elif scope["path"].startswith(LISTEN_PATH):
            await self._listen({**scope, "audio_hub": self.hub}, receive, send)
        elif scope["path"].startswith(AUDIO_PATH):
            # No session and no origin: FreeSWITCH has neither, the token is what counts.
            await self._audio({**scope, "audio_hub": self.hub}, receive, send)
        else:
            await self._console(scope, receive, send)

    async def _lifespan(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._start()
                drain.before_sigterm(self.hub.drain)
                await send({"type": "lifespan.startup.complete"})
            else:
                if self.hub:
                    await self.hub.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    def _start(self) -> None:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self.hub = loop, self._make_hub()
            self.hub.start()


async def _nobody(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.close"})


def _console() -> Any:
    """The supervisors' sockets: signed-in people, from pages of our own."""
    if not importlib.util.find_spec("calls.console.routing"):
        return _nobody
    from calls.console.routing import websocket_urlpatterns

    routes = URLRouter([*websocket_urlpatterns, re_path(r"", _nobody)])
    return AllowedHostsOriginValidator(AuthMiddlewareStack(routes))


application = Application()
gc.collect()
gc.freeze()  # what start-up made is never scanned again: a full collection would hold up every call for 100 ms
