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


def failure(check: str, error: dagger.QueryError, file: str) -> Note:
    """Turn an error of the engine into a note.

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


def dockerfile(
    path: str,
    lint: Iterable[hadolint.finding.Finding],
    config: Iterable[trivy.finding.Finding],
    severities: Collection[str],
) -> list[Note]:
    """Choose what was said about one Dockerfile.

    Args:
        path: The Dockerfile.
        lint: hadolint's findings about all of them.
        config: trivy's findings about all of them.
        severities: Severities of trivy that fail.

    Returns:
        Notes; lighter findings of trivy do not fail.
    """
    linted = hadolint.finding.at_least([finding for finding in lint if finding.file == path], LINT_LEVEL)
    found = [Note("lint", f"{f.code} {f.level}: {f.message}", path, f.line) for f in linted]
    return found + [
        Note("misconfiguration", f"{f.id} {f.severity}: {f.title}", path, f.line, f.fix, f.severity in severities)
        for f in config
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
    return [Note("budget", text, fix="make it smaller, or raise budget.size_mb in service.yaml")]


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
