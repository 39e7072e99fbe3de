"""/healthz, /readyz and /metrics: for probes and for Prometheus. What is known comes from the database.

/healthz says that the process answers; /readyz asks every part that a transfer needs and names the one that is down.
"""

import asyncio
import time
from collections.abc import Awaitable
from typing import Any
from urllib.parse import urlsplit

import redis.asyncio
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache

from calls import drain, metrics, services
from calls.models import Switch, SwitchExam
from calls.voice import breaker

PROBE_SECONDS = 2
REALTIME_KNOWN_SECONDS = 30  # a result is good for so long: probes must not hammer somebody else's door


@never_cache
async def healthz(request: HttpRequest) -> JsonResponse:
    """200 while this process answers at all, and is not being stopped."""
    if drain.begun():
        return JsonResponse({"status": "stopping"}, status=503)
    return JsonResponse({"status": "ok"})


@never_cache
async def readyz(request: HttpRequest) -> JsonResponse:
    """200 when every part is up, else 503; `parts` maps each to "ok" or to what is wrong with it."""
    checks = {"database": _database(), "redis": ping_redis(), "switches": _switches(), "realtime": _realtime()}
    found = await asyncio.gather(*(_probe(name, check) for name, check in checks.items()))
    parts = {name: state for part in found for name, state in part.items()}
    if drain.begun():
        parts["web"] = "being stopped: takes no new transfers"
    down = [name for name, state in parts.items() if state != "ok"]
    body = {"status": "down" if down else "ok", "down": down, "parts": parts}
    if exams := await _last_exams():
        body["exams"] = exams
    return JsonResponse(body, status=503 if down else 200)


async def prometheus(request: HttpRequest) -> HttpResponse:
    """Metrics for a scraper on this machine, or for one with an API key."""
    if not await _may_scrape(request):
        answer = HttpResponse("Send an API key: Authorization: Bearer …\n", status=401, content_type="text/plain")
        answer["WWW-Authenticate"] = "Bearer"
        return answer
    return HttpResponse(await sync_to_async(metrics.render)(), content_type=metrics.CONTENT_TYPE)


async def _probe(name: str, check: Awaitable[dict[str, str] | None]) -> dict[str, str]:
    """The states that the check found; {name: "ok"} when it found nothing to say, {name: why} when it failed."""
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            return await check or {name: "ok"}
    except TimeoutError:
        return {name: f"no answer within {PROBE_SECONDS} s"}
    except Exception as error:
        return {name: type(error).__name__}  # never the text: it can hold an address with a password


async def _database() -> None:
    def ask() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")

    await sync_to_async(ask)()


async def ping_redis() -> None:
    """Raises redis' errors."""
    async with redis.asyncio.Redis.from_url(settings.REDIS_URL) as client:
        await client.ping()


async def _switches() -> dict[str, str]:
    """Every switch in use: connected says the row, alive says the lease of the process that wrote it."""
    now = timezone.now()
    states = {}
    async for switch in Switch.objects.filter(enabled=True):
        led = switch.lease_until is not None and switch.lease_until > now
        state = "ok" if switch.connected and led else "not connected" if led else "no switch process"
        states[f"switch:{switch.slug}"] = state
    return states or {"switches": "none in use"}


async def _last_exams() -> dict[str, dict[str, Any]]:
    """What the doctor found last of each switch in use, in codes: no numbers, no names. Old news decides nothing."""
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            exams = SwitchExam.objects.filter(switch__enabled=True, done_at__isnull=False).select_related("switch")
            return {
                each.switch.slug: {
                    "level": each.level,
                    "at": each.done_at.isoformat(),
                    "findings": sorted({row["code"] for row in each.findings if row["level"] != "ok"}),
                }
                async for each in exams
            }
    except Exception:  # the database is down, which is said above
        return {}


_realtime_known: tuple[float, str, dict[str, str]] = (0.0, "", {})  # monotonic time, address, result


async def _realtime() -> dict[str, str]:
    """Whether the Realtime API's address takes a connection; asked at most every 30 s."""
    global _realtime_known
    if realtime_rests():
        return {"realtime": "failed again and again: left alone for a while, announcements are synthesised"}
    url = settings.OPENAI_REALTIME_URL
    at, asked, result = _realtime_known
    if asked != url or time.monotonic() - at > REALTIME_KNOWN_SECONDS:
        result = await _probe("realtime", connect(url))
        _realtime_known = (time.monotonic(), url, result)
    return result


def realtime_rests() -> bool:
    """Whether this process leaves the Realtime API alone for a while, because it has failed again and again."""
    return breaker.resting()


async def connect(url: str) -> None:
    """Open and close a connection to the address. Raises OSError."""
    parts = urlsplit(url)
    secure = parts.scheme in ("wss", "https")
    _, writer = await asyncio.open_connection(parts.hostname, parts.port or (443 if secure else 80), ssl=secure or None)
    writer.close()


async def _may_scrape(request: HttpRequest) -> bool:
    # A proxy on this machine also comes from 127.0.0.1, but says for whom.
    forwarded = "HTTP_X_FORWARDED_FOR" in request.META or "HTTP_FORWARDED" in request.META
    if request.META.get("REMOTE_ADDR") in ("127.0.0.1", "::1") and not forwarded:
        return True
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and await sync_to_async(services.authenticate)(key.strip()) is not None
