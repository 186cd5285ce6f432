"""External images by digest: one lock file for machines with registries, one for a machine without."""

from __future__ import annotations

import json
import re
from pathlib import Path

import dagger
from dagger import dag

from pipeline.errors import UsageError

LOCK = "base-images/images.lock.json"
LOCAL_LOCK = ".arc/images.lock.json"
"""Written by the engine from registries: digests of the stand-ins that its registry serves."""
PINNED = re.compile(r"^\S+@sha256:[0-9a-f]{64}$")


def read(root: Path, name: str) -> dict[str, str]:
    """Read a lock file.

    Args:
        root: Root of the repository.
        name: Path of the file in it.

    Returns:
        Image references by name; empty when there is no such file.

    Raises:
        UsageError: The file is not JSON of the form `{"images": {...}}`, or a reference has no digest.
    """
    file = root / name
    if not file.is_file():
        return {}
    try:
        images = dict(json.loads(file.read_text("utf-8"))["images"])
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            name, f"is no lock file ({error})", "restore it, or run `dagger call refresh-images`"
        ) from None
    for key, reference in images.items():
        if not PINNED.match(str(reference)):
            raise UsageError(f"{name}: {key}", f"`{reference}` has no digest", "write name:tag@sha256:...")
    return images


async def resolve(root: Path, key: str) -> str:
    """Choose the reference of an external image that this engine can pull.

    The stand-in comes first: an engine that does not serve it says so at once, and then the upstream image is tried.

    Args:
        root: Root of the repository.
        key: Name of the image in the lock files.

    Returns:
        A reference with digest.

    Raises:
        UsageError: No lock file has the image, or none of its references can be pulled.
    """
    candidates = [reference for lock in (LOCAL_LOCK, LOCK) if (reference := read(root, lock).get(key))]
    if not candidates:
        raise UsageError(LOCK, f"has no image `{key}`", "add it by digest")
    problems = []
    for reference in candidates:
        try:
            await dag.container().from_(reference).sync()
        except dagger.QueryError as error:
            problems.append(str(error).splitlines()[0])
        else:
            return reference
    fix = "check the network, or start the engine from registries with ./daggerw"
    raise UsageError(LOCK, f"`{key}` cannot be pulled ({problems[-1]})", fix)
