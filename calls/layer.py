"""The channel layer: Redis' publish and subscribe. A message reaches whoever listens at that moment, and is gone.

That is all that bus.py asks for, and it costs one round trip to send and none to receive. (Queues kept in Redis, as
channels_redis has them, cost five round trips a message and four of its reader, a fifth of a busy web process.)
channels_redis' own layer of this kind keeps what a slow reader has not read without a bound, does not wait until Redis
has confirmed a subscription, and never notices that a Redis has vanished.

Whoever waits in receive() when the connection is lost gets an error, and joins its groups anew. A Redis that vanished
(its machine, the network) closes no connection: it is asked for a sign of life.
"""

import asyncio
import contextlib
import types
import uuid
from functools import cached_property
from typing import Any

import orjson
from channels.layers import BaseChannelLayer
from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Lost
from redis.retry import Retry


def patient_redis(url: str, patience: float) -> Redis:
    """For synchronous code. redis-py's own would wait for ever for a Redis that does not answer. What failed is tried
    once more: a connection kept from before a restart is dead."""
    return Redis.from_url(url, socket_timeout=patience, socket_connect_timeout=patience, retry=Retry(NoBackoff(), 1))


class PubSubLayer(BaseChannelLayer):
    """`prefix` keeps several installations on one server apart, as does the number of the database. `patience`: seconds
    that an answer may take; `silence`: after so long without a message Redis is asked whether it lives."""

    extensions = ("groups", "flush")

    def __init__(self, url: str, prefix: str, capacity: int = 1000, patience: float = 1.0, silence: float = 5.0):
        super().__init__(capacity=capacity)
        self.url, self.patience, self.silence = url, patience, silence
        database = self._publisher.connection_pool.connection_kwargs.get("db") or 0
        self._prefix = f"{prefix}:{database}:"
        self._loops: dict[asyncio.AbstractEventLoop, _Exchange] = {}

    # ------------------------------------------------------------ channels
    async def new_channel(self, prefix: str = "specific") -> str:
        channel = f"{prefix}.{uuid.uuid4().hex}"
        await self._exchange.add(self._own(channel), channel)
        return channel

    def _own(self, channel: str) -> str:
        return f"{self._prefix}channel:{channel}"

    async def send(self, channel: str, message: dict[str, Any]) -> None:
        await self._exchange.publish(self._own(channel), message)

    async def receive(self, channel: str) -> dict[str, Any]:
        """The next message to the channel or one of its groups. Whoever is cancelled here will not come again."""
        return await self._exchange.receive(channel, self._own(channel))

    # ------------------------------------------------------------ groups
    def _group(self, group: str) -> str:
        return f"{self._prefix}group:{group}"

    async def group_add(self, group: str, channel: str) -> None:
        """From when this returns, nothing that is sent to the group is missed."""
        await self._exchange.add(self._group(group), channel)

    async def group_discard(self, group: str, channel: str) -> None:
        await self._exchange.discard(self._group(group), channel)

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        await self._exchange.publish(self._group(group), message)

    def group_send_now(self, group: str, message: dict[str, Any]) -> None:
        """The same from synchronous code."""
        self._publisher.publish(self._group(group), orjson.dumps(message))

    async def flush(self) -> None:
        """As if the connection were lost: everybody joins anew."""
        if exchange := self._loops.pop(asyncio.get_running_loop(), None):
            await exchange.close(Lost("flushed"))

    # ------------------------------------------------------------ connections
    @cached_property
    def _publisher(self) -> Redis:
        return patient_redis(self.url, self.patience)

    @property
    def _exchange(self) -> "_Exchange":
        loop = asyncio.get_running_loop()
        exchange = self._loops.get(loop)
        if exchange is None or exchange.closed:
            if exchange is None:
                _before_closing(loop, lambda: self._loops.pop(loop, None))
            exchange = self._loops[loop] = _Exchange(self)
        return exchange


