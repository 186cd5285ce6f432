"""Plain text tables, aligned by content: they survive a log, a pipe and a narrow terminal."""

from __future__ import annotations

from collections.abc import Sequence

from trivy.finding import NO_DATABASE

from pipeline.report.model import MB, BuildResult, ImageResult

SHORT_DIGEST = 19
"""Characters of a digest in a table: `sha256:` and twelve."""


def table(head: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """Align rows under their headings.

    Args:
        head: Column headings.
        rows: Cells, a row for each line.
        right: Indices of the columns that hold numbers.

    Returns:
        The lines, without trailing spaces.
    """
    lines = [list(head), *[list(row) for row in rows]]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    cells = [
        [
            c.rjust(width) if i in right else c.ljust(width)
            for i, (c, width) in enumerate(zip(line, widths, strict=True))
        ]
        for line in lines
    ]
    return "\n".join("  ".join(line).rstrip() for line in cells)


def build_table(result: BuildResult) -> str:
    """The result of a build for a person: a line an image, then what must be mended.

    Args:
        result: The build.

    Returns:
        The text.
    """
    head = (
        "IMAGE",
        "STATUS",
        "SIZE",
        "BUDGET",
        "LAYERS",
        "LINT",
        "SECRETS",
        "CONFIG",
        "VULNERABILITIES",
        "DIGEST",
        "TIME",
    )
    rows = [_row(image) for image in result.images]
    notes = [f"{image.name}: {note.check}: {note}" for image in result.images for note in image.errors]
    remarks = [_remark(image) for image in result.images if len(image.notes) > len(image.errors)]
    good = len(result.images) - len(result.failures)
    text = [table(head, rows, right=(2, 3, 4, 10)), *notes, *remarks, *(f"warning: {w}" for w in result.warnings)]
    return "\n".join(
        [*text, f"{good} of {len(result.images)} images passed in {result.seconds:.0f} s ({result.platform})"]
    )


def _row(image: ImageResult) -> list[str]:
    if not image.digest:
        return [image.name, image.status, *["-"] * 8, f"{image.seconds:.0f} s"]
    vulnerabilities = _verdict(image.count("vulnerability")) if image.vulnerabilities else NO_DATABASE
    return [
        image.name,
        image.status,
        f"{image.size / MB:.1f} MB",
        f"{image.budget / MB:.0f} MB" if image.budget else "-",
        f"{image.compressed / MB:.1f} MB",
        _verdict(image.count("lint")),
        _verdict(image.count("secret")) if image.scanned else "not scanned",
        _verdict(image.count("misconfiguration")),
        vulnerabilities,
        image.digest[:SHORT_DIGEST],
        f"{image.seconds:.0f} s",
    ]


def _remark(image: ImageResult) -> str:
    number = len(image.notes) - len(image.errors)
    return f"{image.name}: {number} findings that do not fail it; `report --format json` names them"


def _verdict(number: int) -> str:
    return str(number) if number else "ok"
