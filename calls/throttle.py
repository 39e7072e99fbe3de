"""How often somebody may do something in a minute, counted in Redis, so that all web processes count together.

Without Redis nobody is counted and everybody passes: a caller who waits for a person matters more than a limit.
"""

import hashlib
import time
from dataclasses import dataclass
from functools import lru_cache

import redis
import structlog
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

log = structlog.get_logger(__name__)

WINDOW_SECONDS = 60
PATIENCE_SECONDS = 0.2
BLIND_SECONDS = 5.0
"""After Redis did not answer, it is left alone for so long: no request waits for a dead one."""


@dataclass(frozen=True, slots=True)
class Limit:
    """`setting` names the setting with how many a minute; 0 there: no limit."""

    name: str
    setting: str

    @property
    def most(self) -> int:
        return getattr(settings, self.setting)


REQUESTS = Limit("requests", "API_REQUESTS_PER_MINUTE")  # of one key
WRONG_KEYS = Limit("wrong_keys", "API_FAILURES_PER_MINUTE")  # from one address
LOGIN = Limit("login", "LOGIN_FAILURES_PER_MINUTE")  # wrong passwords from one address

_blind_until = 0.0  # monotonic


def count(limit: Limit, who: str) -> int:
    """Count one more. Seconds until he may again, 0 while he is within the limit."""
    return _over(limit, who, one_more=True)


def exhausted(limit: Limit, who: str) -> int:
    """As count(), without counting: whether he has used up what he may."""
    return _over(limit, who, one_more=False)


def _over(limit: Limit, who: str, one_more: bool) -> int:
    global _blind_until
    if not limit.most or time.monotonic() < _blind_until:
        return 0
    window, passed = divmod(int(time.time()), WINDOW_SECONDS)
    # Who it is stands nowhere in plain: Redis may be somebody else's to look at.
    name = hashlib.sha256(f"{limit.name} {who} {window}".encode()).hexdigest()[:24]
    key = f"{settings.REDIS_PREFIX}:throttle:{name}"
    try:
        with _client(settings.REDIS_URL).pipeline(transaction=False) as pipeline:
            if one_more:
                pipeline.incr(key).expire(key, 2 * WINDOW_SECONDS)
            else:
                pipeline.get(key)
            found = int(pipeline.execute()[0] or 0)
    except (redis.RedisError, OSError) as error:
        _blind_until = time.monotonic() + BLIND_SECONDS
        log.warning("throttle.blind", error=type(error).__name__)
        return 0
    over = found > limit.most if one_more else found >= limit.most
    return WINDOW_SECONDS - passed if over else 0


@lru_cache(maxsize=2)
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        socket_timeout=PATIENCE_SECONDS,
        socket_connect_timeout=PATIENCE_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
