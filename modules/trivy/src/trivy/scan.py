"""Running trivy in a container."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import dagger
from dagger import dag

from trivy.finding import NO_DATABASE, Finding, parse

VERSION = "0.68.2"
IMAGE = "docker.io/aquasec/trivy:0.68.2@sha256:05d0126976bdedcd0782a0336f77832dbea1c81b9cc5e4b3a5ea5d2ec863aca7"
DATABASE = "ghcr.io/aquasecurity/trivy-db:2"
TOOL = Path(__file__).parents[2] / "tool"
PROGRAM = "/usr/local/bin/trivy"
LOG = logging.getLogger(__name__)
REASON = 300
"""Characters of a tool's complaint that are logged."""
QUIET = ("--quiet", "--skip-version-check", "--disable-telemetry")
DATABASE_DIR = "/trivy-db"
MOUNT = "/src"


@dataclass(frozen=True)
class ImageScan:
    """What one image holds."""

    findings: tuple[Finding, ...]
    """Secrets, and vulnerabilities when there was a database."""
    database: bool
    """Whether vulnerabilities were looked for."""
    sbom: dagger.File
    """CycloneDX JSON."""


async def tool(debian: str = "") -> dagger.Container:
    """Get trivy: the upstream image where its registry can be reached, else compiled from the module proxy.

    Args:
        debian: Image to build on when the upstream image cannot be had; empty takes the Dockerfile's own.

    Returns:
        A container with trivy.
    """
    try:
        return await dag.container().from_(IMAGE).sync()
    except dagger.QueryError:
        return build(debian)


def build(debian: str = "") -> dagger.Container:
    """Compile trivy from the Go module proxy.

    Args:
        debian: Image to build on; empty takes the Dockerfile's own.

    Returns:
        A container with trivy.
    """
    arguments = [dagger.BuildArg("DEBIAN", debian)] if debian else []
    context = dag.directory()
    for file in sorted(TOOL.iterdir()):
        context = context.with_new_file(file.name, file.read_text("utf-8"))
    return context.docker_build(build_args=arguments)


async def database(trivy: dagger.Container, day: str, reference: str = DATABASE) -> dagger.Directory | None:
    """Fetch the vulnerability database.

    Args:
        trivy: A container from `tool`.
        day: The day for which it is wanted; the same day is fetched once.
        reference: OCI artefact that holds it.

    Returns:
        The database, or None where it cannot be had; the reason is logged.
    """
    command = [
        PROGRAM,
        *QUIET,
        "image",
        "--download-db-only",
        "--db-repository",
        reference,
        "--cache-dir",
        DATABASE_DIR,
    ]
    fetched = trivy.with_env_variable("DAY", day).with_exec(command)
    try:  # a failure is an error of the engine, so that it is not kept: the next call tries again
        await fetched.sync()
    except dagger.ExecError as error:
        reason = " ".join((error.stderr or error.stdout).split())[-REASON:]
        LOG.warning("%s: %s", NO_DATABASE, reason)
        return None
    return fetched.directory(DATABASE_DIR)


async def scan_image(trivy: dagger.Container, image: dagger.Container, db: dagger.Directory | None = None) -> ImageScan:
    """Look into an image: all of its layers, also what a later layer hides.

    Args:
        trivy: A container from `tool`.
        image: The image.
        db: A database from `database`; None leaves vulnerabilities out.

    Returns:
        What was found, and the SBOM.
    """
    tool = trivy.with_mounted_file("/image.tar", image.as_tarball())
    scanners = "secret"
    offline = ["--offline-scan", "--cache-backend", "memory", "--timeout", "15m"]
    if db is not None:
        tool, scanners = tool.with_mounted_directory(DATABASE_DIR, db), "secret,vuln"
        offline += ["--skip-db-update", "--skip-java-db-update", "--cache-dir", DATABASE_DIR]
    common = [PROGRAM, *QUIET, "image", "--input", "/image.tar", *offline]
    bill = [PROGRAM, *QUIET, "image", "--input", "/image.tar", "--offline-scan", "--cache-backend", "memory"]
    sbom = tool.with_exec([*bill, "--format", "cyclonedx", "--output", "/sbom.json"]).file("/sbom.json")
    report = tool.with_exec([*common, "--scanners", scanners, "--format", "json", "--output", "/report.json"])
    return ImageScan(tuple(parse(await report.file("/report.json").contents())), db is not None, sbom)


async def scan_config(trivy: dagger.Container, source: dagger.Directory, paths: Sequence[str]) -> list[Finding]:
    """Check Dockerfiles for misconfigurations, all of them in one run, with the checks built into trivy.

    Args:
        trivy: A container from `tool`.
        source: Directory that holds the Dockerfiles.
        paths: Their paths in it.

    Returns:
        The findings, each with the Dockerfile's path as its target.
    """
    if not paths:
        return []
    command = [
        PROGRAM,
        *QUIET,
        "config",
        "--skip-check-update",
        "--format",
        "json",
        "--output",
        "/report.json",
        MOUNT,
    ]
    run = trivy.with_mounted_directory(MOUNT, source.filter(include=list(paths))).with_exec(command)
    return parse(await run.file("/report.json").contents())
