"""What an image weighs, and the digest by which a registry will know it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import dagger
from dagger import dag

INDEX = "application/vnd.oci.image.index.v1+json"


@dataclass(frozen=True)
class Measure:
    """An image in numbers."""

    digest: str
    compressed: int
    """Bytes of the layers and the configuration as a registry keeps them."""
    size: int
    """Bytes of the files in the unpacked root filesystem; hard links count once."""


async def measure(image: dagger.Container, debian: str) -> Measure:
    """Weigh an image by its OCI archive, which is what a publish sends.

    Args:
        image: The image.
        debian: Image whose tar and du are used.

    Returns:
        The numbers.
    """
    shell = dag.container().from_(debian)
    archive = image.as_tarball(
        forced_compression=dagger.ImageLayerCompression.Gzip, media_types=dagger.ImageMediaTypes.OCIMediaTypes
    )
    # One after the other: the archive builds the image, and what remains takes a second.
    digest, manifest = await _manifest(shell.with_mounted_file("/image.tar", archive))
    weigh = shell.with_mounted_directory("/image", image.rootfs()).with_exec(["du", "-sb", "/image"])
    compressed = sum(int(blob["size"]) for blob in (manifest["config"], *manifest["layers"]))
    return Measure(digest, compressed, int((await weigh.stdout()).split()[0]))


async def _manifest(reader: dagger.Container) -> tuple[str, dict[str, Any]]:
    """Digest and contents of the manifest in an OCI archive, through an index where there is one."""
    entry = json.loads(await _member(reader, "index.json"))["manifests"][0]
    document: dict[str, Any] = json.loads(await _blob(reader, entry["digest"]))
    if document.get("mediaType") == INDEX:
        document = json.loads(await _blob(reader, document["manifests"][0]["digest"]))
    return str(entry["digest"]), document


async def _blob(reader: dagger.Container, digest: str) -> str:
    return await _member(reader, f"blobs/{digest.replace(':', '/')}")


async def _member(reader: dagger.Container, name: str) -> str:
    return await reader.with_exec(["tar", "-xOf", "/image.tar", name]).stdout()
