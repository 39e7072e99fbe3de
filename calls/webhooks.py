"""Calling a client's `callback_url`: which addresses may be called, the signature, one attempt at the call.

The address comes from an API client, so it is checked twice: its host against WEBHOOK_HOSTS when the transfer is
requested, and what the name resolves to at the very moment of the call, which then goes to that address and no other
(a name that resolves to something else a moment later changes nothing).
"""

import hashlib
import hmac
import ipaddress
import socket
from urllib.parse import urlsplit

import httpx
from django.conf import settings

TIMEOUT_SECONDS = 5
SIGNATURE_HEADER = "X-TransferHub-Signature"
DELIVERY_HEADER = "X-TransferHub-Delivery"


class NotAllowed(ValueError):
    """This address may not be called; the text says why, for the client."""


class Undelivered(Exception):
    """The call failed; the text says how."""


def sign(body: bytes, at: int, secret: str) -> str:
    """The signature header's value: `t=<epoch seconds>,v1=<hex HMAC-SHA256 of "t.body">`."""
    digest = hmac.new(secret.encode(), b"%d.%b" % (at, body), hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def check_url(url: str) -> None:
    """Raise NotAllowed unless `url` is http or https, without credentials, to a host that WEBHOOK_HOSTS names."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port  # raises ValueError out of range
    except ValueError as error:
        raise NotAllowed("Not a valid URL.") from error
    if parts.scheme not in ("http", "https") or not host:
        raise NotAllowed("Use an http or https URL.")
    if parts.username is not None or parts.fragment or not url.isascii() or not url.isprintable() or " " in url:
        raise NotAllowed("Use a plain ASCII URL without user name, password, blanks or fragment.")
    if not _listed(host):
        raise NotAllowed("This host is not on the list WEBHOOK_HOSTS.")


def post(url: str, body: bytes, *, delivery: str, at: int) -> None:
    """One signed POST of JSON. Raises NotAllowed, or Undelivered for anything but a 2xx answer. Follows no redirect."""
    check_url(url)
    target = httpx.URL(url)
    address = _address_of(target.host, target.port or (443 if target.scheme == "https" else 80))
    headers = {
        "Host": target.netloc.decode("ascii"),
        "Content-Type": "application/json",
        "User-Agent": "TransferHub",
        DELIVERY_HEADER: delivery,
        SIGNATURE_HEADER: sign(body, at, settings.WEBHOOK_SECRET),
    }
    # The certificate is checked against the name although the connection goes to the number.
    extensions = {"sni_hostname": target.host}
    try:
        with (
            httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False, follow_redirects=False) as client,
            client.stream(
                "POST", target.copy_with(host=address), content=body, headers=headers, extensions=extensions
            ) as response,
        ):
            if not response.is_success:
                raise Undelivered(f"HTTP {response.status_code}")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Undelivered(type(error).__name__) from error


def _listed(host: str) -> bool:
    """`crm.example.com` names that host; `*.example.com` names every host below example.com."""
    host = host.lower().rstrip(".")
    return _named(host) or any(
        entry.startswith("*.") and host.endswith(entry[1:].lower()) for entry in settings.WEBHOOK_HOSTS
    )


def _named(host: str) -> bool:
    return host.lower().rstrip(".") in {entry.lower().strip("[]") for entry in settings.WEBHOOK_HOSTS}


def _address_of(host: str, port: int) -> str:
    """The numeric address to call. A private one only where the list names the very host, never by a wildcard."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Undelivered("the name does not resolve") from error
    for *_, sockaddr in found:
        address = ipaddress.ip_address(sockaddr[0].partition("%")[0])
        address = getattr(address, "ipv4_mapped", None) or address
        # Link-local holds the cloud's metadata service: nobody who names a host means that by its name.
        forbidden = (address.is_link_local and str(address) != host) or address.is_multicast or address.is_unspecified
        if forbidden or (not address.is_global and not _named(host)):
            raise NotAllowed("This host resolves to a private address; WEBHOOK_HOSTS must name the host itself.")
    return found[0][4][0]
