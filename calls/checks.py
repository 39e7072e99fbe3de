"""Misconfiguration, found by `manage.py check` (and `check --database default`) before a caller finds it.

E001 secret key · E002 address of the audio · E003 OmniPlay without a token · E004 Realtime address
W001 no OpenAI key · W002 hosts of webhooks · W003 password of a switch · W004 no department
W005 department without agents · W006 default department · W007 characters of the OpenAI key
"""

import re
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import OperationalError, ProgrammingError
from django.utils.translation import gettext as _

from transferhub import env

DEFAULT_PASSWORD = "FREESWITCH_PASSWORD"  # this one has a built-in value, FreeSWITCH's own


def _error(number: int, text: str, hint: str) -> CheckMessage:
    return Error(text, hint=hint, id=f"transferhub.E{number:03}")


def _warning(number: int, text: str, hint: str) -> CheckMessage:
    return Warning(text, hint=hint, id=f"transferhub.W{number:03}")


@register(Tags.security)
def check_secret_key(app_configs=None, **kwargs) -> list[CheckMessage]:
    local = {"localhost", "127.0.0.1", "[::1]", "testserver"}
    serves_others = not settings.DEBUG and not set(settings.ALLOWED_HOSTS) <= local
    if serves_others and settings.SECRET_KEY.startswith("insecure-"):
        return [
            _error(
                1,
                _("SECRET_KEY is the built-in one: anybody could forge a session."),
                _("Set SECRET_KEY (or SECRET_KEY_FILE) to a long random text."),
            )
        ]
    return []


@register()
def check_addresses(app_configs=None, **kwargs) -> list[CheckMessage]:
    found = []
    if not _is_websocket(settings.AUDIO_BASE_URL):
        found.append(
            _error(
                2,
                _("AUDIO_BASE_URL must begin with ws:// or wss://, not “%(url)s”.") % {"url": settings.AUDIO_BASE_URL},
                _("It is the address at which FreeSWITCH reaches this machine, for example ws://10.0.0.7:8000."),
            )
        )
    if settings.OMNIPLAY_URL and not settings.OMNIPLAY_TOKEN:
        found.append(
            _error(
                3,
                _("OMNIPLAY_URL is set, but OMNIPLAY_TOKEN is not: every ticket would be refused."),
                _("Set OMNIPLAY_TOKEN (or OMNIPLAY_TOKEN_FILE), or remove OMNIPLAY_URL to keep tickets here only."),
            )
        )
    if not _is_websocket(settings.OPENAI_REALTIME_URL):
        found.append(
            _error(
                4,
                _("OPENAI_REALTIME_URL must begin with ws:// or wss://."),
                _("Leave it unset for OpenAI's own address."),
            )
        )
    if not re.fullmatch(r"[!-~]*", settings.OPENAI_API_KEY):
        found.append(
            _warning(  # not an error, which would keep the switch process from starting: calls go on with keys
                7,
                _(
                    "OPENAI_API_KEY holds a character that no key has (a blank, an accent, an ellipsis): every session "
                    "would fail."
                ),
                _("Copy the whole key once more."),
            )
        )
    if not settings.OPENAI_API_KEY:
        found.append(
            _warning(
                1,
                _("There is no OPENAI_API_KEY: agents hear a synthesised announcement and decide with keys 1 and 2."),
                _("Set OPENAI_API_KEY (or OPENAI_API_KEY_FILE)."),
            )
        )
    for host in settings.WEBHOOK_HOSTS:
        if "/" in host:
            found.append(
                _warning(
                    2,
                    _("WEBHOOK_HOSTS names hosts, not addresses: “%(host)s” fits no callback_url.") % {"host": host},
                    _("Write the host alone, for example crm.example.com."),
                )
            )
    return found


@register(Tags.database)
def check_company(app_configs=None, databases=None, **kwargs) -> list[CheckMessage]:
    """What the database holds; silent before the first migration."""
    if not databases:
        return []
    try:
        return [*_check_switches(), *_check_departments()]
    except (OperationalError, ProgrammingError):
        return []


def _check_switches() -> list[CheckMessage]:
    from calls.models import Switch  # models are not ready when this module is imported

    return [
        _warning(
            3,
            _("The password of the telephone switch %(switch)s is missing.") % {"switch": switch},
            _("Set %(variable)s (or %(variable)s_FILE).") % {"variable": switch.password_variable},
        )
        for switch in Switch.objects.filter(enabled=True)
        if switch.password_variable != DEFAULT_PASSWORD and not is_set(switch.password_variable)
    ]


def _check_departments() -> list[CheckMessage]:
    from calls.models import Department

    departments = Department.objects.filter(enabled=True)
    if not departments.exists():
        return [
            _warning(
                4,
                _("There is no department: every request is answered with “unknown department”."),
                _("Add one in the admin, or load a file: manage.py load_company company.yaml"),
            )
        ]
    found = [
        _warning(
            5,
            _("%(department)s has no agent who takes calls: every caller gets a ticket.") % {"department": department},
            _("Add an agent to the department, or disable it."),
        )
        for department in departments.exclude(members__enabled=True)
    ]
    if departments.filter(is_default=True).count() != 1:
        found.append(
            _warning(
                6,
                _(
                    "There should be exactly one default department in use; it lends its limits and texts to transfers "
                    "that name only an extension."
                ),
                _("Tick “default” at one department in the admin."),
            )
        )
    return found


def is_set(variable: str) -> bool:
    """Whether a secret is there, as NAME or as the file of NAME_FILE; its value is never read here."""
    return bool(env.text(variable) or env.text(f"{variable}_FILE"))


def everything() -> list[CheckMessage]:
    """All of ours, for the admin's first page."""
    return [*check_secret_key(), *check_addresses(), *check_company(databases=["default"])]


def _is_websocket(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("ws", "wss") and bool(parts.hostname)
