"""What browsers are told, forms of other people's pages, and error pages that hold nothing back but the secrets."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client, RequestFactory
from django.views.debug import ExceptionReporter

from tests.factories import make_company, make_user

ROOT = Path(__file__).resolve().parents[2]
SECRETS = {
    "SECRET_KEY": "s3cret-key-of-the-test-that-nobody-may-ever-see-in-a-page-0123",
    "DATABASE_URL": "sqlite:////tmp/s3cret-database.sqlite3",
    "REDIS_URL": "redis://:s3cret-redis@127.0.0.1:1/0",
    "FREESWITCH_PASSWORD": "s3cret-freeswitch",
    "OPENAI_API_KEY": "sk-s3cret",
    "OMNIPLAY_TOKEN": "s3cret-omniplay",
    "WEBHOOK_SECRET": "s3cret-webhook",
}
PRODUCTION = SECRETS | {
    "ALLOWED_HOSTS": "transfers.example.com,127.0.0.1",
    "HTTPS": "true",
    "OMNIPLAY_URL": "https://omniplay.example.com",
    "AUDIO_BASE_URL": "ws://10.0.0.5:8000",
    "DJANGO_SETTINGS_MODULE": "transferhub.settings",
}


def manage(*arguments: str) -> subprocess.CompletedProcess:
    environment = {"PATH": os.environ["PATH"], **PRODUCTION}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True
    )


@pytest.fixture
def people(db):
    make_company()
    return make_user("alice", "calls.view_transfer", is_staff=True, is_superuser=True)


def policy(response) -> dict[str, str]:
    directives = (part.strip().partition(" ") for part in response["Content-Security-Policy"].split(";"))
    return {name: value for name, _, value in directives}


@pytest.mark.parametrize("path", ["/", "/login/", "/api/v1/docs", "/healthz", "/nothing/here", "/api/v1/departments"])
def test_every_answer_tells_browsers_to_run_nothing_but_our_own_files(client, people, path):
    if path == "/":
        client.force_login(people)
    response = client.get(path)
    assert policy(response)["default-src"] == "'self'"
    assert "unsafe" not in response["Content-Security-Policy"]
    assert policy(response)["frame-ancestors"] == "'none'" and response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert "microphone=()" in response["Permissions-Policy"]
    body = response.content.decode()
    assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)|<style|\sstyle=|\son[a-z]+=\"|//cdn", body)


def test_the_admin_may_evaluate_what_stands_in_its_own_attributes_and_no_script_in_the_page(client, people):
    client.force_login(people)
    for path in ("/admin/", "/admin/calls/department/", "/admin/calls/department/add/", "/admin/calls/switch/"):
        response = client.get(path)
        assert response.status_code == 200
        assert policy(response)["script-src"] == "'self' 'unsafe-eval'"
        assert not re.search(r"\son(click|load|change|focus|submit)=\"", response.content.decode())


def test_a_page_of_ours_that_fails_keeps_the_headers(people, monkeypatch):
    client = Client(raise_request_exception=False)
    client.force_login(people)
    monkeypatch.setattr("django.contrib.auth.views.LoginView.get", lambda *_, **__: 1 / 0)
    response = client.get("/login/")
    assert response.status_code == 500 and policy(response)["default-src"] == "'self'"
    assert "<style" not in response.content.decode()


@pytest.mark.parametrize("path", ["/login/", "/logout/", "/language/setlang/", "/admin/login/"])
def test_a_form_that_is_not_of_our_page_is_refused(people, path):
    stranger = Client(enforce_csrf_checks=True)
    stranger.force_login(people)
    assert stranger.post(path, {"language": "en"}).status_code == 403


def test_a_session_opens_no_door_of_the_api(people):
    browser = Client()
    browser.force_login(people)
    for call in (browser.get, browser.post):
        assert call("/api/v1/transfers", {}, content_type="application/json").status_code == 401


def test_cookies_are_for_our_pages_alone(client, people):
    response = client.post("/login/", {"username": "alice", "password": "senha"})
    session = response.cookies["sessionid"]
    assert session["httponly"] and session["samesite"] == "Lax"


def test_check_deploy_has_nothing_to_say_about_an_installation_as_documented():
    found = manage("check", "--deploy", "--fail-level", "WARNING")
    assert found.returncode == 0, found.stderr
    assert "no issues" in found.stdout


def test_an_error_page_of_debug_shows_no_secret():
    script = (
        "import django; django.setup()\n"
        "from django.test import RequestFactory; from django.views.debug import ExceptionReporter\n"
        "try: 1 / 0\n"
        "except Exception as error: print(ExceptionReporter(RequestFactory().get('/'), type(error), error, "
        "error.__traceback__).get_traceback_html())\n"
    )
    environment = {"PATH": os.environ["PATH"], "DEBUG": "true", **PRODUCTION}
    page = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    ).stdout
    assert "ZeroDivisionError" in page and "OPENAI_REALTIME_URL" in page
    assert "s3cret" not in page


def test_an_error_page_shows_no_key_a_client_sent():
    key = "-".join(("thk", "sent"))  # the page shows these lines, too
    page = _page(RequestFactory().get("/", headers={"Authorization": f"Bearer {key}"}))
    assert "HTTP_AUTHORIZATION" in page and key not in page


def _page(request) -> str:
    try:
        raise ValueError
    except ValueError as error:
        return ExceptionReporter(request, type(error), error, error.__traceback__).get_traceback_html()
