"""What the engine needs of the machine, checked before anything is done."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from .commands import need
from .errors import LauncherError
from .pins import architecture
from .report import say

if TYPE_CHECKING:
    from .settings import Settings

_RESERVE = 2000  # megabytes left for what is being unpacked and for the first builds


def root() -> None:
    """Checks for the rights of root.

    Raises:
        LauncherError: they are missing.
    """
    if os.geteuid() != 0:
        raise LauncherError(
            "the engine from registries needs root: run it with sudo, or use Docker or a remote engine (docs/engine.md)"
        )


def machine(settings: Settings) -> None:
    """Checks system, architecture, rights, tools and kernel.

    Args:
        settings: the engine's settings.

    Raises:
        LauncherError: something is missing; the text says what to do.
    """
    if platform.system() != "Linux":
        raise LauncherError(f"the engine from registries runs on Linux, not on {platform.system()}: install Docker")
    if architecture() == "arm64":
        say("arm64 takes the same path as amd64 but is untested")
    root()
    # Where the programs of root are; some ways to become root leave them out.
    os.environ["PATH"] = f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin"
    need("unshare", "mount", "pivot_root", "chroot", "tar", "gzip", "find", "du")
    _kernel()
    _file_system(settings)


def _kernel() -> None:
    overlay = "overlay" in Path("/proc/filesystems").read_text().split()
    if not overlay and subprocess.run(["modprobe", "overlay"], capture_output=True, check=False).returncode:
        raise LauncherError("the kernel has no overlay file system: load the module overlay, or use a remote engine")
    trial = ["unshare", "--mount", "--pid", "--ipc", "--uts", "--fork", "true"]
    done = subprocess.run(trial, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LauncherError(
            f"namespaces are not allowed here ({done.stderr.strip()}): use a privileged container or a remote engine"
        )


def _file_system(settings: Settings) -> None:
    for path, variable in ((settings.store, "ARC_ENGINE_STORE"), (settings.home, "ARC_ENGINE_HOME")):
        if any(letter in str(path) for letter in ':,\\" \n$`'):
            raise LauncherError(f"{variable}={path} has a character that a mount cannot take: give a plainer path", 2)
    settings.home.mkdir(parents=True, exist_ok=True)
    kind = file_system(settings.home, Path("/proc/self/mountinfo").read_text())
    if kind in {"overlay", "nfs", "nfs4", "squashfs"}:
        raise LauncherError(
            f"{settings.home} is on {kind}, where no engine's cache can be: set ARC_ENGINE_HOME to a folder on a disk"
        )


def file_system(path: Path, mounts: str) -> str:
    """Kind of the file system that a folder is on.

    Args:
        path: the folder.
        mounts: content of /proc/self/mountinfo.

    Returns:
        Its name, such as `ext4`.
    """
    resolved = path.resolve()
    best, kind = -1, "unknown"
    for line in mounts.splitlines():
        fields, _, rest = line.partition(" - ")
        point = Path(fields.split()[4].encode().decode("unicode_escape"))
        if (resolved == point or point in resolved.parents) and len(point.parts) >= best:
            best, kind = len(point.parts), rest.split()[0]
    return kind


def room(path: Path, megabytes: int) -> None:
    """Checks for free space.

    Args:
        path: folder that things go to.
        megabytes: how much they take.

    Raises:
        LauncherError: there is not enough.
    """
    path.mkdir(parents=True, exist_ok=True)
    free, wanted = shutil.disk_usage(path).free // 1_000_000, megabytes + _RESERVE
    if free < wanted:
        raise LauncherError(
            f"{path} has {free / 1000:.1f} GB left and {wanted / 1000:.1f} GB are needed:"
            " free some, or set ARC_ENGINE_HOME to a folder on another disk"
        )
