"""Bearer keys, one for each client; how many requests a key may send and how many wrong keys an address may try."""

from asgiref.sync import sync_to_async
from django.http import HttpRequest
from ninja.security import HttpBearer

from calls import services, throttle
from calls.api.errors import ApiError
from calls.models import ApiClient


class ApiKey(HttpBearer):
    """`Authorization: Bearer <key>`; views find the ApiClient in `request.auth`."""

    async def authenticate(self, request: HttpRequest, token: str) -> ApiClient | None:
        client = await sync_to_async(_client)(request.META.get("REMOTE_ADDR", ""), token.strip())
        if client is not None and not _may(client, request.method or ""):
            raise ApiError(403, "not_allowed", "This key may not do that.")
        return client


def _client(address: str, key: str) -> ApiClient | None:
    """None: 401. Raises ApiError 429."""
    _refuse(throttle.exhausted(throttle.WRONG_KEYS, address))
    client = services.authenticate(key)
    if client is None:
        throttle.count(throttle.WRONG_KEYS, address)
        return None
    _refuse(throttle.count(throttle.REQUESTS, str(client.pk)))
    return client


def _may(client: ApiClient, method: str) -> bool:
    if client.scope == ApiClient.Scope.READ:
        return method in ("GET", "HEAD")
    return client.scope == ApiClient.Scope.ALL


def _refuse(seconds: int) -> None:
    if seconds:
        raise ApiError(429, "too_many_requests", "Too many requests. Wait, then try again.", retry_after=seconds)
