"""What findings mean for an image."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import dagger
import hadolint.finding
import trivy.finding

from pipeline.report.model import MB, ImageResult, Note, Status

LINT_LEVEL: hadolint.finding.Level = "info"
"""Lightest level of hadolint that fails an image."""
TAIL = 12
"""Lines of a failed command that are shown."""


def failure(check: str, error: Exception, file: str) -> Note:
    """Turn an error into a note.

    Args:
        check: What failed.
        error: The error.
        file: The file that a person should open.

    Returns:
        The note; of a failed command its last lines.
    """
    text = str(error)
    if isinstance(error, dagger.ExecError):
        output = (error.stderr or error.stdout).strip().splitlines()[-TAIL:]
        text = f"`{' '.join(error.command)[:200]}` exited with {error.exit_code}: " + " | ".join(output)
    return Note(check, " ".join(text.split()), file, fix="mend it and call again" if check == "build" else "")


def lint(path: str, findings: Iterable[hadolint.finding.Finding]) -> list[Note]:
    """Choose what hadolint said about one Dockerfile.

    Args:
        path: The Dockerfile.
        findings: hadolint's findings about all of them.

    Returns:
        Notes, each of which fails.
    """
    own = hadolint.finding.at_least([finding for finding in findings if finding.file == path], LINT_LEVEL)
    return [Note("lint", f"{f.code} {f.level}: {f.message}", path, f.line) for f in own]


def config(path: str, findings: Iterable[trivy.finding.Finding], severities: Collection[str]) -> list[Note]:
    """Choose what trivy said about one Dockerfile.

    Args:
        path: The Dockerfile.
        findings: trivy's findings about all of them.
        severities: Severities that fail.

    Returns:
        Notes; lighter findings do not fail.
    """
    return [
        Note("misconfiguration", f"{f.id} {f.severity}: {f.title}", path, f.line, f.fix, f.severity in severities)
        for f in findings
        if f.target == path
    ]


def image(findings: Iterable[trivy.finding.Finding], severities: Collection[str]) -> list[Note]:
    """Choose what was found inside of an image.

    Args:
        findings: trivy's findings.
        severities: Severities that fail.

    Returns:
        Notes; a vulnerability without a fixed version, and a lighter finding, does not fail.
    """
    found = list(findings)
    gated = trivy.finding.gate(found, severities)
    return [Note(f.kind, f"{f.id} {f.severity}: {f.title}", f.target, f.line, f.fix, f in gated) for f in found]


def budget(result: ImageResult) -> list[Note]:
    """Compare an image with its budget.

    Args:
        result: The image, weighed.

    Returns:
        A note when it is too large.
    """
    if not result.budget or result.size <= result.budget:
        return []
    text = f"{result.size / MB:.1f} MB unpacked, budget {result.budget / MB:.0f} MB"
    key = "budget.size_mb in service.yaml" if result.kind == "service" else "its budget"
    return [Note("budget", text, fix=f"make it smaller, or raise {key}")]


def status(result: ImageResult) -> Status:
    """Judge an image by its notes.

    Args:
        result: The image with its notes.

    Returns:
        `error` when there is no image, `failed` when a note fails it.
    """
    if not result.digest:
        return "error"
    return "failed" if result.errors else "passed"
