from __future__ import annotations

import json

import pytest

from pipeline.build import notes
from pipeline.errors import UsageError
from pipeline.report.contract import build_json
from pipeline.report.form import wants_json
from pipeline.report.model import BuildResult, ImageResult, Note
from pipeline.report.sarif import build_sarif
from pipeline.report.table import build_table, table

GOOD = ImageResult(
    "sonic", "service", "r/sonic:8", "passed", "sha256:" + "a" * 64, 42_000_000, 17_000_000, 100_000_000, scanned=True
)
BAD = ImageResult(
    "oracle",
    "service",
    "r/oracle:17",
    "failed",
    "sha256:" + "b" * 64,
    1,
    1,
    1,
    scanned=True,
    vulnerabilities=True,
    notes=(
        Note("lint", "DL3008 warning: pin versions", "services/oracle/Dockerfile", 7),
        Note("vulnerability", "CVE-1 HIGH: libx 1: overflow", "debian", fix="2"),
        Note("vulnerability", "CVE-2 LOW: liby 1: meh", "debian", fails=False),
    ),
)
GONE = ImageResult(
    "flash", "service", "r/flash:2", "error", notes=(Note("build", "exited with 1", "services/flash/Dockerfile"),)
)


def result(*images: ImageResult) -> BuildResult:
    return BuildResult(images, "2026-01-01T00:00:00+00:00", 12.5, "linux/amd64", {"trivy": "1"})


def test_the_worst_image_is_the_status() -> None:
    assert result(GOOD).status == "passed"
    assert result(GOOD, BAD).status == "failed"
    assert result(GOOD, BAD, GONE).status == "error"
    assert [image.name for image in result(GONE, GOOD, BAD).failures] == ["flash", "oracle"]


def test_state_survives_json() -> None:
    before = result(GOOD, BAD, GONE)
    assert BuildResult.from_dict(json.loads(json.dumps(before.to_dict()))) == before


def test_a_table_for_people() -> None:
    text = build_table(result(GOOD, BAD, GONE)).splitlines()
    assert text[1].split() == [
        "sonic", "passed", "42.0", "MB", "100", "MB", "17.0", "MB", "ok", "ok", "ok",
        "no", "vulnerability", "database", "sha256:aaaaaaaaaaaa", "0", "s",
    ]  # fmt: skip
    assert "oracle: lint: services/oracle/Dockerfile:7: DL3008 warning: pin versions" in text
    assert "oracle: 1 findings that do not fail it; `report --format json` names them" in text
    assert "flash: build: services/flash/Dockerfile: exited with 1" in text
    assert text[-1] == "1 of 3 images passed in 12 s (linux/amd64)"


def test_json_for_machines_counts_each_finding() -> None:
    document = json.loads(build_json(result(GOOD, BAD, GONE)))
    assert document["status"] == "error"
    by_name = {check["name"]: check for check in document["checks"]}
    assert by_name["sonic:vulnerability"] == {
        "name": "sonic:vulnerability", "status": "skipped", "details": "no vulnerability database",
        "file": "", "line": 0, "fix": "",
    }  # fmt: skip
    assert [(c["status"], c["fix"]) for c in document["checks"] if c["name"] == "oracle:vulnerability"] == [
        ("failed", "2"),
        ("warning", ""),
    ]
    assert by_name["oracle:lint"]["line"] == 7
    assert by_name["flash:secret"]["status"] == "skipped"
    assert by_name["flash:build"]["status"] == "failed"
    assert by_name["flash:misconfiguration"]["status"] == "passed"
    assert (document["summary"]["failed"], document["summary"]["warnings"]) == (3, 1)
    assert document["summary"]["total"] == len(document["checks"])


@pytest.mark.parametrize(("size", "found"), [(99, 0), (100, 0), (101, 1)])
def test_the_budget_is_the_last_size_that_passes(size: int, found: int) -> None:
    image = ImageResult("x", "service", "r", digest="sha256:0", size=size, budget=100)
    assert len(notes.budget(image)) == found


def test_status_by_notes() -> None:
    assert notes.status(GONE) == "error"
    assert notes.status(GOOD) == "passed"
    assert notes.status(BAD) == "failed"


def test_numbers_are_aligned_right() -> None:
    assert table(("A", "N"), [("x", "1"), ("long", "100")], right=(1,)).splitlines() == [
        "A       N",
        "x       1",
        "long  100",
    ]


def test_sarif_has_a_result_for_each_note() -> None:
    (run,) = json.loads(build_sarif(result(GOOD, BAD, GONE)))["runs"]
    assert [(item["ruleId"], item["level"]) for item in run["results"]] == [
        ("lint", "error"),
        ("vulnerability", "error"),
        ("vulnerability", "note"),
        ("build", "error"),
    ]
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "services/oracle/Dockerfile"}, "region": {"startLine": 7}}
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["build", "lint", "vulnerability"]


def test_the_format_is_checked() -> None:
    assert (wants_json("json"), wants_json("table")) == (True, False)
    with pytest.raises(UsageError, match="--format: there is no format `yaml`; choose one of: table, json"):
        wants_json("yaml")


def test_an_image_that_was_not_scanned_did_not_pass_its_scan() -> None:
    unscanned = ImageResult("x", "service", "r", "failed", "sha256:0", 1, 1, notes=(Note("secret", "no answer"),))
    checks = {check["name"]: check for check in json.loads(build_json(result(unscanned)))["checks"]}
    assert checks["x:secret"]["status"] == "failed"
    assert (checks["x:vulnerability"]["status"], checks["x:vulnerability"]["details"]) == (
        "skipped",
        "the image was not scanned",
    )
    assert "not scanned" in build_table(result(unscanned))
