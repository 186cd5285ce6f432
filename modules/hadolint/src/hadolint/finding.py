"""What hadolint says, typed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

Level = Literal["error", "warning", "info", "style"]
LEVELS: tuple[Level, ...] = ("error", "warning", "info", "style")
"""From the gravest to the lightest."""
SARIF_LEVEL = {"error": "error", "warning": "warning", "info": "note", "style": "note"}
WIKI = "https://github.com/hadolint/hadolint/wiki"


@dataclass(frozen=True)
class Finding:
    """One rule that a Dockerfile breaks."""

    file: str
    line: int
    column: int
    level: Level
    code: str
    message: str

    def __str__(self) -> str:
        """The form that editors and people know."""
        return f"{self.file}:{self.line}: {self.code} {self.level}: {self.message}"


def parse(text: str) -> list[Finding]:
    """Read hadolint's JSON.

    Args:
        text: Output of `hadolint --format json`.

    Returns:
        The findings, ordered by file and line.

    Raises:
        ValueError: It is not such an output.
    """
    keys = ("file", "line", "column", "level", "code", "message")
    findings = [Finding(**{key: item[key] for key in keys}) for item in json.loads(text)]
    return sorted(findings, key=lambda finding: (finding.file, finding.line, finding.code))


def at_least(findings: Iterable[Finding], threshold: Level) -> list[Finding]:
    """Choose the findings that are as grave as a threshold.

    Args:
        findings: All of them.
        threshold: The lightest level to keep.

    Returns:
        The chosen ones, in the same order.
    """
    kept = LEVELS[: LEVELS.index(threshold) + 1]
    return [finding for finding in findings if finding.level in kept]


def sarif(findings: Iterable[Finding], version: str) -> dict[str, Any]:
    """Make a SARIF 2.1.0 log with one result a finding.

    Args:
        findings: The findings.
        version: Version of hadolint.

    Returns:
        The log, ready for `json.dumps`.
    """
    results = [
        {
            "ruleId": finding.code,
            "level": SARIF_LEVEL[finding.level],
            "message": {"text": finding.message},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": finding.file},
                        "region": {"startLine": max(finding.line, 1), "startColumn": max(finding.column, 1)},
                    }
                }
            ],
        }
        for finding in findings
    ]
    rules = [
        {"id": code, "helpUri": f"{WIKI}/{code}"} for code in sorted({str(result["ruleId"]) for result in results})
    ]
    driver = {
        "name": "hadolint",
        "version": version,
        "informationUri": "https://github.com/hadolint/hadolint",
        "rules": rules,
    }
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }
