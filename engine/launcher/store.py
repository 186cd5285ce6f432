"""Built artefacts: a folder each, named by its inputs' hash, that is there as a whole or not at all."""

from __future__ import annotations

import contextlib
import os
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
        """Where an artefact is, or will be.

        Args:
            name: the artefact.
            key: hash of its inputs.
        """
        return self.path / f"{name}-{key}"

    def has(self, name: str, key: str) -> bool:
        """Whether an artefact is there, and so complete.

        Args:
            name: the artefact.
            key: hash of its inputs.
        """
        return self.place(name, key).is_dir()

    def make(self, name: str, key: str, build: Callable[[Path], None]) -> Path:
        """Builds an artefact unless it is there.

        Args:
            name: the artefact.
            key: hash of its inputs.
            build: fills the empty folder it is given; what an interrupted run left there is thrown away first.

        Returns:
            The artefact's folder.
        """
        place = self.place(name, key)
        if place.is_dir():
            return place
        part = place.with_name(place.name + _PART)
        remove(part)
        part.mkdir(parents=True)
        try:
            build(part)
        except BaseException:
            remove(part)
            raise
        os.sync()  # a power cut must not leave a complete name on incomplete files
        part.rename(place)
        return place

    def prune(self, keep: Iterable[Path]) -> list[Path]:
        """Removes what is not needed.

        Args:
            keep: artefacts to leave.

        Returns:
            What was removed.
        """
        wanted = {path.name for path in keep}
        gone = [path for path in self.path.iterdir() if path.is_dir() and path.name not in wanted]
        for path in gone:
            remove(path)
        return gone


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
