from __future__ import annotations

import json

import hadolint.finding
import trivy.finding

from pipeline.build import notes

LINT = json.dumps(
    [
        {"code": "DL3059", "column": 1, "file": "b", "level": "info", "line": 2, "message": "m"},
        {"code": "DL3006", "column": 1, "file": "a", "level": "warning", "line": 9, "message": "m"},
        {"code": "SC2086", "column": 3, "file": "a", "level": "style", "line": 1, "message": "m"},
    ]
)
SCAN = json.dumps(
    {
        "Results": [
            {
                "Target": "image (debian 13)",
                "Vulnerabilities": [
                    {
                        "VulnerabilityID": "CVE-1",
                        "PkgName": "x",
                        "InstalledVersion": "1",
                        "FixedVersion": "2",
                        "Severity": "HIGH",
                    },
                    {"VulnerabilityID": "CVE-2", "PkgName": "y", "InstalledVersion": "1", "Severity": "CRITICAL"},
                    {
                        "VulnerabilityID": "CVE-3",
                        "PkgName": "z",
                        "InstalledVersion": "1",
                        "FixedVersion": "2",
                        "Severity": "LOW",
                    },
                ],
            },
            {
                "Target": "/app/.env",
                "Secrets": [
                    {
                        "RuleID": "aws-access-key-id",
                        "Severity": "CRITICAL",
                        "Title": "AWS Access Key ID",
                        "StartLine": 3,
                    }
                ],
            },
            {
                "Target": "services/x/Dockerfile",
                "Misconfigurations": [
                    {
                        "ID": "DS002",
                        "Title": "root",
                        "Message": "Specify a USER",
                        "Severity": "HIGH",
                        "Resolution": "Add USER",
                        "CauseMetadata": {"StartLine": 4},
                    }
                ],
            },
            {"Target": "clean"},
        ]
    }
)


def test_lint_findings_are_ordered_and_filtered() -> None:
    found = hadolint.finding.parse(LINT)
    assert [(finding.file, finding.line) for finding in found] == [("a", 1), ("a", 9), ("b", 2)]
    assert [finding.code for finding in hadolint.finding.at_least(found, "info")] == ["DL3006", "DL3059"]
    assert str(found[1]) == "a:9: DL3006 warning: m"


def test_sarif_has_one_result_a_finding() -> None:
    log = hadolint.finding.sarif(hadolint.finding.parse(LINT), "2.15.1")
    (run,) = log["runs"]
    assert [result["level"] for result in run["results"]] == ["note", "warning", "note"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["DL3006", "DL3059", "SC2086"]


def test_only_grave_and_fixable_findings_fail() -> None:
    found = trivy.finding.parse(SCAN)
    assert [finding.id for finding in found] == ["CVE-1", "CVE-2", "CVE-3", "aws-access-key-id", "DS002"]
    assert [f.id for f in trivy.finding.gate(found, ["HIGH", "CRITICAL"])] == ["CVE-1", "aws-access-key-id", "DS002"]


def test_an_unfixed_vulnerability_is_listed_without_failing() -> None:
    made = notes.image(trivy.finding.parse(SCAN)[:3], ["HIGH", "CRITICAL"])
    assert [(note.text.split()[0], note.fails) for note in made] == [
        ("CVE-1", True),
        ("CVE-2", False),
        ("CVE-3", False),
    ]


def test_a_dockerfile_gets_its_own_findings_only() -> None:
    lint, config = hadolint.finding.parse(LINT), trivy.finding.parse(SCAN)
    assert [(note.check, note.line, note.fails) for note in notes.lint("a", lint)] == [("lint", 9, True)]
    assert notes.config("a", config, ["HIGH"]) == []
    (note,) = notes.config("services/x/Dockerfile", config, ["HIGH"])
    assert (note.check, note.line, note.fix, note.fails) == ("misconfiguration", 4, "Add USER", True)
    (light,) = notes.config("services/x/Dockerfile", config, ["CRITICAL"])
    assert not light.fails


def test_an_empty_report() -> None:
    assert trivy.finding.parse("{}") == []
