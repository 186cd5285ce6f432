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


async def refreshed(root: Path) -> tuple[str, list[str]]:
    """Look up today's digest of every image in the lock file.

    Args:
        root: Root of the repository.

    Returns:
        The new text of the lock file, and a line for each image that says what became of it. A digest that only
        this machine's stand-in has is never written: nobody else could pull it.
    """
    stand_ins = {reference.rpartition("@")[2] for reference in read(root, LOCAL_LOCK).values()}
    images, remarks = dict(read(root, LOCK)), []
    for key, reference in images.items():
        tag, _, old = reference.rpartition("@")
        try:
            digest = (await dag.container().from_(tag).image_ref()).rpartition("@")[2]
        except dagger.QueryError as error:
            remarks.append(f"{key}: kept, {tag} cannot be looked up ({str(error).splitlines()[0]})")
            continue
        if digest in stand_ins:
            remarks.append(f"{key}: kept, this engine serves a stand-in for {tag}")
        elif digest == old:
            remarks.append(f"{key}: {tag} is up to date")
        else:
            images[key] = f"{tag}@{digest}"
            remarks.append(f"{key}: {tag} is now {digest}")
    return json.dumps({"images": images}, indent=2) + "\n", remarks


async def replaced(root: Path, source: dagger.Directory, text: str) -> dagger.Directory:
    """Write a lock file into a repository, and its references into the Dockerfiles that repeat them.

    Args:
        root: Root of the repository.
        source: The same repository on the engine.
        text: New text of the lock file.

    Returns:
        The changed repository.
    """
    old, new = read(root, LOCK), dict(json.loads(text)["images"])
    changed = source.with_new_file(LOCK, text)
    for name in await source.glob("**/*Dockerfile"):
        contents = before = await source.file(name).contents()
        for key, reference in old.items():
            contents = contents.replace(reference, new[key])
        if contents != before:
            changed = changed.with_new_file(name, contents)
    return changed
