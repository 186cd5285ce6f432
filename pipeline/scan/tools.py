"""The tools of a run, each had once and shared by all images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import dagger
import hadolint.finding
import hadolint.lint
import trivy.finding
import trivy.scan

from pipeline.build.builder import Builder
from pipeline.concurrent import Shared

CONFIG = ".hadolint.yaml"


@dataclass(frozen=True)
class Scans:
    """Results and tools that all images of a run need."""

    lint: Shared[list[hadolint.finding.Finding]]
    scanner: Shared[dagger.Container]
    database: Shared[dagger.Directory | None]
    config: Shared[list[trivy.finding.Finding]]

    @classmethod
    def create(cls, builder: Builder, dockerfiles: Sequence[str]) -> Scans:
        """Prepare; nothing starts before somebody asks.

        Args:
            builder: Builder whose repository is looked at.
            dockerfiles: Paths of the Dockerfiles.

        Returns:
            The scans.
        """

        async def lint() -> list[hadolint.finding.Finding]:
            tool = await hadolint.lint.tool(builder.debian)
            config = builder.source.file(CONFIG) if (builder.root / CONFIG).is_file() else None
            return await hadolint.lint.lint(tool, builder.source, dockerfiles, config)

        async def tool() -> dagger.Container:
            container = await trivy.scan.tool(builder.debian)
            return await container.sync()

        async def database() -> dagger.Directory | None:
            return await trivy.scan.database(await scanner.get(), datetime.now(UTC).date().isoformat())

        async def config() -> list[trivy.finding.Finding]:
            return await trivy.scan.scan_config(await scanner.get(), builder.source, dockerfiles)

        scanner = Shared(tool)
        return cls(Shared(lint), scanner, Shared(database), Shared(config))
