"""API clients and their keys. A key is 256 random bits, so a plain SHA-256 of it is as good as any slow hash."""

import hashlib
import secrets
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from calls.models import ApiClient

KEY_PREFIX = "thk_"


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def create_api_client(name: str, scope: ApiClient.Scope = ApiClient.Scope.ALL) -> tuple[ApiClient, str]:
    """A client and its key; the key cannot be shown again."""
    client = ApiClient(name=name, scope=scope)
    return client, rotate_api_key(client)


def rotate_api_key(client: ApiClient) -> str:
    """A new key; the old one is dead at once."""
    key = KEY_PREFIX + secrets.token_urlsafe(32)
    client.key_prefix = key[:12]
    client.key_hash = _hash(key)
    client.save()
    return key


def authenticate(key: str) -> ApiClient | None:
    """The client of a key. Looked up by hash: how long that takes says nothing about any key."""
    if not key.startswith(KEY_PREFIX):
        return None
    client = ApiClient.objects.filter(key_hash=_hash(key), enabled=True).first()
    if client is not None:
        now = timezone.now()
        seldom = Q(last_used_at=None) | Q(last_used_at__lt=now - timedelta(minutes=1))
        ApiClient.objects.filter(seldom, pk=client.pk).update(last_used_at=now)
    return client
