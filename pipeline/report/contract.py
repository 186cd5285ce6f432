"""JSON in the contract that the platform's validators were given, one check an image and kind."""

from __future__ import annotations

import json
from typing import Any

from trivy.finding import NO_DATABASE

from pipeline.report.model import BuildResult, ImageResult

OF_DOCKERFILE = {"lint", "misconfiguration"}
OF_SCAN = {"secret", "vulnerability"}
CHECKS = ("build", "lint", "secret", "misconfiguration", "vulnerability", "budget")


def build_json(result: BuildResult) -> str:
    """The result of a build for a machine.

    Args:
        result: The build.

    Returns:
        JSON with `status`, `timestamp`, `script`, `duration_seconds`, `checks`, `summary`, `metadata`, and `images`.
    """
    checks = [check for image in result.images for check in _checks(image)]
    counts = {
        word: sum(check["status"] == word for check in checks) for word in ("passed", "failed", "skipped", "warning")
    }
    document = {
        "status": result.status,
        "timestamp": result.started,
        "script": "build-all",
        "duration_seconds": round(result.seconds, 3),
        "checks": checks,
        "summary": {
            "total": len(checks),
            "passed": counts["passed"],
            "failed": counts["failed"],
            "skipped": counts["skipped"],
            "warnings": counts["warning"],
        },
        "metadata": {"platform": result.platform, "tools": result.tools, "warnings": list(result.warnings)},
        "images": [_image(image) for image in result.images],
    }
    return json.dumps(document, indent=2)


def _checks(image: ImageResult) -> list[dict[str, Any]]:
    return [check for kind in CHECKS for check in _check(image, kind)]


def _check(image: ImageResult, kind: str) -> list[dict[str, Any]]:
    """A passed or skipped check is one entry, any other an entry for each finding; what does not fail is a warning."""
    name = f"{image.name}:{kind}"
    notes = [note for note in image.notes if note.check == kind]
    if notes:
        return [
            {
                "name": name,
                "status": "failed" if note.fails else "warning",
                "details": note.text,
                "file": note.file,
                "line": note.line,
                "fix": note.fix,
            }
            for note in notes
        ]
    details, status = "", "passed"
    if kind not in OF_DOCKERFILE and not image.digest:
        details, status = "there is no image", "skipped"
    elif kind in OF_SCAN and not image.scanned:
        details, status = "the image was not scanned", "skipped"
    elif kind == "vulnerability" and not image.vulnerabilities:
        details, status = NO_DATABASE, "skipped"
    return [{"name": name, "status": status, "details": details, "file": "", "line": 0, "fix": ""}]


def _image(image: ImageResult) -> dict[str, Any]:
    return {
        "name": image.name,
        "kind": image.kind,
        "reference": image.reference,
        "status": image.status,
        "digest": image.digest,
        "size": image.size,
        "compressed": image.compressed,
        "budget": image.budget,
        "seconds": round(image.seconds, 3),
    }
