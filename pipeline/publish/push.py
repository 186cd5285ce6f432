"""Pushing the images of a build."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import anyio
import dagger
import structlog

from pipeline.build.builder import Builder
from pipeline.build.run import Made
from pipeline.catalogue.plan import BASES
from pipeline.concurrent import gather
from pipeline.errors import FindingsError, UsageError
from pipeline.report.model import BuildResult, ImageResult
from pipeline.report.table import build_table
from pipeline.settings import Settings

LOG = structlog.get_logger()


@dataclass(frozen=True)
class Pushed:
    """One push: what it returned, or why it failed."""

    name: str
    reference: str
    digest: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Push:
    """Pushes to one registry as one user."""

    builder: Builder
    settings: Settings
    username: str = ""
    password: dagger.Secret | None = None

    async def check(self) -> None:
        """Look at the credentials before anything is built.

        Raises:
            UsageError: One of user and password is missing, or the password cannot be read.
        """
        if bool(self.username) != (self.password is not None):
            missing = "--password" if self.username else "--username"
            raise UsageError(missing, "is missing", "give user and password, or neither")
        if self.password is None:
            return
        try:
            empty = not await self.password.plaintext()
        except dagger.QueryError:
            raise UsageError("--password", "cannot be read", "name it as env:NAME or file:PATH") from None
        if empty:
            raise UsageError("--password", "is empty", "set the variable or file that it names")

    async def publish(self, result: BuildResult, made: Mapping[str, Made]) -> str:
        """Push every image that passed; the builders of the base images go with them.

        Args:
            result: A build.
            made: Its images.

        Returns:
            `digests.json`: a list of name, reference, tag, digest, size (compressed bytes) and platform.

        Raises:
            FindingsError: An image did not pass, or a push failed; the others were pushed, and the message has their
                digests.
        """
        good = {image.name: image for image in result.images if image.status == "passed"}
        jobs = {n: (made[n].container, image.reference, image.digest) for n, image in good.items()}
        jobs |= self._builders(good)
        slots = anyio.CapacityLimiter(self.settings.concurrency)
        pushed = await gather({n: partial(self._push, n, *job, slots) for n, job in jobs.items()})
        text = json.dumps(
            [_entry(push, good.get(push.name), result.platform) for push in pushed.values() if push.digest], indent=2
        )
        problems = [f"{push.name}: {push.problem}" for push in pushed.values() if push.problem]
        if result.failures:
            problems.append(
                f"not pushed, since they did not pass: {', '.join(image.name for image in result.failures)}"
            )
            problems.append(build_table(result))
        if problems:
            raise FindingsError("\n".join([text, *problems]))
        return text

    def _builders(self, good: dict[str, ImageResult]) -> dict[str, tuple[dagger.Container, str, str]]:
        """The stages beside the runtimes, so that a service can be built by `docker build` alone."""
        return {
            stage: (self.builder.stage(name, stage), self.settings.base_reference(stage, tag), "")
            for name, base in BASES.items()
            if name in good
            for stage, tag in base.stages
            if stage != name
        }

    async def _push(
        self, name: str, container: dagger.Container, reference: str, scanned: str, slots: anyio.CapacityLimiter
    ) -> Pushed:
        if self.password is not None:
            container = container.with_registry_auth(self.settings.registry, self.username, self.password)
        try:
            async with slots:
                answer = await container.publish(
                    reference,
                    forced_compression=dagger.ImageLayerCompression.Gzip,
                    media_types=dagger.ImageMediaTypes.OCIMediaTypes,
                )
        except dagger.QueryError as error:
            return Pushed(name, reference, problem=" ".join(str(error).split()))
        digest = answer.rpartition("@")[2]
        LOG.info("published", image=name, reference=answer)
        if scanned not in {"", digest}:
            # Seen after a restart of the engine; layers that are built again have other file times (ADR 0008).
            LOG.warning("rebuilt since it was scanned", image=name, scanned=scanned, published=digest)
        return Pushed(name, reference, digest)


def _entry(push: Pushed, image: ImageResult | None, platform: str) -> dict[str, object]:
    return {
        "name": push.name,
        "reference": f"{push.reference}@{push.digest}",
        "tag": push.reference.rpartition(":")[2],
        "digest": push.digest,
        "size": image.compressed if image else None,
        "platform": platform,
    }
