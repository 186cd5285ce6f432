"""JSON logs on standard output, one object a line, with trace ids and without secrets."""

from __future__ import annotations

import logging
import sys
from typing import TextIO

import structlog
from opentelemetry import trace
from structlog.typing import EventDict, Processor, WrappedLogger

from sherlock.redact import Redactor

# People read these lines too.
_FIRST = ("time", "level", "msg", "logger")
# Chatty at info, and each says per request what our own access line says.
_QUIET = ("httpx", "httpcore", "uvicorn.access")


def configure(level: str, redact: Redactor, stream: TextIO | None = None) -> None:
    """Send the logs of structlog and of the standard library through one chain.

    Args:
        level: debug, info, warning, error or critical.
        redact: masks secrets in the finished line, whatever library wrote it.
        stream: where to write; standard output when None.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(allow=()),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _add_trace,
        structlog.processors.format_exc_info,
        structlog.processors.EventRenamer("msg"),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _Render(redact)],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


class _Render:
    """The last processor: JSON, then the redactor over the whole line."""

    def __init__(self, redact: Redactor) -> None:
        self._json = structlog.processors.JSONRenderer(ensure_ascii=False)
        self._redact = redact

    def __call__(self, logger: WrappedLogger, name: str, event: EventDict) -> str:
        event = {key: event[key] for key in _FIRST if key in event} | dict(event)
        line = self._json(logger, name, event)
        return self._redact(line if isinstance(line, str) else line.decode())


def _add_trace(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = trace.format_trace_id(context.trace_id)
        event["span_id"] = trace.format_span_id(context.span_id)
    return event
