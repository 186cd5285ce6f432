"""What trivy says, typed."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["vulnerability", "secret", "misconfiguration"]
SEVERITIES = ("UNKNOWN", "LOW", "MEDIUM", "HIGH", "CRITICAL")
NO_DATABASE = "no vulnerability database"


@dataclass(frozen=True)
class Finding:
    """One thing that trivy found."""

    kind: Kind
    id: str
    severity: str
    target: str
    title: str
    fix: str = ""
    line: int = 0

    def __str__(self) -> str:
        """The form that editors and people know."""
        place = f"{self.target}:{self.line}" if self.line else self.target
        return f"{place}: {self.id} {self.severity}: {self.title}" + (f" (fix: {self.fix})" if self.fix else "")


def parse(text: str) -> list[Finding]:
    """Read trivy's JSON report.

    Args:
        text: Output of `trivy ... --format json`.

    Returns:
        The findings, in the report's order.

    Raises:
        ValueError: It is not such a report.
    """
    found: list[Finding] = []
    for result in json.loads(text).get("Results") or []:
        target = str(result.get("Target", ""))
        found += [_vulnerability(item, target) for item in result.get("Vulnerabilities") or []]
        found += [
            Finding("secret", item["RuleID"], item["Severity"], target, item["Title"], "", item.get("StartLine", 0))
            for item in result.get("Secrets") or []
        ]
        found += [_misconfiguration(item, target) for item in result.get("Misconfigurations") or []]
    return found


def gate(findings: Collection[Finding], severities: Collection[str]) -> list[Finding]:
    """Choose the findings that fail a build.

    Args:
        findings: All of them.
        severities: Severities that count.

    Returns:
        Those of a counted severity; of vulnerabilities only those with a fixed version.
    """
    return [f for f in findings if f.severity in severities and (f.kind != "vulnerability" or f.fix)]


def _vulnerability(item: dict[str, Any], target: str) -> Finding:
    title = f"{item['PkgName']} {item['InstalledVersion']}: {item.get('Title') or item['VulnerabilityID']}"
    return Finding(
        "vulnerability", item["VulnerabilityID"], item["Severity"], target, title, item.get("FixedVersion", "")
    )


def _misconfiguration(item: dict[str, Any], target: str) -> Finding:
    line = int(item.get("CauseMetadata", {}).get("StartLine") or 0)
    title = item.get("Message") or item["Title"]
    return Finding("misconfiguration", item["ID"], item["Severity"], target, title, item.get("Resolution", ""), line)
