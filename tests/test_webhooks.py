"""Which addresses may be called, and how a call is signed."""

import socket

import pytest

from calls import webhooks


@pytest.fixture(autouse=True)
def listed(settings):
    settings.WEBHOOK_HOSTS = ["crm.example.com", "*.hooks.example", "10.1.2.3", "localhost"]


@pytest.fixture
def resolves_to(monkeypatch):
    """Every name resolves to these addresses."""

    def pretend(*addresses: str) -> None:
        def found(host, port, *_, **__):
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

        monkeypatch.setattr(socket, "getaddrinfo", found)

    return pretend


@pytest.mark.parametrize(
    "url",
    [
        "https://crm.example.com/transfer?x=1",
        "http://CRM.example.com:8080/",
        "https://crm.example.com./",
        "https://a.hooks.example/",
        "http://10.1.2.3/",
    ],
)
def test_a_listed_host_may_be_called(url):
    webhooks.check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/",
        "https://crm.example.com.evil.example/",
        "https://hooks.example/",
        "https://evilhooks.example/",
        "http://10.1.2.4/",
        "http://167838211/",
        "https://crm.example.com@evil.example/",
        "https://user:pass@crm.example.com/",
        "https://crm.example.com/#x",
        "https://crm.example.com:99999/",
        "https://crm.example.com/ x",
        "https://crm.example.com/\r\nX: y",
        "file:///etc/passwd",
        "//crm.example.com/",
        "https:///",
        "http://[",
        "",
    ],
)
def test_anything_else_may_not(url):
    with pytest.raises(webhooks.NotAllowed):
        webhooks.check_url(url)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.5", "192.168.1.1", "169.254.169.254", "0.0.0.0", "224.0.0.1"])
def test_a_wildcard_never_leads_into_the_private_network(resolves_to, address):
    resolves_to(address)
    with pytest.raises(webhooks.NotAllowed):
        webhooks.post("http://a.hooks.example/", b"{}", delivery="1", at=0)


def test_one_private_address_among_public_ones_is_enough_to_refuse(resolves_to):
    resolves_to("93.184.216.34", "127.0.0.1")
    with pytest.raises(webhooks.NotAllowed):
        webhooks.post("http://a.hooks.example/", b"{}", delivery="1", at=0)


def test_a_host_that_is_named_may_be_in_the_private_network_but_not_the_metadata_service(resolves_to):
    resolves_to("127.0.0.1")
    with pytest.raises(webhooks.Undelivered):  # it was called; nobody listens on that port
        webhooks.post("http://crm.example.com:1/", b"{}", delivery="1", at=0)
    resolves_to("169.254.169.254")
    with pytest.raises(webhooks.NotAllowed):
        webhooks.post("http://crm.example.com/", b"{}", delivery="1", at=0)


def test_a_name_is_asked_for_once_and_what_it_says_a_moment_later_counts_for_nothing(monkeypatch, settings):
    """DNS rebinding: public while we look, the metadata service when we call."""
    answers = iter(["93.184.216.34", "169.254.169.254", "127.0.0.1"])
    real, called = socket.getaddrinfo, []

    def lying(host, port, *more, **named):
        if host == "a.hooks.example":
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]
        return real(host, port, *more, **named)

    def connect(address, *_, **__):
        called.append(address[0])
        raise OSError

    monkeypatch.setattr(socket, "getaddrinfo", lying)
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(webhooks.Undelivered):
        webhooks.post("http://a.hooks.example/", b"{}", delivery="1", at=0)
    assert called == ["93.184.216.34"]


def test_a_name_that_does_not_resolve_is_a_failed_delivery(monkeypatch):
    def nothing(*_, **__):
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", nothing)
    with pytest.raises(webhooks.Undelivered, match="does not resolve"):
        webhooks.post("http://crm.example.com/", b"{}", delivery="1", at=0)


def test_the_signature_is_the_documented_one():
    # echo -n '1700000000.{"a":1}' | openssl dgst -sha256 -hmac secret
    expected = "t=1700000000,v1=49f24e537407743fa4a0242bb63b94b9a47ee99cbbe071ccd8a22550ae411686"
    assert webhooks.sign(b'{"a":1}', 1700000000, "secret") == expected
