"""Settings, from the environment only. Every name here is explained in docs/environment.md (a test compares)."""

from pathlib import Path

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from transferhub import env, logs
from transferhub.admin_site import UNFOLD as UNFOLD

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.text("TRANSFERHUB_VAR_DIR") or BASE_DIR / "var")

DEBUG = env.switched_on("DEBUG", False)
SECRET_KEY = env.secret("SECRET_KEY")
if not SECRET_KEY:
    # Anybody who knows the key can forge a session, so only a machine that serves nobody else may do without.
    if not DEBUG and env.text("ALLOWED_HOSTS"):
        raise ImproperlyConfigured("Set SECRET_KEY (or SECRET_KEY_FILE) to a long random text.")
    SECRET_KEY = "insecure-" + "for-a-single-machine-without-allowed-hosts" * 2
ALLOWED_HOSTS = env.listed("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env.listed("CSRF_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    "daphne",
    "unfold",
    "unfold.contrib.forms",
    "unfold.contrib.simple_history",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "simple_history",
    "channels",
    "django_rq",
    "ninja",  # its OpenAPI page from our own static files, not from a CDN
    "calls",
]
MIDDLEWARE = [
    "transferhub.security.headers",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "transferhub.language.ChosenLanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
]
ROOT_URLCONF = "transferhub.urls"
ASGI_APPLICATION = "transferhub.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
            ]
        },
    }
]

# ------------------------------------------------------------------ state
DATABASE_URL = env.secret("DATABASE_URL") or f"sqlite:///{VAR_DIR / 'transferhub.sqlite3'}"
DATABASES = {"default": dj_database_url.parse(DATABASE_URL, conn_max_age=0, conn_health_checks=True)}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        # IMMEDIATE takes the write lock at BEGIN: a transaction never finds out half-way that it read old rows.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=20000;",
    }
    DATABASES["default"].setdefault("TEST", {})
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_PREFIX = env.text("REDIS_PREFIX", "transferhub")
REDIS_URL = env.secret("REDIS_URL") or "redis://127.0.0.1:6379/0"
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "calls.layer.PubSubLayer",
        # capacity: messages held for one slow reader before new ones are dropped; a board push is worth nothing late.
        "CONFIG": {"url": REDIS_URL, "prefix": REDIS_PREFIX, "capacity": 1000},
    }
}
RQ_QUEUES = {"default": {"URL": REDIS_URL, "DEFAULT_TIMEOUT": 120}}
RQ_SHOW_ADMIN_LINK = False  # its pages are for programmers
RQ = {"WORKER_CLASS": "calls.worker.Worker"}

# ------------------------------------------------------------------ telephone side
FREESWITCH_HOST = env.text("FREESWITCH_HOST", "127.0.0.1")
FREESWITCH_PORT = env.integer("FREESWITCH_PORT", 8021, least=1)
FREESWITCH_PASSWORD = env.secret("FREESWITCH_PASSWORD", "ClueCon")
FREESWITCH_DOMAIN = env.text("FREESWITCH_DOMAIN")
FREESWITCH_PROFILE = env.text("FREESWITCH_PROFILE", "default")  # the conference profile, not the SIP one
AUDIO_BASE_URL = env.text("AUDIO_BASE_URL", "ws://127.0.0.1:8000")
AUDIO_RATE = int(env.one_of("AUDIO_RATE", "24000", "16000", "8000"))

