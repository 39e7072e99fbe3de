"""API keys: on the screen once, hashed in the database, dead when revoked."""

import pytest
from django.urls import reverse

from calls import services
from calls.models import ApiClient


def shown_key(response) -> str:
    return response.context["key"]


@pytest.fixture
def made(root):
    """The answer to adding a client."""
    return root.post(reverse("admin:calls_apiclient_add"), {"name": "secretária", "scope": "all"})


def test_the_key_is_shown_right_after_it_was_made_and_works(made):
    key = shown_key(made)
    assert key in made.content.decode()
    assert services.authenticate(key) == ApiClient.objects.get()


def test_the_key_is_kept_nowhere(root, made):
    key = shown_key(made)
    row = ApiClient.objects.values().get()
    assert key not in str(row)
    for name in ("changelist", "history"):
        arguments = [row["id"]] if name == "history" else []
        assert key not in root.get(reverse(f"admin:calls_apiclient_{name}", args=arguments)).content.decode()
    assert key not in root.get(reverse("admin:calls_apiclient_change", args=[row["id"]])).content.decode()
    assert all(key not in cookie.value for cookie in made.cookies.values())
    assert "no-store" in made["Cache-Control"]


def test_a_second_client_of_the_same_name_is_refused(root, made):
    again = root.post(reverse("admin:calls_apiclient_add"), {"name": "secretária", "scope": "all"})
    assert again.status_code == 200 and again.context["adminform"].form.errors
    assert ApiClient.objects.count() == 1


def test_a_new_key_is_made_only_after_asking_and_kills_the_old_one(root, made):
    old = shown_key(made)
    address = reverse("admin:calls_apiclient_key", args=[ApiClient.objects.get().pk])
    assert "deixa de valer" in root.get(address).content.decode()
    assert services.authenticate(old)
    new = shown_key(root.post(address))
    assert services.authenticate(new) and not services.authenticate(old)


def test_a_client_that_may_not_call_any_more_is_refused(root, made):
    client = ApiClient.objects.get()
    root.post(reverse("admin:calls_apiclient_change", args=[client.pk]), {"name": client.name, "scope": "all"})
    assert services.authenticate(shown_key(made)) is None


def test_somebody_without_the_right_makes_no_key(stranger):
    client, key = services.create_api_client("secretária")
    assert stranger.post(reverse("admin:calls_apiclient_key", args=[client.pk])).status_code == 403
    assert stranger.post(reverse("admin:calls_apiclient_add"), {"name": "x"}).status_code == 403
    assert services.authenticate(key)
