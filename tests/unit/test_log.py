from __future__ import annotations

import json

import pytest
import structlog

from pipeline import log
from pipeline.settings import Settings


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"password": "hunter2"}, {"password": "***"}),
        ({"POSTGRES_PASSWORD": "hunter2"}, {"POSTGRES_PASSWORD": "***"}),
        ({"url": "postgres://arc:hunter2@db/x"}, {"url": "postgres://arc:***@db/x"}),
        ({"text": "failed: password=hunter2, retry"}, {"text": "failed: password=***, retry"}),
        ({"text": "Authorization: Bearer abc.def"}, {"text": "Authorization: Bearer ***"}),
        ({"nested": {"api_key": "x", "list": ["token: y"]}}, {"nested": {"api_key": "***", "list": ["token: ***"]}}),
        ({"image": "sonic", "n": 3}, {"image": "sonic", "n": 3}),
    ],
)
def test_secrets_are_masked(event: dict[str, object], expected: dict[str, object]) -> None:
    assert log.mask(None, "info", dict(event)) == expected


def test_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(Settings(log_format="json", log_level="warning"))
    structlog.get_logger().info("quiet")
    structlog.get_logger().warning("loud", token="t0p")  # noqa: S106  # a secret is what is tested
    (line,) = capsys.readouterr().err.splitlines()
    record = json.loads(line)
    assert (record["event"], record["level"], record["token"]) == ("loud", "warning", "***")