# ------------------------------------------------------------------ OpenAI, OmniPlay
OPENAI_API_KEY = env.secret("OPENAI_API_KEY")
OPENAI_REALTIME_URL = env.text("OPENAI_REALTIME_URL", "wss://api.openai.com/v1/realtime")
OPENAI_REALTIME_MODEL = env.text("OPENAI_REALTIME_MODEL", "gpt-realtime-2.1")
OPENAI_REALTIME_CLIENT = env.one_of("OPENAI_REALTIME_CLIENT", "websockets", "picows")
OPENAI_TRANSCRIBE_MODEL = env.text("OPENAI_TRANSCRIBE_MODEL", "gpt-transcribe")  # "none" turns transcription off
# After so many failures in a row a web process leaves the API alone for so long (calls/voice/breaker.py).
REALTIME_FAILURES = env.integer("REALTIME_FAILURES", 5, least=1)
REALTIME_REST_SECONDS = env.number("REALTIME_REST_SECONDS", 30)
# USD for a million tokens of each kind, for the cost in /metrics; empty: no cost is told.
REALTIME_PRICES = env.amounts("REALTIME_PRICES", ("text_in", "audio_in", "cached_in", "text_out", "audio_out"))
OMNIPLAY_URL = env.text("OMNIPLAY_URL").rstrip("/")
OMNIPLAY_TOKEN = env.secret("OMNIPLAY_TOKEN")

PROMPT_VOICE = env.text("PROMPT_VOICE", "pt-br")  # an espeak-ng voice, the path of a Piper .onnx, or "realtime"
WEBHOOK_HOSTS = env.listed("WEBHOOK_HOSTS")  # hosts that callback_url may name
WEBHOOK_SECRET = env.secret("WEBHOOK_SECRET") or SECRET_KEY
RETENTION_DAYS = env.integer("RETENTION_DAYS", 30, least=1)
# Divides every limit of a department (1 in real life): a trial with short limits uses the very code of a long one.
LIMITS_DIVISOR = env.number("LIMITS_DIVISOR", 1, least=1)
# What is refused with 503 before it disturbs what runs (calls/services/limits.py).
MAX_TRANSFERS = env.integer("MAX_TRANSFERS", 300, least=1)
MAX_TRANSFERS_PER_SWITCH = env.integer("MAX_TRANSFERS_PER_SWITCH", 150, least=1)
MAX_AUDIO_SESSIONS = env.integer("MAX_AUDIO_SESSIONS", 60, least=1)  # of one web process
MAX_REALTIME_SESSIONS = env.integer("MAX_REALTIME_SESSIONS", 100, least=1)
# A web process told to stop lets announcements in hand come to their end for so long (calls/drain.py).
DRAIN_SECONDS = env.number("DRAIN_SECONDS", 30, least=0)
# An extension whose transfer ended this long ago is free again even if nobody saw its leg end.
FORGOTTEN_CLAIM_SECONDS = 15

# ------------------------------------------------------------------ people
LANGUAGE_CODE = "pt-br"
LANGUAGES = [("pt-br", _("Portuguese (Brazil)")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "calls" / "locale"]
TIME_ZONE = env.text("TIME_ZONE", "America/Sao_Paulo")
USE_TZ = True
USE_I18N = True
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "console:transfers"
LOGOUT_REDIRECT_URL = "login"
AUTHENTICATION_BACKENDS = ["transferhub.security.Backend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = Path(env.text("STATIC_ROOT") or BASE_DIR / "staticfiles")
WHITENOISE_USE_FINDERS = True  # the demo serves without collectstatic

# ------------------------------------------------------------------ transport security
HTTPS = env.switched_on("HTTPS", False)  # a TLS proxy stands in front
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31536000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
X_FRAME_OPTIONS = "DENY"
DEFAULT_EXCEPTION_REPORTER_FILTER = "transferhub.security.ErrorPages"
# 0: no limit. What they count, and what happens without Redis: calls/throttle.py.
API_REQUESTS_PER_MINUTE = env.integer("API_REQUESTS_PER_MINUTE", 6000)
API_FAILURES_PER_MINUTE = env.integer("API_FAILURES_PER_MINUTE", 60)
LOGIN_FAILURES_PER_MINUTE = env.integer("LOGIN_FAILURES_PER_MINUTE", 20)

# ------------------------------------------------------------------ logs
SENTRY_DSN = env.text("SENTRY_DSN")  # where errors are told (transferhub/sentry.py); empty: nowhere
LOGGING = logs.config(env.text("LOG_LEVEL", "INFO").upper(), env.text("LOG_FORMAT") == "json", SENTRY_DSN)
RQ_EXCEPTION_HANDLERS = ["transferhub.sentry.job_failed"] if SENTRY_DSN else []
