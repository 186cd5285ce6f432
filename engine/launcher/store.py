"""Built artefacts: a folder each, named by its inputs' hash, that is there as a whole or not at all."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from . import locks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_PART = ".part"


class Store:
    """A folder of artefacts.

    Args:
        path: the folder; made when first written to.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def lock(self) -> contextlib.AbstractContextManager[None]:
        """The lock that whoever builds or prunes must hold."""
        return locks.hold(self.path / "lock", "installation")

    def place(self, name: str, key: str) -> Path:
        """Where an artefact is, or will be; what is there is complete.

        Args:
            name: the artefact.
            key: hash of its inputs.
        """
        return self.path / f"{name}-{key}"

    def make(self, place: Path, build: Callable[[Path], None]) -> None:
        """Builds an artefact unless it is there.

        Args:
            place: where it will be.
            build: fills the empty folder it is given; what an interrupted run left there is thrown away first.
        """
        if place.is_dir():
            return
        for rest in self.path.glob(f"{place.name}{_PART}*"):
            remove(rest)
        # A name of this process: what an interrupted run left running must not write into it.
        part = place.with_name(f"{place.name}{_PART}{os.getpid()}")
        part.mkdir(parents=True)
        try:
            build(part)
        except BaseException:
            remove(part)
            raise
        os.sync()  # a power cut must not leave a complete name on incomplete files
        part.rename(place)

    def prune(self, keep: Iterable[Path]) -> list[Path]:
        """Removes what is not needed.

        Args:
            keep: artefacts to leave; those that a running engine has mounted are left, too.

        Returns:
            What was removed.
        """
        wanted = {path.name for path in keep} | mounted(self.path)
        gone = [path for path in self.path.iterdir() if path.is_dir() and path.name not in wanted]
        for path in gone:
            remove(path)
        return gone


def mounted(store: Path, proc: Path = Path("/proc")) -> set[str]:
    """Artefacts that are layers of a mounted overlay, in whichever mount namespace.

    Args:
        store: the folder of artefacts.
        proc: where processes are shown.
    """
    pattern = re.compile(re.escape(f"{store}/") + r"([^/:,\s]+)")
    found: set[str] = set()
    for mounts in proc.glob("[0-9]*/mountinfo"):
        with contextlib.suppress(OSError):  # the process has ended
            for line in mounts.read_text().splitlines():
                if " - overlay " in line:
                    found.update(pattern.findall(line))
    return found


def remove(path: Path) -> None:
    """Removes a folder, also one with files that may not be written to.

    Args:
        path: the folder; nothing happens when it is not there.
    """
    if path.exists():
        shutil.rmtree(path)


def write_atomically(path: Path, text: str) -> None:
    """Writes a small file such that a reader sees the old or the new content.

    Args:
        path: the file; its folder is made.
        text: the new content.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(text)
    part.replace(path)
