"""What would be built, in which order, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.catalogue import graph as graphs
from pipeline.catalogue import load as loader
from pipeline.catalogue import profiles as profile_loader
from pipeline.catalogue.load import Entry
from pipeline.errors import UsageError


@dataclass(frozen=True)
class Base:
    """One of the two base images."""

    below: tuple[str, ...]
    """Bases that it stands on."""
    tag: str
    budget_mb: int
    """Unpacked size of the runtime in MB (10^6 bytes)."""
    stages: tuple[tuple[str, str], ...]
    """Stages that are published, and the tag of each; the last one is the runtime."""


BASES = {
    "go-infra": Base(
        below=(),
        tag="1.27-trixie",
        budget_mb=20,
        stages=(("debian-builder", "trixie"), ("go-infra-builder", "1.27-trixie"), ("go-infra", "1.27-trixie")),
    ),
    "python-ai": Base(
        below=("go-infra",),
        tag="3.13-trixie",
        budget_mb=300,
        stages=(("python-ai-builder", "3.13-trixie"), ("python-ai", "3.13-trixie")),
    ),
}
"""The base images, each after those that it stands on."""


@dataclass(frozen=True)
class Step:
    """One image of the plan."""

    name: str
    kind: str
    layer: int
    needs: tuple[str, ...]
    why: str


@dataclass(frozen=True)
class Plan:
    """The chosen services with everything that they stand on."""

    entries: tuple[Entry, ...]
    steps: tuple[Step, ...]
    graph: graphs.Graph

    @property
    def bases(self) -> tuple[str, ...]:
        """Base images to build, in order."""
        return tuple(step.name for step in self.steps if step.kind == "base")

    @property
    def start_order(self) -> list[list[str]]:
        """Codenames in layers of start-up, with everything that the chosen services need."""
        return self.graph.layers(self.graph.closure(entry.service.codename for entry in self.entries))


@dataclass(frozen=True)
class Platform:
    """A repository, read and checked once."""

    root: Path
    catalogue: loader.Catalogue
    graph: graphs.Graph
    profiles: profile_loader.Profiles

    @classmethod
    def read(cls, root: Path) -> Platform:
        """Read catalogue, graph and profiles.

        Args:
            root: Root of the repository.

        Returns:
            The platform.

        Raises:
            UsageError: Something in it is wrong.
            UsageGroupError: In several places.
        """
        catalogue = loader.load(root)
        return cls(root, catalogue, graphs.build(catalogue), profile_loader.load(root, catalogue))

    def plan(
        self, profile: str, only: Sequence[str] = (), without: Sequence[str] = (), *, dependencies: bool = False
    ) -> Plan:
        """Plan the images of a selection.

        Args:
            profile: Profile to take.
            only: Names of services to take instead.
            without: Names of services to leave out.
            dependencies: Whether to add the services that the chosen ones need while they run.

        Returns:
            The plan: bases first, then services.

        Raises:
            UsageError: A name is unknown, nothing is left, or `without` leaves out what another one needs.
        """
        named = [self.catalogue.find(name, "--only").service.codename for name in only]
        excluded = [self.catalogue.find(name, "--without").service.codename for name in without]
        chosen = self.profiles.select(profile, named, excluded)
        reasons = self.graph.closure(chosen) if dependencies else dict.fromkeys(chosen, "selected")
        for name in excluded:
            if name in reasons:
                fix = f"leave out {reasons[name].removeprefix('needed by ')} too"
                raise UsageError("--without", f"`{name}` is {reasons[name]}", fix)
        why = f"profile {profile}" if not named else "--only"
        steps = [
            Step(b, "base", _depth(b), BASES[b].below, _users(b, reasons, self))
            for b in BASES
            if _used(b, reasons, self)
        ]
        for name, reason in reasons.items():
            base = self.catalogue.find(name).service.build.base
            steps.append(Step(name, "service", _depth(base) + 1, (base,), why if reason == "selected" else reason))
        return Plan(tuple(self.catalogue.find(name) for name in reasons), tuple(steps), self.graph)


def _depth(base: str) -> int:
    return 1 + max((_depth(below) for below in BASES[base].below), default=0)


def _used(base: str, names: dict[str, str], platform: Platform) -> bool:
    used = {platform.catalogue.find(name).service.build.base for name in names}
    return base in used or any(base in BASES[other].below for other in used)


def _users(base: str, names: dict[str, str], platform: Platform) -> str:
    users = [name for name in names if platform.catalogue.find(name).service.build.base == base]
    users += [other for other in BASES if base in BASES[other].below and _used(other, names, platform)]
    return f"base of {', '.join(users)}"
