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
        result = ImageResult(name, "base", settings.reference(f"base-{name}", base.tag), budget=base.budget_mb * MB)
        found[name] = Target(result, dockerfile_of(name), builder.base(name))
    for entry in plan.entries:
        service = entry.service
        reference = settings.reference(service.repository, service.version)
        result = ImageResult(service.codename, "service", reference, budget=service.budget.size_mb * MB)
        path = PurePosixPath(entry.folder) / service.build.context / service.build.dockerfile
        found[service.codename] = Target(result, str(path), builder.service(entry))
    return found


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

    async def image(self, target: Target) -> ImageResult:
        """Build, weigh, lint and scan one image.

        Args:
            target: The image.

        Returns:
            Its result; what went wrong is in its notes.
        """
        begun = time.monotonic()
        name = target.result.name
        found: list[Note] = []
        result = target.result
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
            result, scanned = await self._scan(result, target)
            found += [*scanned, *notes.budget(result)]
        result = replace(result, notes=tuple(found), seconds=time.monotonic() - begun)
        result = replace(result, status=notes.status(result))
        LOG.info(result.status, image=name, findings=len(result.errors), seconds=round(result.seconds, 1))
        return result

    async def _dockerfile(self, target: Target) -> list[Note]:
        try:
            lint, config = await self.scans.lint.get(), await self.scans.config.get()
        except dagger.QueryError as error:
            return [notes.failure("lint", error, target.dockerfile)]
        return notes.dockerfile(target.dockerfile, lint, config, self.settings.severity)

    async def _scan(self, result: ImageResult, target: Target) -> tuple[ImageResult, list[Note]]:
        try:
            tool, database = await self.scans.scanner.get(), await self.scans.database.get()
            async with self.slots:
                scan = await trivy.scan.scan_image(tool, target.container, database)
        except dagger.QueryError as error:
            return result, [notes.failure("secret", error, target.dockerfile)]
        return replace(result, vulnerabilities=scan.database), notes.image(scan.findings, self.settings.severity)


async def run(builder: Builder, plan: Plan, settings: Settings) -> BuildResult:
    """Build everything of a plan at once, as far as the slots of the settings allow.

    Args:
        builder: Builder of the repository.
        plan: What to build.
        settings: Gate and limits.

    Returns:
        The result, with every image that failed, not just the first.

    Raises:
        UsageError: The repository is wrong.
    """
    begun, started = time.monotonic(), datetime.now(UTC).isoformat(timespec="seconds")
    goals = targets(builder, plan, settings)
    job = Run.create(builder, plan, settings, [target.dockerfile for target in goals.values()])
    LOG.info("building", images=len(goals), at_once=settings.concurrency, platform=builder.platform)
    results = await gather({name: partial(job.image, target) for name, target in goals.items()})
    tools = {"hadolint": hadolint.lint.VERSION, "trivy": trivy.scan.VERSION}
    seconds = time.monotonic() - begun
    return BuildResult(tuple(results.values()), started, seconds, builder.platform, tools, plan.graph.warnings)