class _Exchange:
    """One event loop's connections, and who in it listens to what."""

    def __init__(self, layer: PubSubLayer) -> None:
        patience = layer.patience
        self._client = AsyncRedis.from_url(
            layer.url, socket_timeout=patience, socket_connect_timeout=patience, retry=AsyncRetry(NoBackoff(), 1)
        )
        self.closed = False
        self._capacity, self._silence = layer.capacity, layer.silence
        self._pubsub = self._client.pubsub()
        self._queues: dict[str, asyncio.Queue[dict[str, Any] | Exception]] = {}  # by channel
        self._members: dict[str, set[str]] = {}  # name in Redis -> channels
        self._confirmed: dict[str, asyncio.Future[None]] = {}  # by name in Redis
        self._reading: asyncio.Task[None] | None = None
        self._leaving: set[asyncio.Task[None]] = set()
        self._publishing = asyncio.Lock()
        self._speaking = asyncio.Lock()  # the first command makes the connection

    async def publish(self, name: str, message: dict[str, Any]) -> None:
        """One after the other: for each that goes side by side the client would open a connection, which takes 5 ms."""
        async with self._publishing:
            await self._client.publish(name, orjson.dumps(message))

    async def receive(self, channel: str, own_name: str) -> dict[str, Any]:
        if channel not in self._queues:
            await self.add(own_name, channel)
        try:
            message = await self._queues[channel].get()
        except asyncio.CancelledError:
            self._forget(channel)
            raise
        if isinstance(message, Exception):
            raise message
        return message

    async def add(self, name: str, channel: str) -> None:
        self._queues.setdefault(channel, asyncio.Queue(self._capacity))
        self._members.setdefault(name, set()).add(channel)
        confirmed = self._confirmed.get(name)
        if confirmed is None:
            confirmed = self._confirmed[name] = asyncio.get_running_loop().create_future()
            try:
                async with self._speaking:
                    await self._pubsub.subscribe(name)
            except BaseException:
                self._confirmed.pop(name, None)
                raise
            if self._reading is None:
                self._reading = asyncio.create_task(self._read(), name="channel layer")
        await asyncio.shield(confirmed)

    async def discard(self, name: str, channel: str) -> None:
        if self._leave(name, channel):
            await self._unsubscribe(name)

    def _leave(self, name: str, channel: str) -> bool:
        """Whether it was the last."""
        members = self._members.get(name)
        if members is None or channel not in members:
            return False
        members.discard(channel)
        if members:
            return False
        del self._members[name]
        self._confirmed.pop(name, None)
        return True

    async def _unsubscribe(self, *names: str) -> None:
        async with self._speaking:
            empty = [name for name in names if name not in self._members]  # else somebody came meanwhile
            if empty and not self.closed:
                await self._pubsub.unsubscribe(*empty)

    def _forget(self, channel: str) -> None:
        """Its reader was cancelled, and cannot wait for Redis."""
        self._queues.pop(channel, None)
        left = [name for name in list(self._members) if self._leave(name, channel)]
        if left and not self.closed:
            task = asyncio.create_task(self._unsubscribe(*left))
            self._leaving.add(task)
            task.add_done_callback(self._left)

    def _left(self, task: "asyncio.Task[None]") -> None:
        self._leaving.discard(task)
        if not task.cancelled():
            task.exception()  # then the connection is lost, and its reader knows

    async def _read(self) -> None:
        asked = False
        try:
            while True:
                message = await self._pubsub.get_message(timeout=self._silence)
                if message is None and asked:
                    raise Lost("no sign of life")
                if message is None:
                    await self._pubsub.ping()
                asked = message is None
                if message and message["type"] == "message":
                    self._pass_on(message["channel"].decode(), orjson.loads(message["data"]))
                elif message and message["type"] == "subscribe":
                    confirmed = self._confirmed.get(message["channel"].decode())
                    if confirmed and not confirmed.done():
                        confirmed.set_result(None)
        except Exception as error:
            await self.close(error)

    def _pass_on(self, name: str, message: dict[str, Any]) -> None:
        for channel in self._members.get(name, ()):
            queue = self._queues[channel]
            if not queue.full():
                queue.put_nowait(message)

    async def close(self, error: Exception) -> None:
        """Everybody who listens is told so."""
        self.closed = True
        for confirmed in self._confirmed.values():
            if not confirmed.done():
                confirmed.set_exception(error)
                confirmed.exception()  # nobody may wait for it any more
        for queue in self._queues.values():
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(error)
        if self._reading and self._reading is not asyncio.current_task():
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        with contextlib.suppress(Exception):
            await self._pubsub.aclose()
        with contextlib.suppress(Exception):
            await self._client.aclose()


def _before_closing(loop: asyncio.AbstractEventLoop, forget: Any) -> None:
    """A loop that ends takes its connections with it: nobody else can close them."""
    close = loop.close

    def closing(self: asyncio.AbstractEventLoop) -> None:
        exchange = forget()
        if exchange is not None and not self.is_closed():
            self.run_until_complete(exchange.close(Lost("the loop ends")))
        self.close = close  # type: ignore[method-assign]
        close()

    loop.close = types.MethodType(closing, loop)  # type: ignore[method-assign]
