"""The Dagger object."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import dagger
from dagger import Doc, field, function, object_type

from trivy import scan as runner
from trivy.finding import NO_DATABASE, gate


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
            raise ValueError(self.summary())
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
        tool = await runner.tool(self.debian)
        db = await runner.database(tool, datetime.now(UTC).date().isoformat())
        scan = await runner.scan_image(tool, image, db)
        found = gate(scan.findings, severities or ["HIGH", "CRITICAL"])
        return ImageReport(findings=[str(finding) for finding in found], database=scan.database, sbom=scan.sbom)
