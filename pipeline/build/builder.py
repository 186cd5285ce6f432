"""Turning a plan into containers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import dagger
from dagger import dag

from pipeline.build.dockerfile import ComposeError, compose
from pipeline.catalogue.load import Entry
from pipeline.catalogue.plan import BASES
from pipeline.errors import UsageError

FOLDER = "base-images"
COMPOSED = "arc.composed.Dockerfile"
IGNORE = ".dockerignore"
STAGES = {
    "DEBIAN_BUILDER": "debian-builder",
    "GO_INFRA_BUILDER": "go-infra-builder",
    "GO_INFRA": "go-infra",
    "PYTHON_AI_BUILDER": "python-ai-builder",
    "PYTHON_AI": "python-ai",
}
"""Build arguments that name a base, and the stage that each becomes."""


def dockerfile_of(base: str) -> str:
    """Path of a base image's Dockerfile, relative to the root of the repository."""
    return f"{FOLDER}/{base}/Dockerfile"


@dataclass(frozen=True)
class Builder:
    """Builds images of one repository on one engine."""

    root: Path
    """A copy of the repository that this process can read."""
    source: dagger.Directory
    debian: str
    """Pinned reference of the external base."""
    platform: str
    labels: tuple[tuple[str, str], ...] = ()
    """Labels that every image gets beside its own, such as the source revision."""

    def named(self, name: str) -> dagger.Container:
        """Build a base image or any published stage of one.

        Args:
            name: `go-infra`, `python-ai-builder`, ...

        Returns:
            The container.

        Raises:
            UsageError: There is no such stage.
        """
        for base, about in BASES.items():
            if name in dict(about.stages):
                return self.stage(base, name)
        known = ", ".join(stage for about in BASES.values() for stage, _ in about.stages)
        raise UsageError("--name", f"there is no base `{name}`", f"choose one of: {known}")

    def stage(self, base: str, stage: str) -> dagger.Container:
        """Build a stage of a base image's Dockerfile, such as its builder.

        Args:
            base: Name of the base.
            stage: Name of the stage.

        Returns:
            The container.
        """
        context = dag.directory().with_directory(FOLDER, self.source.directory(FOLDER))
        return self._build(context, self._chain(base), stage)

    def service(self, entry: Entry) -> dagger.Container:
        """Build a service on its base, both from source.

        Args:
            entry: The service.

        Returns:
            The container.

        Raises:
            UsageError: Its Dockerfile cannot be combined with its base's.
        """
        build = entry.service.build
        folder = (Path(entry.folder) / build.context).as_posix()
        own = f"{folder}/{build.dockerfile}"
        context = self._context(folder).with_directory(FOLDER, self.source.directory(FOLDER))
        return self._build(context, [*self._chain(build.base), (own, self._read(own))], "")

    def _context(self, folder: str) -> dagger.Directory:
        """The service's build context, less what its `.dockerignore` names."""
        directory = self.source.directory(folder)
        ignore = self.root / folder / IGNORE
        if not ignore.is_file():
            return directory
        patterns = [line.strip() for line in ignore.read_text("utf-8").splitlines()]
        kept = [line for line in patterns if line and not line.startswith("#")]
        # The file itself goes too: its patterns must not fall on the base's files, which lie beside the service's.
        return directory.filter(exclude=[*kept, IGNORE])

    def _chain(self, base: str) -> list[tuple[str, str]]:
        names = [*(dockerfile_of(below) for below in BASES[base].below), dockerfile_of(base)]
        return [(name, self._read(name)) for name in names]

    def _read(self, name: str) -> str:
        try:
            return (self.root / name).read_text("utf-8")
        except OSError:
            raise UsageError(name, "is missing", "add the Dockerfile") from None

    def _build(self, context: dagger.Directory, files: list[tuple[str, str]], target: str) -> dagger.Container:
        arguments = {"DEBIAN": self.debian, **STAGES}
        try:
            composed = compose(files, arguments)
        except ComposeError as error:
            where, _, problem = str(error).partition(": ")
            problem, _, fix = problem.partition("; ")
            raise UsageError(where, problem, fix) from None
        used = {key: value for key, value in arguments.items() if key in composed.arguments}
        for key, stage in used.items():
            if key in STAGES and stage not in composed.stages:
                base = next(name for name, about in BASES.items() if stage in dict(about.stages))
                raise UsageError(
                    files[-1][0], f"ARG `{key}` is not of its base", f"set build.base: {base} in service.yaml"
                )
        container = context.with_new_file(COMPOSED, composed.text).docker_build(
            dockerfile=COMPOSED,
            platform=dagger.Platform(self.platform),
            build_args=[dagger.BuildArg(key, value) for key, value in used.items()],
            target=target or None,
        )
        for key, value in self.labels:
            container = container.with_label(key, value)
        return container
