"""SARIF 2.1.0, one result a finding, for code-scanning views."""

from __future__ import annotations

import json
from typing import Any

from pipeline.report.model import BuildResult, ImageResult, Note

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
HOME = "https://github.com/arc-framework/arc"


def build_sarif(result: BuildResult) -> str:
    """The result of a build for a code-scanning view.

    Args:
        result: The build.

    Returns:
        A SARIF log: failing notes are errors, the others notes.
    """
    results = [_result(image, note) for image in result.images for note in image.notes]
    rules = [{"id": rule} for rule in sorted({item["ruleId"] for item in results})]
    driver = {"name": "arc", "informationUri": HOME, "rules": rules}
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}
    return json.dumps(log, indent=2)


def _result(image: ImageResult, note: Note) -> dict[str, Any]:
    text = f"{image.name}: {note.text}" + (f" ({note.fix})" if note.fix else "")
    place = {"artifactLocation": {"uri": note.file or image.name}, "region": {"startLine": max(note.line, 1)}}
    return {
        "ruleId": note.check,
        "level": "error" if note.fails else "note",
        "message": {"text": text},
        "locations": [{"physicalLocation": place}],
    }
