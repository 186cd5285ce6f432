"""Logs: a line for people or JSON for machines, on standard error, with secrets masked."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from pipeline.settings import Settings

SECRET_KEY = re.compile(
    r"pass(word|wd)?|secret|token|credential|api[_-]?key|private[_-]?key|authorization", re.IGNORECASE
)
SECRET_VALUE = re.compile(
    r"(?P<keep>://[^:/@\s]*:|\b(?:password|passwd|secret|token|api[_-]?key)\s*[=:]\s*|\bBearer\s+)(?P<mask>[^\s@'\",;&]+)",
    re.IGNORECASE,
)
MASK = "***"


def mask(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Processor that hides values of secret keys, and credentials inside of text.

    Args:
        event: The fields of one line.

    Returns:
        The fields, masked.
    """
    return {key: MASK if SECRET_KEY.search(key) else _masked(value) for key, value in event.items()}


def _masked(value: Any) -> Any:  # noqa: ANN401  # a field may be anything
    if isinstance(value, str):
        return SECRET_VALUE.sub(rf"\g<keep>{MASK}", value)
    if isinstance(value, dict):
        return {key: MASK if SECRET_KEY.search(str(key)) else _masked(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(item) for item in value]
    return value


def configure(settings: Settings) -> None:
    """Set the process's logging up.

    Args:
        settings: Level and format.
    """
    renderer = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            mask,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[settings.log_level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
