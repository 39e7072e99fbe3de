"""What every socket of the console has: a viewer who is known and stays known, and ears on the bus.

The page only listens. Whatever it sends is thrown away: people act by POST (acting.py), where a token and the rights
are checked. The bus may be dead: each socket also looks by itself, once a second.
"""

import asyncio
import contextlib
import json
from importlib import import_module
from typing import Any

import structlog
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.layers import get_channel_layer
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.utils.crypto import constant_time_compare

from calls.console.threads import in_a_thread
from calls.rights import Rights, rights_of
from calls.tasks import cancelled

log = structlog.get_logger(__name__)

NOT_ALLOWED = 4403  # the page asks again who it is
LOOK_SECONDS = 1.0
RIGHTS_SECONDS = 5.0
LISTEN_AGAIN_SECONDS = 1.0


class ConsoleSocket(AsyncWebsocketConsumer):
    """Subclasses say which `group` they hear, what to do `on_message`, and `serve()` for as long as it is open."""

    rights: Rights
    group = ""

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        # Not Channels' own dispatch: it ends the socket when the channel layer fails.
        self.scope, self.base_send = scope, send
        await receive()  # websocket.connect
        self._session_key = scope["session"].session_key
        rights = await in_a_thread(rights_of_session)(self._session_key)
        await self.accept()  # also for who may not: only an open socket can say why it closes
        if rights is None or not await self.admit(rights):
            await self.close(code=NOT_ALLOWED)
            return
        self.rights = rights
        tasks = [asyncio.create_task(job()) for job in (self._listen, self._keep_rights, self.serve)]
        hearing = asyncio.create_task(self._until_closed(receive))
        try:
            done, _ = await asyncio.wait([*tasks, hearing], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if task is not hearing and not task.cancelled() and (error := task.exception()):
                    log.warning("console.socket", error=type(error).__name__)
            if hearing not in done:
                await self.close()
        finally:
            await cancelled(*tasks, hearing)

    async def admit(self, rights: Rights) -> bool:
        return rights.sees

    async def on_message(self, message: dict[str, Any]) -> None:
        raise NotImplementedError

    async def serve(self) -> None:
        raise NotImplementedError

    async def tell(self, message: dict[str, Any]) -> None:
        await self.send(text_data=json.dumps(message))

    async def _until_closed(self, receive: Any) -> None:
        while (await receive())["type"] != "websocket.disconnect":
            pass

    async def _keep_rights(self) -> None:
        """Logged out, or rights changed: the page starts anew."""
        while True:
            await asyncio.sleep(RIGHTS_SECONDS)
            if await in_a_thread(rights_of_session)(self._session_key) != self.rights:
                await self.close(code=NOT_ALLOWED)
                return

    async def _listen(self) -> None:
        while True:
            channel = ""
            layer = get_channel_layer()
            try:
                channel = await layer.new_channel()
                await layer.group_add(self.group, channel)
                while True:
                    await self.on_message(await layer.receive(channel))
            except Exception as error:  # whatever Redis' client raises
                log.warning("bus.unreachable", group="console", error=type(error).__name__)
            finally:
                with contextlib.suppress(Exception):
                    async with asyncio.timeout(1):
                        await layer.group_discard(self.group, channel)
            await asyncio.sleep(LISTEN_AGAIN_SECONDS)


def rights_of_session(session_key: str | None) -> Rights | None:
    """Of the person who is logged in with it now; None when nobody is, or the password has changed."""
    if not session_key:
        return None
    session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    user = get_user_model().objects.filter(pk=session.get(SESSION_KEY), is_active=True).first()
    if user is None or not constant_time_compare(session.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash()):
        return None
    return rights_of(user)
