"""The Dagger object."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import dagger
from dagger import Doc, field, function, object_type
from dagger.mod._exceptions import FunctionError  # ends a function without a traceback

from trivy import scan as runner
from trivy.finding import NO_DATABASE, SEVERITIES, gate


@object_type
class ImageReport:
    """The result of one scan."""

    findings: Annotated[list[str], Doc("One line a finding that counts.")] = field(default=list)
    database: Annotated[bool, Doc("Whether vulnerabilities were looked for.")] = field(default=False)
    sbom: Annotated[dagger.File, Doc("CycloneDX JSON.")] = field()

    @function
    def summary(self) -> str:
        """The findings for a person, and what was looked for."""
        scope = "vulnerabilities and secrets" if self.database else f"secrets; {NO_DATABASE}"
        return "\n".join([*self.findings, f"{len(self.findings)} findings ({scope})"])

    @function
    def check(self) -> str:
        """The summary; fails when there is a finding."""
        if self.findings:
            raise FunctionError(self.summary())
        return self.summary()


@object_type
class Trivy:
    """Scans images with a pinned trivy."""

    debian: Annotated[str, Doc("Debian image to compile trivy on where its own image cannot be pulled.")] = ""

    @function(cache="12h")
    async def image(
        self,
        image: Annotated[dagger.Container, Doc("Image to scan: a reference or a container.")],
        severities: Annotated[list[str] | None, Doc("Severities that count; default HIGH and CRITICAL.")] = None,
    ) -> ImageReport:
        """Scan an image for vulnerabilities and secrets, and list what it is made of."""
        chosen = _checked(severities)
        tool = await runner.tool(self.debian)
        db = await runner.database(tool, datetime.now(UTC).date().isoformat())
        scan = await runner.scan_image(tool, image, db)
        found = gate(scan.findings, chosen)
        return ImageReport(findings=[str(finding) for finding in found], database=scan.database, sbom=scan.sbom)

    @function
    async def config(
        self,
        source: Annotated[dagger.Directory, Doc("Directory that holds the Dockerfiles.")],
        paths: Annotated[list[str] | None, Doc("Dockerfiles in it; default: every file of that name.")] = None,
        severities: Annotated[list[str] | None, Doc("Severities that count; default HIGH and CRITICAL.")] = None,
    ) -> list[str]:
        """Check Dockerfiles for misconfigurations; one line a finding."""
        chosen = _checked(severities)
        files = paths or await source.glob("**/Dockerfile")
        found = await runner.scan_config(await runner.tool(self.debian), source, files)
        return [str(finding) for finding in gate(found, chosen)]


def _checked(severities: list[str] | None) -> list[str]:
    """The severities that count, or the default; a word that is none would let everything pass."""
    for word in severities or ():
        if word not in SEVERITIES:
            raise FunctionError(f"--severities: `{word}` is no severity; use some of {', '.join(SEVERITIES)}")
    return severities or ["HIGH", "CRITICAL"]
