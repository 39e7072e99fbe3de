"""How log lines look: one event a line to stderr, as text for eyes or as JSON for machines (LOG_FORMAT=json).

Everything, ours (structlog) and the libraries' (logging), leaves through the one handler that settings.LOGGING names;
errors by a second one as well, where SENTRY_DSN is set (sentry.py).
"""

import logging
import re
import warnings

import structlog

_AUDIO = re.compile(r"(/audio/)[^\s\"'?]+")


class HideTokens(logging.Filter):
    """The address of an audio socket opens it: whoever logs one (uvicorn does at INFO) logs it without its end."""

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            text = record.getMessage() if isinstance(record.msg, str) else ""
        except (TypeError, ValueError):  # whoever wrote that line counted badly: the handler says so
            text = ""
        if "/audio/" in text:
            record.msg, record.args = _AUDIO.sub(r"\1…", text), ()
        return True


_SHARED = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def config(level: str, as_json: bool, sentry_dsn: str = "") -> dict:
    """The value of settings.LOGGING; also points structlog at it. Without `sentry_dsn` Sentry's SDK is not imported."""
    # WhiteNoise sends small files from memory: what Django warns of in every process, at the first one, is no harm.
    warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")
    logging.captureWarnings(True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    if as_json:
        renderer: structlog.typing.Processor = structlog.processors.JSONRenderer(ensure_ascii=False)
    else:
        renderer = structlog.dev.ConsoleRenderer(
            colors=False, pad_event_to=24, exception_formatter=structlog.dev.plain_traceback
        )
    handlers: dict[str, dict] = {
        "stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["tokens"]}
    }
    if sentry_dsn:
        handlers["sentry"] = {"class": "transferhub.sentry.Handler", "dsn": sentry_dsn}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                # Exceptions become text only here: the other handlers want them whole.
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    renderer,
                ],
                "foreign_pre_chain": _SHARED,
            }
        },
        "filters": {"tokens": {"()": HideTokens}},
        "handlers": handlers,
        "root": {"handlers": list(handlers), "level": level},
        "loggers": {
            "django.request": {"level": "ERROR"},
            "httpx": {"level": "WARNING"},
            "websockets": {"level": "WARNING"},
            "rq": {"level": "WARNING"},
            # uvicorn comes with handlers of its own: its lines are to look like all others, and go where they go.
            "uvicorn": {"handlers": [], "propagate": True},
            "uvicorn.error": {"filters": ["tokens"]},
            "uvicorn.access": {"handlers": [], "filters": ["tokens"], "propagate": True},
        },
    }
