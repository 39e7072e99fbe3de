"""What is down: a switch without a process or connection, the Realtime API, Redis.

Each web process looks for itself, once a second while anybody watches, and remembers since when something is down: a
hiccup shorter than DOWN_SECONDS alarms nobody.
"""

import asyncio
import time
from collections.abc import Awaitable
from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

from calls import health
from calls.console.threads import in_a_thread
from calls.models import Switch

DOWN_SECONDS = 5
LOOK_SECONDS = 1
REALTIME_SECONDS = 5  # between two looks at somebody else's door


@dataclass(frozen=True)
class Alarm:
    key: str  # "switch:main", "realtime", "resting", "redis"
    name: str = ""  # of the switch

    @property
    def words(self) -> str:
        if self.key == "realtime":
            return _("The Realtime API cannot be reached: agents hear a synthesised announcement and decide by key.")
        if self.key == "resting":
            return _("The Realtime API has failed again and again: it is left alone for a while, keys decide.")
        if self.key == "redis":
            return _("Redis cannot be reached: this page is late, and does not see who speaks or is on hold.")
        return _("The telephone switch %(name)s is not connected: no transfers.") % {"name": self.name}


_since: dict[str, tuple[float, Alarm]] = {}  # key -> monotonic time of the first look that found it down
_looked: dict[str, float] = {}


def known() -> list[Alarm]:
    """What has been down for longer than DOWN_SECONDS, as far as this process knows."""
    now = time.monotonic()
    return [alarm for since, alarm in _since.values() if now - since >= DOWN_SECONDS]


async def look() -> list[Alarm]:
    """As known(), after a look at what has not been looked at for a while."""
    await asyncio.gather(
        _look("switches", LOOK_SECONDS, _switches),
        _look("redis", LOOK_SECONDS, _redis),
        _look("realtime", REALTIME_SECONDS, _realtime),
    )
    return known()


async def _look(what: str, every: float, find) -> None:
    now = time.monotonic()
    if now - _looked.get(what, -every) < every:
        return
    _looked[what] = now
    for alarm, down in await find():
        if not down:
            _since.pop(alarm.key, None)
        else:
            _since.setdefault(alarm.key, (now, alarm))


async def _switches() -> list[tuple[Alarm, bool]]:
    found = await in_a_thread(lambda: list(Switch.objects.all()))()
    now = timezone.now()
    return [
        (
            Alarm(f"switch:{each.slug}", each.name),
            each.enabled and not (each.connected and each.lease_until is not None and each.lease_until > now),
        )
        for each in found
    ]


async def _redis() -> list[tuple[Alarm, bool]]:
    return [(Alarm("redis"), not await _answers(health.ping_redis()))]


async def _realtime() -> list[tuple[Alarm, bool]]:
    """Without a key nobody expects it. Whether it is any good, each web process finds out for itself."""
    reached = not settings.OPENAI_API_KEY or await _answers(health.connect(settings.OPENAI_REALTIME_URL))
    return [(Alarm("realtime"), not reached), (Alarm("resting"), reached and health.realtime_rests())]


async def _answers(question: Awaitable[object]) -> bool:
    try:
        async with asyncio.timeout(health.PROBE_SECONDS):
            await question
    except (OSError, TimeoutError, RedisError):
        return False
    return True
