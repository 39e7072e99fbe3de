"""Bearer keys, one for each client."""

from asgiref.sync import sync_to_async
from django.http import HttpRequest
from ninja.security import HttpBearer

from calls import services
from calls.models import ApiClient


class ApiKey(HttpBearer):
    """`Authorization: Bearer <key>`; views find the ApiClient in `request.auth`."""

    async def authenticate(self, request: HttpRequest, token: str) -> ApiClient | None:
        return await sync_to_async(services.authenticate)(token.strip())
