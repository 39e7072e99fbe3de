"""How log lines look: one event a line to stderr, as text for eyes or as JSON for machines (LOG_FORMAT=json).

Everything, ours (structlog) and the libraries' (logging), leaves through the one handler that settings.LOGGING names.
"""

import logging
import re

import structlog

_AUDIO = re.compile(r"(/audio/)[^\s\"'?]+")


class HideTokens(logging.Filter):
    """The address of an audio socket opens it: whoever logs one (uvicorn does at INFO) logs it without its end."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = _hide(record.msg)
        if isinstance(record.args, tuple):
            record.args = tuple(map(_hide, record.args))
        return True


def _hide(part: object) -> object:
    return _AUDIO.sub(r"\1…", part) if isinstance(part, str) else part


_SHARED = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
]


def config(level: str, as_json: bool) -> dict:
    """The value of settings.LOGGING; also points structlog at it."""
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
        renderer = structlog.dev.ConsoleRenderer(colors=False, pad_event_to=24)
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
                "foreign_pre_chain": _SHARED,
            }
        },
        "filters": {"tokens": {"()": HideTokens}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["tokens"]}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django.request": {"level": "ERROR"},
            "httpx": {"level": "WARNING"},
            "websockets": {"level": "WARNING"},
            "rq": {"level": "WARNING"},
            # These have handlers of uvicorn's own, so the filter is theirs too.
            "uvicorn.error": {"filters": ["tokens"]},
            "uvicorn.access": {"filters": ["tokens"], "propagate": True},
        },
    }
