"""One call: lint, build, measure and scan every image of a plan, and say about each how it went."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import PurePosixPath

import anyio
import dagger
import hadolint.lint
import structlog
import trivy.finding
import trivy.scan

from pipeline.build import notes
from pipeline.build.builder import Builder, dockerfile_of
from pipeline.build.measure import measure
from pipeline.catalogue.plan import BASES, Plan
from pipeline.concurrent import gather
from pipeline.report.model import MB, BuildResult, ImageResult, Note
from pipeline.scan.tools import Scans
from pipeline.settings import Settings

LOG = structlog.get_logger()
TOOL_ERRORS = (dagger.DaggerError, ValueError, KeyError)
"""What a tool that did not run, or answered nonsense, raises."""


@dataclass(frozen=True)
class Target:
    """An image of the plan: what is known before, and the container that will be built when somebody asks for it."""

    result: ImageResult
    dockerfile: str
    container: dagger.Container


def targets(builder: Builder, plan: Plan, settings: Settings) -> dict[str, Target]:
    """List the images of a plan.

    Args:
        builder: What builds them; nothing is built here.
        plan: The plan.
        settings: Registry and namespace of their references.

    Returns:
        Each image by its name, bases first.

    Raises:
        UsageError: A Dockerfile is missing or cannot be combined with its base's.
    """
    found = {}
    for name in plan.bases:
        base = BASES[name]
        result = ImageResult(name, "base", settings.base_reference(name, base.tag), budget=base.budget_mb * MB)
        found[name] = Target(result, dockerfile_of(name), builder.stage(name, name))
    for entry in plan.entries:
        service = entry.service
        reference = settings.reference(service.repository, service.version)
        result = ImageResult(service.codename, "service", reference, budget=service.budget.size_mb * MB)
        path = PurePosixPath(entry.folder) / service.build.context / service.build.dockerfile
        found[service.codename] = Target(result, str(path), builder.service(entry))
    return found


@dataclass(frozen=True)
class Made:
    """An image after its run."""

    result: ImageResult
    container: dagger.Container
    sbom: dagger.File | None = None
    """CycloneDX JSON; None when the image could not be scanned."""


@dataclass(frozen=True)
class Run:
    """One build of a plan."""

    builder: Builder
    plan: Plan
    settings: Settings
    scans: Scans
    slots: anyio.CapacityLimiter

    @classmethod
    def create(cls, builder: Builder, plan: Plan, settings: Settings, dockerfiles: Sequence[str]) -> Run:
        """Prepare a run; nothing starts.

        Args:
            builder: Builder of the repository.
            plan: What to build.
            settings: Gate and limits.
            dockerfiles: Every Dockerfile to lint.

        Returns:
            The run.
        """
        return cls(
            builder, plan, settings, Scans.create(builder, dockerfiles), anyio.CapacityLimiter(settings.concurrency)
        )

    async def image(self, target: Target) -> Made:
        """Build, weigh, lint and scan one image.

        Args:
            target: The image.

        Returns:
            The image; what went wrong is in the notes of its result.
        """
        begun = time.monotonic()
        name = target.result.name
        found: list[Note] = []
        result, sbom = target.result, None
        try:
            async with self.slots:
                weight = await measure(target.container, self.builder.debian)
            result = replace(result, digest=weight.digest, size=weight.size, compressed=weight.compressed)
            LOG.info(
                "built", image=name, size_mb=round(weight.size / MB, 1), seconds=round(time.monotonic() - begun, 1)
            )
        except dagger.QueryError as error:
            found.append(notes.failure("build", error, target.dockerfile))
        found += await self._dockerfile(target)
        if result.digest:
            result, sbom, scanned = await self._scan(result, target)
            found += [*scanned, *notes.budget(result)]
        result = replace(result, notes=tuple(found), seconds=time.monotonic() - begun)
        result = replace(result, status=notes.status(result))
        LOG.info(result.status, image=name, findings=len(result.errors), seconds=round(result.seconds, 1))
        return Made(result, target.container, sbom)

    async def _dockerfile(self, target: Target) -> list[Note]:
        found: list[Note] = []
        try:
            found += notes.lint(target.dockerfile, await self.scans.lint.get())
        except TOOL_ERRORS as error:
            found.append(notes.failure("lint", error, target.dockerfile))
        try:
            found += notes.config(target.dockerfile, await self.scans.config.get(), self.settings.severity)
        except TOOL_ERRORS as error:
            found.append(notes.failure("misconfiguration", error, target.dockerfile))
        return found

    async def _scan(self, result: ImageResult, target: Target) -> tuple[ImageResult, dagger.File | None, list[Note]]:
        try:
            tool, database = await self.scans.scanner.get(), await self.scans.database.get()
            async with self.slots:
                scan = await trivy.scan.scan_image(tool, target.container, database)
        except TOOL_ERRORS as error:
            return result, None, [notes.failure("secret", error, target.dockerfile)]
        found = notes.image(scan.findings, self.settings.severity)
        if not scan.database and self.settings.require_vulnerabilities:
            fix = "reach a registry that has one, or unset require_vulnerabilities"
            found.append(Note("vulnerability", trivy.finding.NO_DATABASE, fix=fix))
        return replace(result, scanned=True, vulnerabilities=scan.database), scan.sbom, found


async def run(builder: Builder, plan: Plan, settings: Settings) -> tuple[BuildResult, dict[str, Made]]:
    """Build everything of a plan at once, as far as the slots of the settings allow.

    Args:
        builder: Builder of the repository.
        plan: What to build.
        settings: Gate and limits.

    Returns:
        The result, with every image that failed, not just the first; and the images by name.

    Raises:
        UsageError: The repository is wrong.
    """
    begun, started = time.monotonic(), datetime.now(UTC).isoformat(timespec="seconds")
    goals = targets(builder, plan, settings)
    job = Run.create(builder, plan, settings, [target.dockerfile for target in goals.values()])
    LOG.info("building", images=len(goals), at_once=settings.concurrency, platform=builder.platform)
    made = await gather({name: partial(job.image, target) for name, target in goals.items()})
    results = tuple(image.result for image in made.values())
    tools = {"hadolint": hadolint.lint.VERSION, "trivy": trivy.scan.VERSION}
    seconds = time.monotonic() - begun
    return BuildResult(results, started, seconds, builder.platform, tools, plan.graph.warnings), made
