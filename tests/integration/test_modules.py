"""hadolint and trivy as modules that others install."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli import ROOT, daggerw

pytestmark = [pytest.mark.engine, pytest.mark.timeout(1800)]


def stand_in() -> list[str]:
    """The options that a registry-less engine needs; none elsewhere."""
    lock = ROOT / ".arc" / "images.lock.json"
    return ["--debian", json.loads(lock.read_text())["images"]["debian"]] if lock.is_file() else []


def test_hadolint_reports_and_fails_only_when_asked(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM debian\nRUN cd /tmp\n")
    lint = ("-m", str(ROOT / "modules/hadolint"), "call", *stand_in(), "lint", "--source", str(tmp_path))
    summary = daggerw(*lint, "summary")
    assert summary.code == 0, summary.err
    assert "Dockerfile:1: DL3006 warning:" in summary.out
    assert summary.out.strip().endswith("findings")
    assert daggerw(*lint, "check").code == 1
    assert daggerw(*lint, "--threshold", "error", "check").code == 0
    (run,) = json.loads(daggerw(*lint, "sarif", "contents").out)["runs"]
    assert "DL3006" in {result["ruleId"] for result in run["results"]}


def test_trivy_lists_what_an_image_is_made_of() -> None:
    image = next(iter(stand_in()[1:]), "docker.io/library/debian:trixie-slim")
    scan = ("-m", str(ROOT / "modules/trivy"), "call", *stand_in(), "image", "--image", image)
    summary = daggerw(*scan, "summary")
    assert summary.code == 0, summary.err
    assert "findings (" in summary.out
    components = json.loads(daggerw(*scan, "sbom", "contents").out)["components"]
    assert "libc6" in {component["name"] for component in components}
