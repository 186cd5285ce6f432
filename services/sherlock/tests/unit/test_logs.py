from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from opentelemetry.sdk.trace import TracerProvider

from sherlock import logs
from sherlock.redact import Redactor


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    written = io.StringIO()
    logs.configure("info", Redactor(["hunter22"]), written)
    yield written
    root.handlers[:], level = before
    root.setLevel(level)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_structlog_and_the_standard_library_write_the_same_form(stream: io.StringIO) -> None:
    structlog.stdlib.get_logger("ours").warning("it is %s", "late", place="here")
    logging.getLogger("theirs").warning("it is %s", "late", extra={"secret_extra": 1})
    ours, theirs = lines(stream)
    assert list(ours)[:4] == ["time", "level", "msg", "logger"]
    assert (ours["level"], ours["msg"], ours["logger"], ours["place"]) == (
        "warning",
        "it is late",
        "ours",
        "here",
    )
    assert (theirs["level"], theirs["msg"], theirs["logger"]) == ("warning", "it is late", "theirs")
    assert "secret_extra" not in theirs


def test_the_level_holds_for_both(stream: io.StringIO) -> None:
    structlog.stdlib.get_logger("ours").debug("no")
    logging.getLogger("theirs").debug("no")
    logging.getLogger("httpx").info("no")
    assert stream.getvalue() == ""


def test_no_secret_passes_not_even_in_a_traceback(stream: io.StringIO) -> None:
    try:
        _fail()
    except OSError:
        structlog.stdlib.get_logger("ours").exception("failed", detail={"password": ["hunter22"]})
        logging.getLogger("theirs").exception("password=%s", "hunter22")
    assert "hunter22" not in stream.getvalue()
    assert [line["exception"].splitlines()[-1] for line in lines(stream)] == [
        'OSError: connection to "***" failed'
    ] * 2


def test_lines_within_a_span_carry_its_ids(stream: io.StringIO) -> None:
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("test")
    with tracer.start_as_current_span("work") as span:
        structlog.stdlib.get_logger("ours").info("inside")
    structlog.stdlib.get_logger("ours").info("outside")
    inside, outside = lines(stream)
    assert inside["trace_id"] == f"{span.get_span_context().trace_id:032x}"
    assert inside["span_id"] == f"{span.get_span_context().span_id:016x}"
    assert "trace_id" not in outside


def _fail() -> None:
    message = 'connection to "hunter22" failed'
    raise OSError(message)
