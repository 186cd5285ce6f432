"""The repository of a call: its files, its settings and what is built from them."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import dagger

from pipeline import log, settings
from pipeline.build import images
from pipeline.build.builder import Builder
from pipeline.catalogue.plan import Platform

READ = [
    "arc.toml",
    ".hadolint.yaml",
    ".arc/**",
    "base-images/**",
    "services/**/service.yaml",
    "services/*.yaml",
    "services/**/*Dockerfile*",
    "services/**/*Containerfile*",
    "services/**/.dockerignore",
]
"""What this process itself reads; the rest goes from the caller's machine to the engine only."""
REVISION = "org.opencontainers.image.revision"


async def checkout(source: dagger.Directory) -> Path:
    """Copy what this process reads of a repository to where it can.

    Args:
        source: Its root.

    Returns:
        A folder, which goes with this process.
    """
    root = Path(tempfile.mkdtemp(prefix="arc-"))
    await source.filter(include=READ).export(str(root))
    return root


@dataclass(frozen=True)
class Workspace:
    """A repository on this engine."""

    platform: Platform
    settings: settings.Settings
    source: dagger.Directory
    revision: str = ""

    @classmethod
    async def open(cls, source: dagger.Directory, revision: str, **arguments: object) -> Workspace:
        """Read a repository.

        Args:
            source: Its root.
            revision: Commit that the images are built from; empty leaves the label out.
            arguments: Settings given with the call.

        Returns:
            The workspace.

        Raises:
            UsageError: Something in it is wrong.
            UsageGroupError: In several places.
        """
        root = await checkout(source)
        chosen = settings.load(root, **arguments)
        log.configure(chosen)
        return cls(Platform.read(root), chosen, source, revision)

    async def builder(self) -> Builder:
        """Get what builds this repository's images.

        Returns:
            The builder, on a base image that this engine can pull.

        Raises:
            UsageError: No such base image.
        """
        root = self.platform.root
        debian = await images.resolve(root, "debian")
        labels = ((REVISION, self.revision),) if self.revision else ()
        return Builder(root, self.source, debian, self.settings.platform, labels)
